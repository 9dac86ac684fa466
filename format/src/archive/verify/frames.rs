//! The first walk: from the archive header to the last commit, frame by frame, every stored byte.

use rayon::prelude::*;

use super::{Finding, VerifyReport};
use crate::archive::erasures;
use crate::archive::snapshots::SnapshotSummary;
use crate::container::layout::HEADER_LENGTH;
use crate::container::{Commit, ContainerReader, FrameHeader, FrameKind, Reference};
use crate::error::{Error, Layer, Result};
use crate::observer::{Observer, Phase, check_cancelled};

/// Frames and gaps that are found and hashed before what was found is judged, in order.
const ROUND: usize = 16 << 10;

/// Headers that are kept for references to be held against, about 100 bytes each: those of some 30 GB of frames.
const KEPT_HEADERS: usize = 256 << 10;

/// The frames of the chain, and which of them can be trusted.
#[derive(Debug, Default)]
pub(super) struct ChainFrames {
    /// Offsets of frames whose bytes are intact, ascending.
    intact: Vec<u64>,
    /// Headers of the first of them, in the same order.
    headers: Vec<FrameHeader>,
    /// The commits, in order.
    commits: Vec<Commit>,
}

impl ChainFrames {
    /// Is there an intact frame of the chain at this offset?
    pub(super) fn holds(&self, offset: u64) -> bool {
        self.intact.binary_search(&offset).is_ok()
    }

    /// The header of the intact frame at this offset, if it was kept: it need not be read again.
    pub(super) fn header(&self, offset: u64) -> Option<&FrameHeader> {
        self.headers.get(self.intact.binary_search(&offset).ok()?)
    }

    fn add(&mut self, offset: u64, header: &FrameHeader) {
        if self.intact.len() < KEPT_HEADERS {
            self.headers.push(*header);
        }
        self.intact.push(offset);
    }

    /// The number of the snapshot that the frame at this offset was written with.
    pub(super) fn writer_of(&self, offset: u64) -> Option<u64> {
        let next = self.commits.partition_point(|commit| commit.offset < offset);
        self.commits.get(next).map(|commit| commit.number)
    }

    /// What is wrong with the erasure records that commits link to, each once.
    pub(super) fn wrong_erasures(&self, container: &ContainerReader) -> impl Iterator<Item = Error> {
        let mut before = None;
        let links = self.commits.iter().filter_map(move |commit| {
            let link = commit.erasures.filter(|link| before.replace(*link) != Some(*link))?;
            Some((link, commit.offset))
        });
        links.filter_map(|(link, commit)| {
            if !self.holds(link.offset) {
                return Some(
                    Error::damaged(Layer::Reference, "erasure records that are no intact frame of the chain")
                        .at(commit),
                );
            }
            erasures::read(container, &link, commit).err()
        })
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
    let mut chain = Chain { container, next: HEADER_LENGTH as u64 };
    loop {
        let round = walk.hash(&mut chain)?;
        if round.is_empty() {
            break;
        }
        walk.judge(round)?;
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

/// What stands at an offset.
enum Link {
    Frame(FrameHeader),
    /// Bytes that are no frame.
    Gap(Error),
}

/// Goes from frame to frame. Only the header is read; where there is none, the next one is looked for.
struct Chain<'c> {
    container: &'c ContainerReader,
    next: u64,
}

impl Chain<'_> {
    fn link(&mut self, offset: u64) -> Result<Link> {
        let end = self.container.last().end();
        match self.container.header_at(offset) {
            Ok(header) => {
                self.next = offset.saturating_add(header.frame_length().unwrap_or(u64::MAX));
                Ok(Link::Frame(header))
            }
            Err(error) if error.is_damaged() || error.is_unsupported() => {
                self.next = self.container.next_frame_after(offset)?.unwrap_or(end).min(end);
                let lost = format!("{} bytes cannot be read as frames", self.next - offset);
                Ok(Link::Gap(error.at(offset).noting(lost)))
            }
            Err(error) => Err(error),
        }
    }
}

impl Iterator for Chain<'_> {
    type Item = Result<(u64, Link)>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.next;
        let end = self.container.last().end();
        if offset >= end {
            return None;
        }
        // Where reading fails there is no going on.
        self.next = end;
        Some(self.link(offset).map(|link| (offset, link)))
    }
}

/// A place of the chain, what stands there, and whether a frame's body is intact.
type Hashed = (u64, Link, Result<()>);

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
    /// Hashes the frames that come next. Each core finds the next frame and hashes it, so that none waits for another to
    /// find many, and bytes come into memory about in the order they have in the file.
    fn hash(&self, chain: &mut Chain<'_>) -> Result<Vec<Hashed>> {
        let (container, observer) = (self.container, self.observer);
        let hash = |found: Result<(u64, Link)>| {
            let (offset, link) = found?;
            check_cancelled(observer)?;
            let Link::Frame(header) = &link else { return Ok((offset, link, Ok(()))) };
            let checked = match container.check_body(offset, header) {
                // Damage is a finding; a medium that fails ends the verification.
                Err(error) if error.is_io() => return Err(error),
                checked => checked,
            };
            let length = header.frame_length().unwrap_or(0);
            container.release(offset, length);
            observer.advance(0, length);
            Ok((offset, link, checked))
        };
        let mut hashed = chain.take(ROUND).par_bridge().map(hash).collect::<Result<Vec<Hashed>>>()?;
        hashed.sort_unstable_by_key(|(offset, ..)| *offset);
        Ok(hashed)
    }

    fn judge(&mut self, round: Vec<Hashed>) -> Result<()> {
        for (offset, link, checked) in round {
            let header = match link {
                Link::Frame(header) => header,
                Link::Gap(gap) => {
                    self.has_gaps = true;
                    self.report.findings.push(Finding::new(gap, None));
                    continue;
                }
            };
            self.report.frames += 1;
            self.report.bytes += header.frame_length().unwrap_or(0);
            let checked = checked.and_then(|()| {
                self.frames.add(offset, &header);
                self.frame(offset, &header)
            });
            match checked {
                Ok(()) => {}
                Err(error) if error.is_io() => return Err(error),
                Err(error) => self.report.findings.push(Finding::new(error.at(offset), None)),
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn headers_are_kept_up_to_a_bound_and_frames_beyond_it_are_still_held() {
        let mut header = FrameHeader {
            kind: FrameKind::Data.number(),
            version: FrameKind::VERSION,
            flags: 0,
            tag: [1; 8],
            base: 0,
            stored_length: 0,
            raw_length: 0,
            body_digest: [2; 32],
            header_digest: [3; 32],
        };
        let mut frames = ChainFrames::default();
        let frames_in_all = KEPT_HEADERS as u64 + 2;
        for number in 0..frames_in_all {
            header.stored_length = number;
            frames.add(100 * number, &header);
        }
        let last_kept = KEPT_HEADERS as u64 - 1;
        for number in [0, 1, last_kept] {
            assert_eq!(frames.header(100 * number).unwrap().stored_length, number);
        }
        assert_eq!(frames.header(50), None);
        for number in [last_kept + 1, frames_in_all - 1] {
            assert!(frames.holds(100 * number));
            assert_eq!(frames.header(100 * number), None);
        }
        assert!(!frames.holds(100 * frames_in_all));
    }
}
