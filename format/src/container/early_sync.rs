//! Has the disk write what was appended while more is made, so that the sync before a commit finds little left to do.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Appended bytes that are worth a sync of their own: some hundredths of a second of a disk, and of a dump much longer.
const WORTH_A_SYNC: u64 = 16 << 20;

/// Watches how much is appended to a file. Nothing rests on it: the sync before a commit makes all bytes durable, and is told
/// of all failures, because this one uses a descriptor of its own.
#[derive(Debug)]
pub(super) struct EarlySync {
    path: PathBuf,
    waiting: u64,
    is_busy: Arc<AtomicBool>,
}

impl EarlySync {
    pub(super) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), waiting: 0, is_busy: Arc::default() }
    }

    /// So many bytes were appended. One sync runs at a time, on a thread that nobody waits for.
    pub(super) fn appended(&mut self, bytes: usize) {
        self.waiting += bytes as u64;
        if self.waiting < WORTH_A_SYNC || self.is_busy.swap(true, Ordering::AcqRel) {
            return;
        }
        self.waiting = 0;
        let (path, is_busy) = (self.path.clone(), Arc::clone(&self.is_busy));
        let sync = move || {
            drop(File::open(path).and_then(|file| file.sync_data()));
            is_busy.store(false, Ordering::Release);
        };
        // Without a thread, all is written at the end.
        let _ = thread::Builder::new().name("tabark-sync".to_owned()).spawn(sync);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn syncs_begin_when_enough_waits_and_one_at_a_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut early = EarlySync::of(file.path());
        early.appended(1);
        assert!(early.waiting == 1 && !early.is_busy.load(Ordering::Acquire));
        early.is_busy.store(true, Ordering::Release);
        early.appended(20 << 20);
        assert_eq!(early.waiting, (20 << 20) + 1, "while another runs, bytes wait for the next");
        early.is_busy.store(false, Ordering::Release);
        early.appended(1);
        assert_eq!(early.waiting, 0);
        let end = Instant::now() + Duration::from_secs(60);
        while early.is_busy.load(Ordering::Acquire) {
            assert!(Instant::now() < end, "a sync ends");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_file_that_went_away_harms_nothing() {
        let mut early = EarlySync::of(Path::new("/no/such/folder/file"));
        early.appended(20 << 20);
        assert_eq!(early.waiting, 0);
    }
}
