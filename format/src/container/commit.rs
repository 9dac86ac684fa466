//! Commits: the fixed-size record that makes a snapshot exist. It is the last frame of an undamaged archive.

use super::frame::{FrameHeader, FrameKind};
use super::layout::{
    COMMIT_BODY_LENGTH, COMMIT_FRAME_LENGTH, FRAME_HEADER_LENGTH, KNOWN_READER_FEATURES, KNOWN_WRITER_FEATURES,
};
use super::reference::Reference;
use crate::error::{Error, Layer, Result};
use crate::limits::HISTORY_PAGE_ENTRIES;
use crate::wire::Cursor;

/// A commit whose digests are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// Snapshot number; 1 for the first, ascending.
    pub number: u64,
    /// Time of the snapshot in microseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// Offset of the commit frame.
    pub offset: u64,
    /// Bits that a reader must know.
    pub reader_features: u64,
    /// Bits that a writer must know.
    pub writer_features: u64,
    /// Tables in the snapshot.
    pub tables: u64,
    /// Rows in the snapshot.
    pub rows: u64,
    /// Bytes that the snapshot added to the file.
    pub bytes_added: u64,
    /// The snapshot manifest.
    pub manifest: Reference,
    /// The commit before.
    pub previous: Option<Reference>,
    /// The newest history page.
    pub history: Option<Reference>,
    /// Snapshots in the archive, this one included.
    pub snapshots: u64,
    /// The erasure records.
    pub erasures: Option<ErasuresLink>,
}

/// Where the frame of the erasure records begins, and the digest of its header, which says how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasuresLink {
    /// Offset of the frame header in the file, in bytes.
    pub offset: u64,
    /// Header digest.
    pub digest: [u8; 32],
}

impl ErasuresLink {
    /// The link to a frame that was written.
    pub(crate) fn to(frame: &Reference) -> Self {
        Self { offset: frame.offset, digest: frame.digest }
    }

    fn decode(cursor: &mut Cursor<'_>) -> Result<Option<Self>> {
        let link = Self { offset: cursor.u64()?, digest: cursor.array()? };
        let nothing = Self { offset: 0, digest: [0; 32] };
        Ok((link != nothing).then_some(link))
    }
}

impl Commit {
    /// The body's bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(COMMIT_BODY_LENGTH);
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.time.to_le_bytes());
        for field in [self.offset, self.reader_features, self.writer_features, self.tables, self.rows, self.bytes_added]
        {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(&Reference::encode(Some(&self.manifest)));
        bytes.extend_from_slice(&Reference::encode(self.previous.as_ref()));
        bytes.extend_from_slice(&Reference::encode(self.history.as_ref()));
        bytes.extend_from_slice(&self.snapshots.to_le_bytes());
        bytes.extend_from_slice(&self.erasures.map_or(0, |link| link.offset).to_le_bytes());
        bytes.extend_from_slice(&self.erasures.map_or([0; 32], |link| link.digest));
        bytes
    }

    /// Reads a valid commit frame that begins at `offset`, of which `bytes` are the bytes (more may follow).
    ///
    /// Valid means that its digests are right and it stands where it says; what it says is looked at by
    /// [`CommitFrame::check`], so that a commit which says something wrong is not taken for none.
    pub(crate) fn decode(bytes: &[u8], offset: u64, tag: [u8; 8]) -> Result<CommitFrame> {
        let refuse = |why: &str| Error::damaged(Layer::Commit, why).at(offset);
        let header = FrameHeader::decode(bytes, tag).map_err(|error| error.at(offset))?;
        if header.kind == FrameKind::Commit.number() && header.version == 0 {
            return Err(refuse("a commit of version 0"));
        }
        if header.known_kind()? != FrameKind::Commit {
            return Err(refuse("not a commit"));
        }
        if header.stored_length != COMMIT_BODY_LENGTH as u64 || header.flags != 0 {
            return Err(refuse("a commit of another length, or with flags"));
        }
        let mut frame = Cursor::new(bytes, Layer::Commit);
        frame.take(FRAME_HEADER_LENGTH)?;
        let body = frame.take(COMMIT_BODY_LENGTH)?;
        if *blake3::hash(body).as_bytes() != header.body_digest {
            return Err(refuse("a commit differs from its digest"));
        }
        let mut cursor = Cursor::new(body, Layer::Commit);
        let mut manifest_is_nothing = false;
        let commit = Self {
            number: cursor.u64()?,
            time: cursor.i64()?,
            offset: cursor.u64()?,
            reader_features: cursor.u64()?,
            writer_features: cursor.u64()?,
            tables: cursor.u64()?,
            rows: cursor.u64()?,
            bytes_added: cursor.u64()?,
            manifest: Reference::decode(&mut cursor)?.unwrap_or_else(|| {
                manifest_is_nothing = true;
                Reference::NOTHING
            }),
            previous: Reference::decode(&mut cursor)?,
            history: Reference::decode(&mut cursor)?,
            snapshots: cursor.u64()?,
            erasures: ErasuresLink::decode(&mut cursor)?,
        };
        cursor.finish()?;
        if commit.offset != offset {
            return Err(refuse("a commit that belongs at another offset"));
        }
        Ok(CommitFrame { commit, header, manifest_is_nothing })
    }

    fn check(&self, header: &FrameHeader) -> Result<()> {
        let refuse = |why: String| Err(Error::damaged(Layer::Commit, why).at(self.offset));
        if self.number == 0 || self.snapshots == 0 || self.snapshots > self.number {
            return refuse(format!("snapshot number {} of {} snapshots", self.number, self.snapshots));
        }
        if header.base != self.previous.map_or(0, |previous| previous.offset) {
            return refuse("a commit whose base is not the commit before it".into());
        }
        if self.previous.is_none() != (self.snapshots == 1) {
            return refuse(format!("{} snapshots and a wrong link to the commit before", self.snapshots));
        }
        Ok(())
    }

    /// Checks that a commit is the next one after `previous`.
    pub(crate) fn check_follows(&self, previous: &Self) -> Result<()> {
        let keeps = |now: u64, before: u64| now & before == before;
        if !keeps(self.reader_features, previous.reader_features)
            || !keeps(self.writer_features, previous.writer_features)
        {
            let why = "a commit lacks a feature that the commit before it has";
            return Err(Error::damaged(Layer::Commit, why).at(self.offset));
        }
        let keeps_erasures = match (previous.erasures, self.erasures) {
            (None, _) => true,
            (Some(before), Some(now)) => before == now || before.offset < now.offset,
            (Some(_), None) => false,
        };
        if !keeps_erasures {
            let why = "a commit lacks the erasure records that the commit before it has";
            return Err(Error::damaged(Layer::Commit, why).at(self.offset));
        }
        // A page is due when 64 snapshots stand in none; else the newest page stays the newest.
        let page_due = self.snapshots.wrapping_sub(1).is_multiple_of(HISTORY_PAGE_ENTRIES as u64);
        let has_new_page = self.history.is_some() && self.history != previous.history;
        if page_due != has_new_page || (!page_due && self.history != previous.history) {
            let why = "a commit that does not refer to the newest history page";
            return Err(Error::damaged(Layer::Commit, why).at(self.offset));
        }
        if self.number > previous.number && self.snapshots == previous.snapshots.wrapping_add(1) {
            return Ok(());
        }
        let why = format!(
            "snapshot {} (of {}) follows snapshot {} (of {})",
            self.number, self.snapshots, previous.number, previous.snapshots
        );
        Err(Error::damaged(Layer::Commit, why).at(self.offset))
    }

    /// Fails if a reader must know something that this library does not.
    pub(crate) fn check_reader_features(&self) -> Result<()> {
        check_features(self.reader_features, KNOWN_READER_FEATURES, "read")
    }

    /// Fails if a writer must know something that this library does not.
    pub(crate) fn check_writer_features(&self) -> Result<()> {
        self.check_reader_features()?;
        check_features(self.writer_features, KNOWN_WRITER_FEATURES, "add to")
    }
}

/// A valid commit frame, whose commit has yet to be checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommitFrame {
    commit: Commit,
    header: FrameHeader,
    manifest_is_nothing: bool,
}

impl CommitFrame {
    /// The reference that leads to it.
    pub(crate) fn reference(&self) -> Reference {
        let length = COMMIT_FRAME_LENGTH as u64;
        Reference { offset: self.commit.offset, length, digest: self.header.header_digest }
    }

    /// Bytes of the file that the commit closes, as far as nobody has checked it yet.
    pub(crate) fn end(&self) -> u64 {
        self.commit.offset.saturating_add(COMMIT_FRAME_LENGTH as u64)
    }

    /// The commit as it stands.
    pub(crate) fn unchecked(&self) -> Commit {
        self.commit
    }

    /// The commit, if a reader of this version can make sense of it.
    pub(crate) fn check(&self) -> Result<Commit> {
        self.commit.check_reader_features()?;
        let refuse = |why: &str| Err(Error::damaged(Layer::Commit, why).at(self.commit.offset));
        if self.manifest_is_nothing {
            return refuse("a commit without a manifest");
        }
        self.commit.check(&self.header)?;
        Ok(self.commit)
    }
}

fn check_features(features: u64, known: u64, verb: &str) -> Result<()> {
    match features & !known {
        0 => Ok(()),
        unknown => Err(Error::unsupported(format!(
            "the archive has features {unknown:#x}, which this program does not know and must, to {verb} it"
        ))),
    }
}
