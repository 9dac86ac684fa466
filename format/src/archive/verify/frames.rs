//! The first walk: from the archive header to the last commit, frame by frame, every stored byte.

use rayon::prelude::*;

use super::{Finding, VerifyReport};
use crate::archive::snapshots::SnapshotSummary;
use crate::container::layout::HEADER_LENGTH;
use crate::container::{Commit, ContainerReader, FrameHeader, FrameKind, Reference};
use crate::error::{Error, Layer, Result};
use crate::observer::{Observer, Phase, check_cancelled};

/// Frames, and bytes of frames, hashed before cancellation is asked.
const BATCH: usize = 1024;
const BATCH_BYTES: u64 = 64 << 20;

/// The frames of the chain, and which of them can be trusted.
#[derive(Debug, Default)]
pub(super) struct ChainFrames {
    /// Offsets of frames whose bytes are intact, ascending.
    intact: Vec<u64>,
    /// The commits, in order.
    commits: Vec<Commit>,
}

impl ChainFrames {
    /// Is there an intact frame of the chain at this offset?
    pub(super) fn holds(&self, offset: u64) -> bool {
        self.intact.binary_search(&offset).is_ok()
    }

    /// The number of the snapshot that the frame at this offset was written with.
    pub(super) fn writer_of(&self, offset: u64) -> Option<u64> {
        let next = self.commits.partition_point(|commit| commit.offset < offset);
        self.commits.get(next).map(|commit| commit.number)
    }

    /// What is wrong with what a list says of a snapshot, which history pages may have said: its commit says it first.
    pub(super) fn contradiction(&self, listed: &SnapshotSummary) -> Option<Error> {
        let commit = self.commits.iter().rfind(|commit| commit.number == listed.number)?;
        let agrees = commit.manifest == listed.manifest
            && commit.time == listed.time
            && commit.bytes_added == listed.bytes_added
            && (commit.tables, commit.rows) == (listed.tables, listed.rows);
        let why = || format!("the history and the commit of snapshot {} disagree", listed.number);
        (!agrees).then(|| Error::damaged(Layer::Commit, why()).at(commit.offset))
    }
}

/// Hashes all frames on all cores; reports the damaged ones, gaps, a broken chain of commits, and a tail.
pub(super) fn hash_all(
    container: &ContainerReader,
    report: &mut VerifyReport,
    observer: &dyn Observer,
) -> Result<ChainFrames> {
    observer.begin(Phase::Verify, None, None, Some(container.storage_length()));
    let mut walk =
        FrameWalk { container, report, observer, frames: ChainFrames::default(), commit: None, has_gaps: false };
    walk.report.bytes += HEADER_LENGTH as u64;
    let mut batch = Batch::read(container, HEADER_LENGTH as u64)?;
    while !batch.is_empty() {
        check_cancelled(observer)?;
        // Finding the frames that come next is a chain of page faults: it happens while these are hashed.
        let (results, next) = rayon::join(|| walk.hash(&batch), || Batch::read(container, batch.end));
        walk.judge(batch, results)?;
        batch = next?;
    }
    let reached = walk.commit.as_ref().map(|(reference, _)| reference.offset);
    if walk.has_gaps || reached != Some(container.last().commit.offset) {
        walk.check_chain()?;
    }
    let frames = walk.frames;
    report_tail(container, report);
    Ok(frames)
}

fn report_tail(container: &ContainerReader, report: &mut VerifyReport) {
    let tail = container.last().tail;
    if tail > 0 && container.has_writer() {
        report.being_written = true;
    } else if tail > 0 {
        let why = format!("{tail} bytes after the last commit belong to no snapshot");
        let hint = "an append that did not finish, or a damaged commit; the next dump into the archive cuts them off";
        let error = Error::damaged(Layer::Tail, why).at(container.last().end()).with_hint(hint);
        report.findings.push(Finding::new(error, None));
    }
}

/// Frames that follow one another, and what stands between them and is none.
struct Batch {
    frames: Vec<(u64, FrameHeader)>,
    gaps: Vec<Error>,
    /// Where the next batch begins.
    end: u64,
}

impl Batch {
    fn read(container: &ContainerReader, start: u64) -> Result<Self> {
        let end = container.last().end();
        let batch_end = end.min(start.saturating_add(BATCH_BYTES));
        let mut batch = Self { frames: Vec::new(), gaps: Vec::new(), end: start };
        while batch.end < batch_end && batch.frames.len() < BATCH {
            let offset = batch.end;
            match container.header_at(offset) {
                Ok(header) => {
                    batch.end = offset.saturating_add(header.frame_length().unwrap_or(u64::MAX));
                    batch.frames.push((offset, header));
                }
                Err(error) if error.is_damaged() || error.is_unsupported() => {
                    batch.end = container.next_frame_after(offset)?.unwrap_or(end).min(end);
                    let lost = format!("{} bytes cannot be read as frames", batch.end - offset);
                    batch.gaps.push(error.at(offset).noting(lost));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(batch)
    }

    fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.gaps.is_empty()
    }
}

struct FrameWalk<'w> {
    container: &'w ContainerReader,
    report: &'w mut VerifyReport,
    observer: &'w dyn Observer,
    frames: ChainFrames,
    /// The last commit that the walk met.
    commit: Option<(Reference, Commit)>,
    /// Was there anything that is no frame? Else a walk that reached the last commit shows that it stands on the chain.
    has_gaps: bool,
}

impl FrameWalk<'_> {
    fn hash(&self, batch: &Batch) -> Vec<Result<()>> {
        let (container, observer) = (self.container, self.observer);
        let hash = |(offset, header): &(u64, FrameHeader)| {
            let checked = container.check_body(*offset, header);
            let length = header.frame_length().unwrap_or(0);
            container.release(*offset, length);
            observer.advance(0, length);
            checked
        };
        batch.frames.par_iter().map(hash).collect()
    }

    fn judge(&mut self, batch: Batch, results: Vec<Result<()>>) -> Result<()> {
        self.has_gaps |= !batch.gaps.is_empty();
        self.report.findings.extend(batch.gaps.into_iter().map(|gap| Finding::new(gap, None)));
        for ((offset, header), result) in batch.frames.iter().zip(results) {
            self.report.frames += 1;
            self.report.bytes += header.frame_length().unwrap_or(0);
            let checked = result.and_then(|()| {
                self.frames.intact.push(*offset);
                self.frame(*offset, header)
            });
            match checked {
                Ok(()) => {}
                Err(error) if error.is_io() => return Err(error),
                Err(error) => self.report.findings.push(Finding::new(error.at(*offset), None)),
            }
        }
        Ok(())
    }

    /// Looks at the chain by itself, and says so if the last commit does not stand on it.
    fn check_chain(&mut self) -> Result<()> {
        match self.container.check_chain() {
            Ok(()) => Ok(()),
            Err(error) if error.is_io() => Err(error),
            Err(_) => {
                let error = Error::damaged(Layer::Commit, "the last commit does not stand on the chain of frames");
                let finding = Finding::new(error.at(self.container.last().commit.offset), None);
                self.report.findings.push(finding);
                Ok(())
            }
        }
    }

    /// Checks what can be said of one intact frame without following a reference.
    fn frame(&mut self, offset: u64, header: &FrameHeader) -> Result<()> {
        let base = self.commit.as_ref().map_or(0, |(reference, _)| reference.offset);
        if header.base != base {
            let why = format!("a frame's base is {}, and the commit before it stands at {base}", header.base);
            return Err(Error::damaged(Layer::Frame, why));
        }
        match header.known_kind() {
            Ok(FrameKind::Commit) => self.commit(offset, header),
            Ok(_) => Ok(()),
            Err(_) if header.version == 0 => Err(Error::damaged(Layer::Frame, "version 0 of a frame kind")),
            Err(_) if header.is_optional() => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn commit(&mut self, offset: u64, header: &FrameHeader) -> Result<()> {
        let length = header.frame_length().unwrap_or(u64::MAX);
        let reference = Reference { offset, length, digest: header.header_digest };
        let (commit, checked) = self.container.commit_of_chain(offset)?;
        self.frames.commits.push(commit);
        let previous = self.commit.replace((reference, commit));
        let refuse = |why: String| Err(Error::damaged(Layer::Commit, why));
        if commit.previous != previous.map(|(reference, _)| reference) {
            return refuse("a commit whose previous one is not the commit before it".into());
        }
        let previous_end = previous.and_then(|(reference, _)| reference.end()).unwrap_or(0);
        let added = (offset + length).saturating_sub(previous_end);
        if commit.bytes_added != added {
            return refuse(format!("a commit states {} bytes added, not {added}", commit.bytes_added));
        }
        if let Some((_, previous)) = &previous {
            commit.check_follows(previous)?;
        }
        checked
    }
}
