//! The library's one error type.
//!
//! What a caller decides by is asked with predicates (`is_damaged`, `is_unsupported`, …); what a person reads is the
//! message, the place (table, absolute offset) and the hint. The variants stay private, so they can grow.

use std::fmt;

/// What went wrong, where, and what to do next.
///
/// `Display` gives one line: the message, then the table and the absolute byte offset where they are known.
/// [`Error::hint`] says what to do next, if the library knows.
#[derive(Debug)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: Kind,
    message: String,
    table: Option<String>,
    offset: Option<u64>,
    layer: Option<Layer>,
    hint: Option<String>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Io,
    Damaged,
    Unsupported,
    Request,
    Database,
    NotProven,
    Interrupted,
}

/// The layer of the format that refused some bytes, as `spec/format.md` and its test vectors name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// The archive header.
    Header,
    /// A frame's header or stored body.
    Frame,
    /// A commit's body, or finding the last commit.
    Commit,
    /// A reference that does not lead to what it says.
    Reference,
    /// Metadata encoding.
    Metadata,
    /// A directory of slices.
    Directory,
    /// A snapshot manifest, catalog, table manifest or history page that contradicts itself or its commit.
    Manifest,
    /// A page of row groups.
    Page,
    /// A column block's place or encoding.
    Block,
    /// Decoded cells.
    Cells,
    /// Content digests.
    Content,
    /// Fingerprints of columns, tables and snapshots.
    Fingerprint,
    /// Order and uniqueness of keys.
    Order,
    /// Places where row groups are cut.
    Boundaries,
    /// Counts, sums and bounds.
    Totals,
    /// Bytes after the last commit.
    Tail,
}

impl Layer {
    /// The name used in the specification and its vectors.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Frame => "frame",
            Self::Commit => "commit",
            Self::Reference => "reference",
            Self::Metadata => "metadata",
            Self::Directory => "directory",
            Self::Manifest => "manifest",
            Self::Page => "page",
            Self::Block => "block",
            Self::Cells => "cells",
            Self::Content => "content",
            Self::Fingerprint => "fingerprint",
            Self::Order => "order",
            Self::Boundaries => "boundaries",
            Self::Totals => "totals",
            Self::Tail => "tail",
        }
    }
}

/// The library's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                table: None,
                offset: None,
                layer: None,
                hint: None,
                cause: None,
            }),
        }
    }

    /// Bytes of an archive are not what they should be.
    pub fn damaged(layer: Layer, message: impl Into<String>) -> Self {
        let mut error = Self::new(Kind::Damaged, message);
        error.inner.layer = Some(layer);
        error
    }

    /// The archive needs a newer program, or a feature that this one lacks.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Kind::Unsupported, message).with_hint("use a newer tabark; this archive was not changed")
    }

    /// The caller asked for something that cannot be: an unknown table, a bad pattern, a target that exists.
    pub fn request(message: impl Into<String>) -> Self {
        Self::new(Kind::Request, message)
    }

    /// The database (source or target) refused or failed.
    pub fn database(message: impl Into<String>) -> Self {
        Self::new(Kind::Database, message)
    }

    /// What was restored is not what the snapshot holds.
    pub fn not_proven(message: impl Into<String>) -> Self {
        Self::new(Kind::NotProven, message)
    }

    /// The caller's observer asked to stop.
    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "interrupted; nothing was changed")
    }

    /// The operating system failed at what `doing` says.
    pub fn io(doing: impl fmt::Display, cause: std::io::Error) -> Self {
        let mut error = Self::new(Kind::Io, format!("{doing}: {cause}"));
        if cause.kind() == std::io::ErrorKind::StorageFull {
            error.inner.hint = Some("free space on that disk and run the command again".into());
        }
        error.inner.cause = Some(Box::new(cause));
        error
    }

    /// The same error, with the cause that `source()` gives.
    pub fn with_cause(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.inner.cause = Some(Box::new(cause));
        self
    }

    /// The same error, with more to say after its message.
    pub(crate) fn noting(mut self, note: impl fmt::Display) -> Self {
        self.inner.message = format!("{}; {note}", self.inner.message);
        self
    }

    /// A copy that tells the same, without the cause: one damaged frame is found in many places.
    pub(crate) fn copy(&self) -> Self {
        let inner = &self.inner;
        Self {
            inner: Box::new(Inner {
                kind: inner.kind,
                message: inner.message.clone(),
                table: inner.table.clone(),
                offset: inner.offset,
                layer: inner.layer,
                hint: inner.hint.clone(),
                cause: None,
            }),
        }
    }

    /// The same error, naming the table it concerns. A table that is already named stays.
    pub fn in_table(mut self, table: impl Into<String>) -> Self {
        self.inner.table.get_or_insert_with(|| table.into());
        self
    }

    /// The same error, with the absolute offset in the archive. An offset that is already known stays.
    pub fn at(mut self, offset: u64) -> Self {
        self.inner.offset.get_or_insert(offset);
        self
    }

    /// The same error, with advice on what to do next.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hint = Some(hint.into());
        self
    }

    /// Are bytes of the archive damaged (or is the file no archive at all)?
    pub fn is_damaged(&self) -> bool {
        self.inner.kind == Kind::Damaged
    }

    /// Does the archive need a newer program?
    pub fn is_unsupported(&self) -> bool {
        self.inner.kind == Kind::Unsupported
    }

    /// Did the operating system fail?
    pub fn is_io(&self) -> bool {
        self.inner.kind == Kind::Io
    }

    /// Did the caller ask for something that cannot be?
    pub fn is_request(&self) -> bool {
        self.inner.kind == Kind::Request
    }

    /// Did the source or target database refuse or fail?
    pub fn is_database(&self) -> bool {
        self.inner.kind == Kind::Database
    }

    /// Was a restored table found to differ from its snapshot?
    pub fn is_not_proven(&self) -> bool {
        self.inner.kind == Kind::NotProven
    }

    /// Did the caller's observer ask to stop?
    pub fn is_interrupted(&self) -> bool {
        self.inner.kind == Kind::Interrupted
    }

    /// The layer of the format that refused the bytes, for damage.
    pub fn layer(&self) -> Option<Layer> {
        self.inner.layer
    }

    /// The absolute offset in the archive, in bytes, where it is known.
    pub fn offset(&self) -> Option<u64> {
        self.inner.offset
    }

    /// The table concerned, where there is one.
    pub fn table(&self) -> Option<&str> {
        self.inner.table.as_deref()
    }

    /// What to do next, if the library knows.
    pub fn hint(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }

    /// The message alone, without place or hint.
    pub fn message(&self) -> &str {
        &self.inner.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inner.kind == Kind::Damaged {
            f.write_str("damaged archive: ")?;
        }
        f.write_str(&self.inner.message)?;
        let table = self.inner.table.as_deref().map(shortened);
        match (table, self.inner.offset) {
            (Some(table), Some(offset)) => write!(f, " (table \"{table}\", offset {offset})"),
            (Some(table), None) => write!(f, " (table \"{table}\")"),
            (None, Some(offset)) => write!(f, " (offset {offset})"),
            (None, None) => Ok(()),
        }
    }
}

/// A name in a message: hostile ones may have 64 KiB.
fn shortened(name: &str) -> String {
    const MOST: usize = 80;
    match name.char_indices().nth(MOST) {
        Some((cut, _)) => format!("{}…", name.get(..cut).unwrap_or_default()),
        None => name.to_owned(),
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.cause.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_table_and_offset_once() {
        let error =
            Error::damaged(Layer::Frame, "body digest differs").at(104).at(7).in_table("users").in_table("other");
        assert_eq!(error.to_string(), "damaged archive: body digest differs (table \"users\", offset 104)");
        assert!(error.is_damaged() && !error.is_io());
        assert_eq!(error.layer(), Some(Layer::Frame));
    }

    #[test]
    fn a_full_disk_says_what_to_do() {
        let error = Error::io("writing a.tabark", std::io::ErrorKind::StorageFull.into());
        assert!(error.is_io());
        assert!(error.hint().is_some_and(|hint| hint.contains("free space")));
    }
}
