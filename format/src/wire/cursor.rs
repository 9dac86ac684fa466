//! A bounded cursor over bytes that nobody has checked yet.

use crate::error::{Error, Layer, Result};

/// Reads little-endian fields one after another; running past the end is an error, never a panic.
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    length: usize,
    layer: Layer,
}

impl<'a> Cursor<'a> {
    /// Over these bytes; errors name `layer`.
    pub(crate) fn new(bytes: &'a [u8], layer: Layer) -> Self {
        Self { rest: bytes, length: bytes.len(), layer }
    }

    /// Bytes read so far.
    pub(crate) fn position(&self) -> usize {
        self.length - self.rest.len()
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| {
            let position = self.position();
            Error::damaged(self.layer, format!("{count} bytes needed at byte {position} of {}", self.length))
        })?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64> {
        self.array().map(i64::from_le_bytes)
    }

    /// Ends reading; bytes left over are an error.
    pub(crate) fn finish(self) -> Result<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(Error::damaged(self.layer, format!("{} bytes left over of {}", self.rest.len(), self.length)))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn reads_within_bounds_only() {
        let mut cursor = Cursor::new(&[1, 2, 0, 3, 0, 0, 0], Layer::Frame);
        assert_eq!(cursor.u8().unwrap(), 1);
        assert_eq!(cursor.u16().unwrap(), 2);
        assert_eq!(cursor.u32().unwrap(), 3);
        assert!(cursor.u8().unwrap_err().is_damaged());
        cursor.finish().unwrap();
    }

    #[test]
    fn left_over_bytes_are_refused() {
        let mut cursor = Cursor::new(&[0, 0, 1], Layer::Commit);
        cursor.take(2).unwrap();
        assert!(cursor.finish().unwrap_err().to_string().contains("1 bytes left over"));
    }
}
