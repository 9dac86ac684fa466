//! The snapshots of an archive: the chain of commits for the newest, history pages for the rest (`spec/format.md` §4.4).

use super::manifest::{HistoryEntry, HistoryPage, SnapshotManifest};
use super::rules;
use crate::container::{Commit, ContainerReader, FrameKind, Reference};
use crate::error::{Error, Layer, Result};
use crate::limits::HISTORY_PAGE_ENTRIES;
use crate::wire;

/// Snapshots in a history page.
const PAGE: u64 = HISTORY_PAGE_ENTRIES as u64;

/// A snapshot as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotSummary {
    /// Snapshot number.
    pub number: u64,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// Tags, sorted by key.
    pub tags: Vec<(String, String)>,
    /// Number of tables.
    pub tables: u64,
    /// Sum of their rows.
    pub rows: u64,
    /// Bytes that the snapshot added to the file.
    pub bytes_added: u64,
    /// The snapshot manifest; its digest is the root.
    pub manifest: Reference,
}

impl SnapshotSummary {
    /// The digest that commits to every stored byte of the snapshot.
    pub fn root(&self) -> [u8; 32] {
        self.manifest.digest
    }

    fn of(entry: HistoryEntry) -> Self {
        let HistoryEntry { number, time, tags, tables, rows, bytes_added, manifest } = entry;
        Self { number, time, tags, tables, rows, bytes_added, manifest }
    }
}

/// Reads a snapshot manifest.
pub(super) fn read_manifest(container: &ContainerReader, reference: &Reference) -> Result<SnapshotManifest> {
    let body = container.body(reference, FrameKind::SnapshotManifest)?;
    let at = |error: Error| error.at(reference.offset);
    let manifest: SnapshotManifest = wire::decode(&body, "snapshot manifest").map_err(at)?;
    rules::damaged(rules::check_snapshot(&manifest), reference.offset)?;
    if manifest.catalog.end().is_none_or(|end| end > reference.offset) {
        return Err(Error::damaged(Layer::Reference, "a reference that does not lead backwards").at(reference.offset));
    }
    Ok(manifest)
}

/// The newest snapshot.
pub(super) fn newest(container: &ContainerReader) -> Result<SnapshotSummary> {
    summary(container, &container.last().commit)
}

fn summary(container: &ContainerReader, commit: &Commit) -> Result<SnapshotSummary> {
    entry(container, commit).map(SnapshotSummary::of)
}

/// What a history page says of a commit; the commit and its manifest must agree.
fn entry(container: &ContainerReader, commit: &Commit) -> Result<HistoryEntry> {
    if commit.manifest.end().is_none_or(|end| end > commit.offset) {
        return Err(Error::damaged(Layer::Reference, "a reference that does not lead backwards").at(commit.offset));
    }
    let manifest = read_manifest(container, &commit.manifest)?;
    if (manifest.number, manifest.time) != (commit.number, commit.time) {
        let why = "a commit and its snapshot manifest disagree on number or time";
        return Err(Error::damaged(Layer::Manifest, why).at(commit.manifest.offset));
    }
    if (manifest.tables, manifest.rows) != (commit.tables, commit.rows) {
        let why = "a commit and its snapshot manifest disagree on tables or rows";
        return Err(Error::damaged(Layer::Totals, why).at(commit.manifest.offset));
    }
    Ok(HistoryEntry {
        number: commit.number,
        time: commit.time,
        tags: manifest.tags,
        tables: commit.tables,
        rows: commit.rows,
        bytes_added: commit.bytes_added,
        manifest: commit.manifest,
    })
}

/// The snapshots of an archive that can be listed, and what is wrong with the others.
#[derive(Debug)]
#[non_exhaustive]
pub struct SnapshotList {
    /// Those that can be listed, oldest first.
    pub snapshots: Vec<SnapshotSummary>,
    /// Why others cannot; empty for an undamaged archive.
    pub damaged: Vec<Error>,
}

/// All snapshots, oldest first. One place is read per snapshot since the newest history page, and one per page. What cannot be
/// read is passed over as far as the chain of commits and pages goes on behind it.
pub(super) fn list(container: &ContainerReader) -> Result<SnapshotList> {
    let last = &container.last().commit;
    let mut damaged = Vec::new();
    let mut newest_first = Vec::new();
    let page = note(newest_page(container, last), &mut damaged)?.flatten();
    let covered = match (&page, last.history) {
        (Some((page, _)), _) => page.covered,
        // The newest page cannot be read: what it covers follows from the number of snapshots.
        (None, Some(_)) => (last.snapshots.saturating_sub(1)) / PAGE * PAGE,
        (None, None) => 0,
    };
    if let Some(commits) = note(Commits::since(container, covered), &mut damaged)? {
        for commit in commits {
            let listed = commit.and_then(|commit| entry(container, &commit));
            newest_first.extend(note(listed, &mut damaged)?);
        }
    }
    let mut next = page;
    while let Some((page, at)) = next {
        next = note(previous_page(container, &page, at), &mut damaged)?.flatten();
        newest_first.extend(page.entries.into_iter().rev());
    }
    let descends = newest_first.windows(2).all(|pair| matches!(pair, [a, b] if a.number > b.number));
    let complete = damaged.is_empty() && newest_first.len() as u64 != last.snapshots;
    if !descends || complete {
        let found = newest_first.len();
        let why = format!("{found} snapshots can be found of {}, or their numbers do not ascend", last.snapshots);
        damaged.push(Error::damaged(Layer::Commit, why).at(last.offset));
    }
    let snapshots = newest_first.into_iter().rev().map(SnapshotSummary::of).collect();
    Ok(SnapshotList { snapshots, damaged })
}

/// Notes damage and goes on without what is damaged; a medium that fails ends the listing.
fn note<T>(result: Result<T>, damaged: &mut Vec<Error>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_io() => Err(error),
        Err(error) => {
            damaged.push(error);
            Ok(None)
        }
    }
}

/// The history page that the next commit must be preceded by, if one is due.
pub(super) fn due_page(container: &ContainerReader) -> Result<Option<HistoryPage>> {
    let last = &container.last().commit;
    let covered = newest_page(container, last)?.map_or(0, |(page, _)| page.covered);
    if last.snapshots.saturating_sub(covered) < PAGE {
        return Ok(None);
    }
    let mut entries = Vec::with_capacity(HISTORY_PAGE_ENTRIES);
    for commit in Commits::since(container, covered)? {
        entries.push(entry(container, &commit?)?);
    }
    entries.reverse();
    Ok(Some(HistoryPage { previous: last.history, covered: last.snapshots, entries }))
}

fn newest_page(container: &ContainerReader, last: &Commit) -> Result<Option<(HistoryPage, u64)>> {
    let Some(reference) = &last.history else { return Ok(None) };
    read_page(container, reference, last.offset).map(|page| Some((page, reference.offset)))
}

fn previous_page(container: &ContainerReader, page: &HistoryPage, at: u64) -> Result<Option<(HistoryPage, u64)>> {
    let before = page.covered - page.entries.len() as u64;
    let Some(reference) = &page.previous else {
        return if before == 0 { Ok(None) } else { Err(wrong_count(at)) };
    };
    let previous = read_page(container, reference, at)?;
    if previous.covered == before { Ok(Some((previous, reference.offset))) } else { Err(wrong_count(at)) }
}

fn read_page(container: &ContainerReader, reference: &Reference, from: u64) -> Result<HistoryPage> {
    if reference.end().is_none_or(|end| end > from) {
        return Err(Error::damaged(Layer::Reference, "a reference that does not lead backwards").at(from));
    }
    let body = container.body(reference, FrameKind::HistoryPage)?;
    let page: HistoryPage = wire::decode(&body, "history page").map_err(|error| error.at(reference.offset))?;
    let count = page.entries.len();
    if count != HISTORY_PAGE_ENTRIES {
        let why = format!("a history page of {count} snapshots, not {HISTORY_PAGE_ENTRIES}");
        return Err(Error::damaged(Layer::Metadata, why).at(reference.offset));
    }
    if page.covered < count as u64 {
        return Err(wrong_count(reference.offset));
    }
    if !page.entries.windows(2).all(|pair| matches!(pair, [a, b] if a.number < b.number)) {
        let why = "snapshots of a history page whose numbers do not ascend";
        return Err(Error::damaged(Layer::Manifest, why).at(reference.offset));
    }
    for entry in &page.entries {
        rules::damaged(rules::check_tags(&entry.tags), reference.offset)?;
        if entry.manifest.end().is_none_or(|end| end > reference.offset) {
            let error = Error::damaged(Layer::Reference, "a reference that does not lead backwards");
            return Err(error.at(reference.offset));
        }
    }
    Ok(page)
}

fn wrong_count(at: u64) -> Error {
    Error::damaged(Layer::Commit, "a history page of a wrong number of snapshots").at(at)
}

/// Walks from the last commit backwards, as far as no history page covers.
struct Commits<'c> {
    container: &'c ContainerReader,
    next: Option<Reference>,
    left: u64,
    before: u64,
}

impl<'c> Commits<'c> {
    fn since(container: &'c ContainerReader, covered: u64) -> Result<Self> {
        let last = container.last();
        let left = last.commit.snapshots.checked_sub(covered);
        let left = left.filter(|left| (1..=PAGE).contains(left)).ok_or_else(|| {
            let error = Error::damaged(Layer::Commit, "history pages that cover too many or too few snapshots");
            error.at(last.commit.offset)
        })?;
        Ok(Self { container, next: Some(last.reference), left, before: last.end() })
    }
}

impl Iterator for Commits<'_> {
    type Item = Result<Commit>;

    fn next(&mut self) -> Option<Result<Commit>> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let result = match self.next.take() {
            Some(reference) if reference.end().is_some_and(|end| end <= self.before) => {
                self.before = reference.offset;
                self.container.commit(&reference)
            }
            Some(_) => {
                Err(Error::damaged(Layer::Reference, "a reference that does not lead backwards").at(self.before))
            }
            None => Err(Error::damaged(Layer::Commit, "the chain of commits ends too early").at(self.before)),
        };
        match &result {
            Ok(commit) => self.next = commit.previous,
            Err(_) => self.left = 0,
        }
        Some(result)
    }
}
