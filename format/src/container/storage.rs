//! What the container asks of a medium. Small, so that tests can count, fail and tear every operation.

use std::borrow::Cow;
use std::io;

use crate::error::Result;

/// A medium to read an archive from. Its bytes up to the end of the last commit do not change while it is open; those
/// behind may go away, and reading them then fails.
pub trait ReadStorage: Send + Sync {
    /// Bytes there are.
    fn len(&self) -> u64;

    /// Is there nothing?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Exactly `length` bytes from `offset`; an error of kind `UnexpectedEof` if they are not all there.
    fn read(&self, offset: u64, length: usize) -> io::Result<Cow<'_, [u8]>>;

    /// Says that the bytes before `end` are committed: they will not change or go away while the medium is open.
    fn settle(&self, end: u64) {
        let _ = end;
    }

    /// Is a writer adding to the archive at this moment? Then bytes behind the last commit are nothing to wonder at.
    fn has_writer(&self) -> bool {
        false
    }

    /// Says that these bytes will hardly be read again soon. They can still be read; a medium that holds memory for them
    /// may give it back.
    fn release(&self, offset: u64, length: u64) {
        let _ = (offset, length);
    }
}

/// A medium to append an archive's bytes to.
///
/// Nothing becomes visible or durable before [`WriteStorage::publish`] returns.
pub trait WriteStorage {
    /// Adds bytes at the end.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes all bytes so far durable.
    fn sync(&mut self) -> io::Result<()>;

    /// Makes the archive visible under its name, durably. Called once, after the last `append` and `sync`.
    fn publish(&mut self) -> Result<()>;

    /// Takes back everything appended since opening. Called instead of `publish`, and must not fail loudly.
    fn abandon(&mut self);
}

impl ReadStorage for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn read(&self, offset: u64, length: usize) -> io::Result<Cow<'_, [u8]>> {
        slice(self, offset, length).map(Cow::Borrowed)
    }
}

/// The bytes asked for, if they are all there.
pub(super) fn slice(bytes: &[u8], offset: u64, length: usize) -> io::Result<&[u8]> {
    usize::try_from(offset)
        .ok()
        .and_then(|start| bytes.get(start..start.checked_add(length)?))
        .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// An archive in memory; `abandon` cuts it back to what it was at the last `publish`.
#[derive(Debug, Default, Clone)]
pub struct Memory {
    /// The archive's bytes.
    pub bytes: Vec<u8>,
    published: usize,
}

impl Memory {
    /// Starts from these bytes, for appending.
    pub fn new(bytes: Vec<u8>) -> Self {
        let published = bytes.len();
        Self { bytes, published }
    }
}

impl WriteStorage for Memory {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn publish(&mut self) -> Result<()> {
        self.published = self.bytes.len();
        Ok(())
    }

    fn abandon(&mut self) {
        self.bytes.truncate(self.published);
    }
}

impl<S: WriteStorage + ?Sized> WriteStorage for &mut S {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        (**self).append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        (**self).sync()
    }

    fn publish(&mut self) -> Result<()> {
        (**self).publish()
    }

    fn abandon(&mut self) {
        (**self).abandon();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_past_the_end_are_refused() {
        let bytes = vec![1_u8, 2, 3];
        assert_eq!(ReadStorage::read(&bytes, 1, 2).ok().as_deref(), Some(&[2_u8, 3][..]));
        assert!(ReadStorage::read(&bytes, 1, 3).is_err());
        assert!(ReadStorage::read(&bytes, u64::MAX, 1).is_err());
        assert!(ReadStorage::read(&bytes, 3, usize::MAX).is_err());
    }
}
