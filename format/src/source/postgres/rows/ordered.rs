//! Pieces of work that several threads do and one thread takes in order, in bounded memory.
//!
//! A table is read in ranges of its rows. Threads take ranges in their order; what they receive waits until it is the range's
//! turn. The range whose turn it is may always go on, so nothing waits for ever; the others stop when what waits is too much.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// Bytes that may wait for their turn. A range that is nobody's turn yet stops above it.
const WAITING_BYTES: usize = 32 << 20;

/// Bytes that the range whose turn it is may be ahead of who takes them: enough for the server to go on while the taker
/// encodes what it has.
const AHEAD_BYTES: usize = 16 << 20;

/// Pieces that are kept for their room, and the most bytes of one: what held a long row is let go.
const SPARE_PIECES: usize = 16;
const LARGEST_SPARE: usize = 1 << 20;

/// Where threads and the taker meet.
pub(super) struct Ordered {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Ranges there are, and the first that no thread has taken.
    ranges: usize,
    next: usize,
    /// The range whose turn it is.
    turn: usize,
    waiting: BTreeMap<usize, Range>,
    bytes: usize,
    /// Pieces that were taken, of which the room is used again.
    spare: Vec<Vec<u8>>,
    failed: Option<Error>,
    /// Nobody takes any more.
    stopped: bool,
}

#[derive(Default)]
struct Range {
    pieces: VecDeque<Vec<u8>>,
    bytes: usize,
    ended: bool,
}

/// What the taker finds.
pub(super) enum Taken {
    /// Bytes of the range whose turn it is.
    Piece,
    /// That range has no more; the turn is the next one's.
    RangeEnds,
    /// All ranges have been taken.
    End,
}

impl Ordered {
    pub(super) const fn new(ranges: usize) -> Self {
        let state = State {
            ranges,
            next: 0,
            turn: 0,
            waiting: BTreeMap::new(),
            bytes: 0,
            spare: Vec::new(),
            failed: None,
            stopped: false,
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// A thread that panicked has left numbers that are right: each change is made in one go.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, guard: MutexGuard<'g, State>) -> MutexGuard<'g, State> {
        self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// The next range for a thread to read; `None` when there is none, or nobody wants it.
    pub(super) fn next_range(&self) -> Option<usize> {
        let mut state = self.lock();
        if state.stopped || state.failed.is_some() || state.next == state.ranges {
            return None;
        }
        state.next += 1;
        Some(state.next - 1)
    }

    /// Hands over bytes of a range, when there is room for them, and leaves others in their place that nobody wants any more.
    /// Fails (`is_interrupted`) when nobody wants any.
    pub(super) fn give(&self, range: usize, piece: &mut Vec<u8>) -> Result<()> {
        let mut state = self.lock();
        loop {
            if state.stopped || state.failed.is_some() {
                return Err(Error::interrupted());
            }
            let ahead = state.waiting.get(&range).map_or(0, |range| range.bytes);
            let room = if range == state.turn { ahead < AHEAD_BYTES } else { state.bytes < WAITING_BYTES };
            if room {
                break;
            }
            state = self.wait(state);
        }
        let length = piece.len();
        let spare = state.spare.pop().unwrap_or_default();
        let waiting = state.waiting.entry(range).or_default();
        waiting.pieces.push_back(std::mem::replace(piece, spare));
        waiting.bytes += length;
        state.bytes += length;
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// A range was read to its end.
    pub(super) fn end(&self, range: usize) {
        self.lock().waiting.entry(range).or_default().ended = true;
        self.changed.notify_all();
    }

    /// A range cannot be read. What was told first stands.
    pub(super) fn fail(&self, error: Error) {
        self.lock().failed.get_or_insert(error);
        self.changed.notify_all();
    }

    /// Nobody takes any more: threads that wait go on and find out.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// The next bytes in order, in the place of those that are in `piece` and done with.
    pub(super) fn take(&self, piece: &mut Vec<u8>) -> Result<Taken> {
        let mut state = self.lock();
        loop {
            if let Some(error) = state.failed.take() {
                state.stopped = true;
                self.changed.notify_all();
                return Err(error);
            }
            if state.turn == state.ranges {
                return Ok(Taken::End);
            }
            let turn = state.turn;
            if let Some(range) = state.waiting.get_mut(&turn) {
                if let Some(next) = range.pieces.pop_front() {
                    range.bytes -= next.len();
                    state.bytes -= next.len();
                    let spare = std::mem::replace(piece, next);
                    if state.spare.len() < SPARE_PIECES && spare.capacity() <= LARGEST_SPARE {
                        state.spare.push(spare);
                    }
                    drop(state);
                    self.changed.notify_all();
                    return Ok(Taken::Piece);
                }
                if range.ended {
                    state.waiting.remove(&turn);
                    state.turn += 1;
                    drop(state);
                    self.changed.notify_all();
                    return Ok(Taken::RangeEnds);
                }
            }
            state = self.wait(state);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    fn read_all(ordered: &Ordered) -> Result<Vec<Vec<u8>>> {
        let (mut ranges, mut range, mut piece) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            match ordered.take(&mut piece)? {
                Taken::Piece => range.extend(&piece),
                Taken::RangeEnds => ranges.push(std::mem::take(&mut range)),
                Taken::End => return Ok(ranges),
            }
        }
    }

    #[test]
    fn ranges_come_in_order_whoever_reads_them() {
        for threads in [1, 2, 5] {
            let ordered = Ordered::new(20);
            let got = thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        while let Some(range) = ordered.next_range() {
                            for piece in 0..range % 4 {
                                ordered.give(range, &mut vec![u8::try_from(range + piece).unwrap(); 1 << 20]).unwrap();
                            }
                            ordered.end(range);
                        }
                    });
                }
                read_all(&ordered).unwrap()
            });
            assert_eq!(got.len(), 20);
            for (range, bytes) in got.iter().enumerate() {
                assert_eq!(bytes.len(), (range % 4) << 20);
                assert!(
                    bytes
                        .chunks(1 << 20)
                        .enumerate()
                        .all(|(piece, bytes)| bytes.first().copied().map(usize::from) == Some(range + piece))
                );
            }
        }
    }

    #[test]
    fn what_waits_is_bounded() {
        let ordered = Ordered::new(2);
        let given = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(ordered.next_range(), Some(0));
                assert_eq!(ordered.next_range(), Some(1));
                while ordered.give(1, &mut vec![0; 1 << 20]).is_ok() {
                    given.fetch_add(1, Ordering::SeqCst);
                }
            });
            while given.load(Ordering::SeqCst) < WAITING_BYTES >> 20 {
                thread::yield_now();
            }
            thread::sleep(std::time::Duration::from_millis(20));
            assert_eq!(given.load(Ordering::SeqCst), WAITING_BYTES >> 20);
            ordered.stop();
        });
    }

    #[test]
    fn a_failure_reaches_the_taker_and_ends_the_others() {
        let ordered = Ordered::new(2);
        ordered.next_range().unwrap();
        ordered.fail(Error::database("gone"));
        assert!(ordered.next_range().is_none());
        assert!(ordered.give(0, &mut b"x".to_vec()).unwrap_err().is_interrupted());
        assert!(read_all(&ordered).unwrap_err().is_database());
        assert!(ordered.give(0, &mut b"x".to_vec()).unwrap_err().is_interrupted());
    }
}
