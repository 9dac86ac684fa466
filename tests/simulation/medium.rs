//! An archive in memory that is read while it is added to, and counts what is read of it.

use std::borrow::Cow;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use tabark::container::{ReadStorage, WriteStorage};

#[derive(Clone, Default)]
pub(crate) struct Medium(Arc<Inner>);

#[derive(Default)]
struct Inner {
    bytes: RwLock<Vec<u8>>,
    reads: AtomicU64,
    read: AtomicU64,
}

/// Reads and bytes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cost {
    pub(crate) reads: u64,
    pub(crate) bytes: u64,
}

impl Cost {
    /// The most of both.
    pub(crate) fn max(self, other: Self) -> Self {
        Self { reads: self.reads.max(other.reads), bytes: self.bytes.max(other.bytes) }
    }
}

impl Medium {
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Inner { bytes: RwLock::new(bytes), ..Inner::default() }))
    }

    /// What was read since the last call.
    pub(crate) fn cost(&self) -> Cost {
        Cost { reads: self.0.reads.swap(0, Ordering::Relaxed), bytes: self.0.read.swap(0, Ordering::Relaxed) }
    }

    pub(crate) fn bytes_so_far(&self) -> u64 {
        self.0.bytes.read().unwrap().len() as u64
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.bytes.read().unwrap().clone()
    }
}

impl ReadStorage for Medium {
    fn len(&self) -> u64 {
        self.0.bytes.read().unwrap().len() as u64
    }

    fn read(&self, offset: u64, length: usize) -> io::Result<Cow<'_, [u8]>> {
        self.0.reads.fetch_add(1, Ordering::Relaxed);
        self.0.read.fetch_add(length as u64, Ordering::Relaxed);
        self.0.bytes.read().unwrap().read(offset, length).map(|bytes| Cow::Owned(bytes.into_owned()))
    }
}

impl WriteStorage for Medium {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.bytes.write().unwrap().extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn publish(&mut self) -> tabark::Result<()> {
        Ok(())
    }

    fn abandon(&mut self) {}
}
