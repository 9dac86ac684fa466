//! Frames on their way into the file: some are still compressed on other threads, all are written in the order in which
//! they were added, so that the bytes do not depend on the threads.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::{Arc, OnceLock};

use super::pack::{Placed, SealedSlice};
use super::workers::{Ticket, Workers};
use crate::container::{ContainerWriter, WriteStorage};
use crate::error::{Error, Result};

/// Where a frame is, once it is written.
pub(super) type FramePlace = Arc<OnceLock<Placed>>;

/// The file, and the frames that wait for those before them.
pub(super) struct FrameQueue<S: WriteStorage> {
    container: ContainerWriter<S>,
    pub(super) workers: Workers,
    waiting: VecDeque<Waiting>,
    bytes: u64,
}

struct Waiting {
    frame: Frame,
    bytes: u64,
    place: FramePlace,
}

enum Frame {
    Sealed(SealedSlice),
    UnderWay(Ticket<Result<SealedSlice>>),
}

impl<S: WriteStorage> FrameQueue<S> {
    pub(super) fn new(container: ContainerWriter<S>, jobs: NonZero<usize>) -> Self {
        Self { container, workers: Workers::new(jobs), waiting: VecDeque::new(), bytes: 0 }
    }

    /// Adds a frame.
    pub(super) fn add(&mut self, frame: SealedSlice) -> Result<FramePlace> {
        let place = FramePlace::default();
        let bytes = frame.stored_length();
        self.push(Frame::Sealed(frame), bytes, Arc::clone(&place))?;
        Ok(place)
    }

    /// Adds a frame of about so many bytes that `seal` gives, on whatever thread; it will be at `place`.
    pub(super) fn add_unsealed(
        &mut self,
        bytes: u64,
        place: FramePlace,
        seal: impl FnOnce() -> Result<SealedSlice> + Send + 'static,
    ) -> Result<()> {
        let frame =
            if self.workers.is_alone() { Frame::Sealed(seal()?) } else { Frame::UnderWay(self.workers.hand_on(seal)) };
        self.push(frame, bytes, place)
    }

    fn push(&mut self, frame: Frame, bytes: u64, place: FramePlace) -> Result<()> {
        self.bytes += bytes;
        self.waiting.push_back(Waiting { frame, bytes, place });
        self.write_done()
    }

    /// Bytes of the frames that wait.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes the frames that are ready and for which none before them is waited.
    fn write_done(&mut self) -> Result<()> {
        let ready = |frame: &Frame| match frame {
            Frame::Sealed(_) => true,
            Frame::UnderWay(ticket) => ticket.is_done(),
        };
        while self.waiting.front().is_some_and(|first| ready(&first.frame)) {
            self.write_next()?;
        }
        Ok(())
    }

    /// Writes all frames; until they are ready, works on what is handed on.
    pub(super) fn write_all(&mut self) -> Result<()> {
        while !self.waiting.is_empty() {
            self.write_next()?;
        }
        Ok(())
    }

    fn write_next(&mut self) -> Result<()> {
        let Some(Waiting { frame, bytes, place }) = self.waiting.pop_front() else { return Ok(()) };
        self.bytes -= bytes;
        let frame = match frame {
            Frame::Sealed(frame) => frame,
            Frame::UnderWay(ticket) => self.workers.wait(ticket)?,
        };
        let placed = frame.write(&mut self.container)?;
        place.set(placed).map_err(|_| Error::request("two frames for one place"))
    }

    /// The file, for frames that others refer to by their offset. All frames before them must be written.
    pub(super) fn container(&mut self) -> Result<&mut ContainerWriter<S>> {
        self.write_all()?;
        Ok(&mut self.container)
    }

    /// The file, when there is nothing more to compress.
    pub(super) fn into_container(mut self) -> Result<ContainerWriter<S>> {
        self.write_all()?;
        Ok(self.container)
    }
}
