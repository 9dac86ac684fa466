//! The first walk: from the archive header to the last commit, frame by frame, every stored byte.

use rayon::prelude::*;

use super::{Finding, VerifyReport};
use crate::archive::snapshots::SnapshotSummary;
use crate::container::layout::HEADER_LENGTH;
use crate::container::{Commit, ContainerReader, FrameHeader, FrameKind, Reference};
use crate::error::{Error, Layer, Result};
use crate::observer::{Observer, Phase, check_cancelled};

/// Frames, and bytes of frames, hashed before cancellation is asked and memory given back.
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
    let end = container.last().end();
    observer.begin(Phase::Verify, None, None, Some(container.storage_length()));
    let mut walk = FrameWalk { container, report, observer, frames: ChainFrames::default(), commit: None };
    let mut offset = HEADER_LENGTH as u64;
    walk.report.bytes += offset;
    while offset < end {
        check_cancelled(observer)?;
        let mut batch: Vec<(u64, FrameHeader)> = Vec::with_capacity(BATCH);
        let batch_end = end.min(offset.saturating_add(BATCH_BYTES));
        while offset < batch_end && batch.len() < BATCH {
            match container.header_at(offset) {
                Ok(header) => {
                    batch.push((offset, header));
                    offset = offset.saturating_add(header.frame_length().unwrap_or(u64::MAX));
                }
                Err(error) if error.is_damaged() || error.is_unsupported() => {
                    let next = container.next_frame_after(offset)?.unwrap_or(end).min(end);
                    let lost = format!("{} bytes cannot be read as frames", next - offset);
                    walk.report.findings.push(Finding::new(error.at(offset).noting(lost), None));
                    offset = next;
                }
                Err(error) => return Err(error),
            }
        }
        walk.batch(&batch)?;
    }
    match container.check_chain() {
        Ok(()) => {}
        Err(error) if error.is_io() => return Err(error),
        Err(_) => {
            let error = Error::damaged(Layer::Commit, "the last commit does not stand on the chain of frames");
            walk.report.findings.push(Finding::new(error.at(container.last().commit.offset), None));
        }
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

struct FrameWalk<'w> {
    container: &'w ContainerReader,
    report: &'w mut VerifyReport,
    observer: &'w dyn Observer,
    frames: ChainFrames,
    /// The last commit that the walk met.
    commit: Option<(Reference, Commit)>,
}

impl FrameWalk<'_> {
    fn batch(&mut self, batch: &[(u64, FrameHeader)]) -> Result<()> {
        let (container, observer) = (self.container, self.observer);
        let results: Vec<Result<()>> = batch
            .par_iter()
            .map(|(offset, header)| {
                container.check_body(*offset, header)?;
                observer.advance(0, header.frame_length().unwrap_or(0));
                Ok(())
            })
            .collect();
        if let (Some((first, _)), Some((last, header))) = (batch.first(), batch.last()) {
            let end = last.saturating_add(header.frame_length().unwrap_or(0));
            container.release(*first, end.saturating_sub(*first));
        }
        for ((offset, header), result) in batch.iter().zip(results) {
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
