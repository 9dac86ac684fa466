//! Writing archives: a snapshot is begun, its tables are filled, and it is committed or was never there.
//!
//! The caller's thread makes row groups of the rows it reads, and hands them on to be encoded, hashed and compressed
//! ([`InFlight`]); it takes them back in their order and packs their blocks into frames, of which shared ones are compressed on
//! other threads again and all are written in order ([`super::frame_queue`]). What is where in the file is decided on one thread.

use std::collections::HashSet;
use std::num::NonZero;
use std::sync::Arc;

use super::block_writer::PreparedBlock;
use super::erasures::{self, ErasureRecord};
use super::fingerprint::snapshot_fingerprint;
use super::frame_queue::FrameQueue;
use super::in_flight::InFlight;
use super::manifest::{
    Catalog, HistoryPage, Label, SliceReference, SnapshotManifest, TableEntry, TableManifest, label,
};
use super::pack::{Packer, Place, Sealing};
use super::parent::Parent;
use super::reader::Archive;
use super::rules;
use super::snapshots;
use super::table_writer::{GroupHead, Output, TableState};
use super::workers::Workers;
use crate::container::{
    ArchiveHeader, Commit, ContainerWriter, ErasuresLink, FrameKind, Reference, SealedFrame, WriteStorage,
};
use crate::encoding::Profile;
use crate::error::{Error, Result};
use crate::history::boundaries::RowGrouper;
use crate::limits::MAX_PAGE_DEPTH;
use crate::model::{Cell, Filter, Omission, RowGroup, RowSink, SchemaObject, SourceDescription, TableSchema};
use crate::wire;

mod rewriting;

/// How an archive is written. None of this changes what is read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WriterOptions {
    /// How much work goes into making the archive small.
    pub profile: Profile,
    /// Zstandard's level, 1 to 22; the profile's where absent.
    pub level: Option<i32>,
    /// The id of a new archive; random where absent. Archives that are written anew keep theirs, and tests choose it.
    pub archive_id: Option<[u8; 16]>,
    /// Threads at work, the caller's included; as many as there are cores where absent. The bytes do not depend on it.
    pub jobs: Option<NonZero<usize>>,
}

impl WriterOptions {
    /// With this profile.
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// With this compression level, 1 to 22.
    pub fn with_level(mut self, level: i32) -> Self {
        self.level = Some(level);
        self
    }

    /// With this id for a new archive.
    pub fn with_archive_id(mut self, id: [u8; 16]) -> Self {
        self.archive_id = Some(id);
        self
    }

    /// With so many threads.
    pub fn with_jobs(mut self, jobs: NonZero<usize>) -> Self {
        self.jobs = Some(jobs);
        self
    }
}

/// What a snapshot says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotHeader {
    /// Its instant, in microseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// Tags, sorted by key, keys unique.
    pub tags: Vec<(String, String)>,
    /// Where the rows come from.
    pub source: SourceDescription,
    /// Program and version that writes.
    pub writer: String,
    /// What the source has and the snapshot has not.
    pub omitted: Vec<Omission>,
}

/// A snapshot that exists from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommitSummary {
    /// Its number.
    pub number: u64,
    /// Its root.
    pub root: [u8; 32],
    /// Its fingerprint.
    pub fingerprint: [u8; 32],
    /// Its tables.
    pub tables: u64,
    /// Their rows.
    pub rows: u64,
    /// Bytes of their cells in canonical form.
    pub logical_bytes: u64,
    /// Bytes that the archive grew by.
    pub bytes_added: u64,
}

/// An archive that a snapshot can be added to.
pub struct ArchiveWriter<S: WriteStorage> {
    container: ContainerWriter<S>,
    options: WriterOptions,
    previous: Option<Previous>,
    /// The archive as it is, to lay new rows beside those of its newest snapshot.
    archive: Option<Arc<Archive>>,
}

/// What a new snapshot follows.
struct Previous {
    commit: Commit,
    reference: Reference,
    end: u64,
    history: Option<Reference>,
    due_page: Option<HistoryPage>,
}

impl<S: WriteStorage> ArchiveWriter<S> {
    /// Starts a new archive on an empty medium.
    pub fn create(storage: S, options: WriterOptions) -> Result<Self> {
        let id = match options.archive_id {
            Some(id) => id,
            None => random()?,
        };
        let container = ContainerWriter::create(storage, &ArchiveHeader { id })?;
        Ok(Self { container, options, previous: None, archive: None })
    }

    /// Continues an archive. `archive` was read under the writer's lock; `storage` stands behind its last commit.
    ///
    /// What a table shares with the newest snapshot is not written again: blocks, pages and tables that are the same are
    /// referred to, after their bytes were checked, and of those that differ little the changes are written.
    pub fn append(storage: S, archive: Arc<Archive>, options: WriterOptions) -> Result<Self> {
        let container = archive.container();
        let last = container.last();
        last.commit.check_writer_features()?;
        let previous = Previous {
            commit: last.commit,
            reference: last.reference,
            end: last.end(),
            history: last.commit.history,
            due_page: snapshots::due_page(container)?,
        };
        let container = ContainerWriter::resume(storage, container.header(), last.reference, last.end());
        Ok(Self { container, options, previous: Some(previous), archive: Some(archive) })
    }

    /// Begins a snapshot.
    pub fn begin_snapshot(self, header: SnapshotHeader) -> Result<SnapshotWriter<S>> {
        let number = match &self.previous {
            Some(previous) => {
                previous.commit.number.checked_add(1).ok_or_else(|| Error::request("snapshot numbers are used up"))?
            }
            None => 1,
        };
        self.begin(number, header)
    }

    fn begin(self, number: u64, header: SnapshotHeader) -> Result<SnapshotWriter<S>> {
        let level = self.options.level.unwrap_or(self.options.profile.level());
        if !(1..=22).contains(&level) {
            return Err(Error::request(format!("compression level {level}; it goes from 1 to 22")));
        }
        rules::refused(rules::check_tags(&header.tags))?;
        let parent = self.archive.and_then(Parent::of);
        let jobs = self.options.jobs.unwrap_or_else(Workers::cores);
        let data = Sealing { kind: FrameKind::Data, snapshot: number, level };
        let metadata = Sealing { kind: FrameKind::TableMetadata, ..data };
        Ok(SnapshotWriter {
            out: Output {
                frames: FrameQueue::new(self.container, jobs),
                data: Packer::new(data),
                metadata: Packer::new(metadata),
            },
            profile: self.options.profile,
            sealing: data,
            previous: self.previous,
            parent,
            header,
            tables: Vec::new(),
            kept: Vec::new(),
            names: HashSet::new(),
            in_flight: InFlight::new(),
            objects: Vec::new(),
            has_failed: false,
        })
    }
}

/// A snapshot in the making. Dropping it commits nothing, and takes back what was written.
pub struct SnapshotWriter<S: WriteStorage> {
    out: Output<S>,
    profile: Profile,
    /// How frames of blocks are sealed.
    sealing: Sealing,
    previous: Option<Previous>,
    parent: Option<Arc<Parent>>,
    header: SnapshotHeader,
    /// All that were begun, also those that were given up: row groups of theirs may still be under way.
    tables: Vec<TableInWriting>,
    /// Those that were taken from the parent, and their logical bytes.
    kept: Vec<(TableEntry, u64)>,
    /// Names of those that were finished.
    names: HashSet<String>,
    in_flight: InFlight<(usize, GroupHead), Result<PreparedBlock>>,
    objects: Vec<SchemaObject>,
    /// After an error what was written is not whole, and cannot be committed.
    has_failed: bool,
}

struct TableInWriting {
    state: TableState,
    is_finished: bool,
}

impl<S: WriteStorage> SnapshotWriter<S> {
    /// Begins a table. Its rows come in the order of its key.
    pub fn begin_table(&mut self, schema: &TableSchema) -> Result<TableWriter<'_, S>> {
        self.begin_part(schema, &[])
    }

    /// Begins a table of which only the rows come that these rules keep. It is for the caller to leave the others out.
    pub fn begin_part(&mut self, schema: &TableSchema, filters: &[Filter]) -> Result<TableWriter<'_, S>> {
        rules::refused(rules::check_schema(schema)).map_err(|error| error.in_table(&schema.name))?;
        rules::refused(rules::check_filters(schema, filters)).map_err(|error| error.in_table(&schema.name))?;
        if self.names.contains(&schema.name) {
            return Err(Error::request("two tables of one name").in_table(&schema.name));
        }
        let number = self.tables.len();
        let parent = self.parent.as_ref().and_then(|parent| parent.table(schema));
        self.tables.push(TableInWriting {
            state: TableState::new(schema.clone(), filters.to_vec(), self.profile, parent),
            is_finished: false,
        });
        Ok(TableWriter { number, grouper: RowGrouper::new(schema), name: schema.name.clone(), snapshot: self })
    }

    fn pack_done(&mut self) -> Result<()> {
        while let Some(done) = self.in_flight.next_done(&self.out.frames.workers) {
            self.pack(done)?;
        }
        Ok(())
    }

    /// Hands a row group on, once there is room for it. Row groups that are done meanwhile are packed and written.
    fn hand_on(&mut self, table: usize, group: RowGroup) -> Result<()> {
        self.make_room(group.bytes())?;
        let Some(TableInWriting { state, .. }) = self.tables.get_mut(table) else { return Ok(()) };
        let (head, work) = state.begin_group(&group, self.sealing);
        self.in_flight.push(&mut self.out.frames.workers, (table, head), group, &work);
        self.pack_done()
    }

    fn make_room(&mut self, bytes: u64) -> Result<()> {
        while self.in_flight.is_full_for(bytes, self.out.frames.bytes()) {
            if self.out.frames.bytes() > 0 {
                self.out.frames.write_all()?;
            } else if let Some(next) = self.in_flight.next(&self.out.frames.workers) {
                self.pack(next)?;
            }
        }
        Ok(())
    }

    fn pack(&mut self, group: ((usize, GroupHead), Vec<Result<PreparedBlock>>)) -> Result<()> {
        let ((table, head), blocks) = group;
        let Some(TableInWriting { state, .. }) = self.tables.get_mut(table) else { return Ok(()) };
        state.add_group(head, blocks, &mut self.out).map_err(|error| error.in_table(&state.schema.name))
    }

    /// Does something that must not be followed by anything else if it fails.
    fn doing<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.has_failed {
            return Err(Error::request("the snapshot cannot be completed, for an error that was told before"));
        }
        // Stays so if the work panics.
        self.has_failed = true;
        let result = work(self);
        self.has_failed = result.is_err();
        result
    }

    /// Adds an object that belongs to no table.
    pub fn add_object(&mut self, object: SchemaObject) {
        self.objects.push(object);
    }

    /// Waits until all rows so far are encoded; asks between row groups whether to go on. [`SnapshotWriter::commit`] waits
    /// too, but does not ask.
    pub fn settle(&mut self, mut go_on: impl FnMut() -> Result<()>) -> Result<()> {
        self.doing(|snapshot| {
            while let Some(next) = snapshot.in_flight.next(&snapshot.out.frames.workers) {
                go_on()?;
                snapshot.pack(next)?;
            }
            Ok(())
        })
    }

    /// Writes all that describes the tables, makes the snapshot durable and visible.
    pub fn commit(self) -> Result<CommitSummary> {
        self.commit_with(|_| Ok(None))
    }

    /// The same, with the erasure records that the archive has from now on: `erasures` gives all of them for the root that the
    /// snapshot gets, or `None` if they stay what they are.
    pub(crate) fn commit_with(
        mut self,
        erasures: impl FnOnce([u8; 32]) -> Result<Option<Vec<ErasureRecord>>>,
    ) -> Result<CommitSummary> {
        self.settle(|| Ok(()))?;
        let manifests = self.doing(Self::write_tables)?;
        let mut entries = Vec::with_capacity(manifests.len());
        let (mut rows, mut logical_bytes) = (0, 0);
        for (manifest, place) in manifests {
            rows += manifest.rows;
            logical_bytes += manifest.logical_bytes;
            entries.push(TableEntry {
                name: manifest.schema.name,
                manifest: place,
                rows: manifest.rows,
                fingerprint: manifest.fingerprint,
            });
        }
        for (entry, bytes) in std::mem::take(&mut self.kept) {
            rows += entry.rows;
            logical_bytes += bytes;
            entries.push(entry);
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let fingerprint = snapshot_fingerprint(entries.iter().map(|entry| (entry.name.as_str(), &entry.fingerprint)));
        let tables = entries.len() as u64;
        let catalog = Catalog { tables: entries, objects: std::mem::take(&mut self.objects) };
        rules::refused(rules::check_catalog(&catalog))?;
        let catalog = match self.parent.as_ref().filter(|parent| parent.catalog == catalog) {
            Some(parent) => parent.catalog_reference,
            None => self.write(FrameKind::Catalog, wire::encode(&catalog)?)?,
        };
        let header = &self.header;
        let manifest = SnapshotManifest {
            number: self.sealing.snapshot,
            time: header.time,
            tags: header.tags.clone(),
            source: header.source.clone(),
            writer: header.writer.clone(),
            catalog,
            tables,
            rows,
            logical_bytes,
            fingerprint,
            omitted: header.omitted.clone(),
        };
        rules::refused(rules::check_snapshot(&manifest))?;
        let manifest = self.write(FrameKind::SnapshotManifest, wire::encode(&manifest)?)?;
        let erasures = match erasures(manifest.digest)? {
            Some(records) => {
                let frame = self.write(FrameKind::ErasureRecords, erasures::encode(records)?)?;
                Some(ErasuresLink::to(&frame))
            }
            None => self.previous.as_ref().and_then(|previous| previous.commit.erasures),
        };
        let commit = self.write_commit(manifest, (tables, rows), erasures)?;
        Ok(CommitSummary {
            number: commit.number,
            root: manifest.digest,
            fingerprint,
            tables,
            rows,
            logical_bytes,
            bytes_added: commit.bytes_added,
        })
    }

    /// Leaves first, then inner pages level by level, then manifests: a reference leads to an earlier frame only.
    fn write_tables(&mut self) -> Result<Vec<(TableManifest, SliceReference)>> {
        let finished = std::mem::take(&mut self.tables).into_iter().filter(|table| table.is_finished);
        let mut tables: Vec<(TableState, u32)> = finished.map(|table| (table.state, 0)).collect();
        let out = &mut self.out;
        out.data.flush(&mut out.frames)?;
        out.frames.write_all()?;
        for (table, _) in &mut tables {
            table.write_leaf(out)?;
        }
        flush_metadata(out)?;
        while tables.iter().any(|(table, _)| table.has_too_many_pages()) {
            for (table, depth) in tables.iter_mut().filter(|(table, _)| table.has_too_many_pages()) {
                *depth += 1;
                if *depth > MAX_PAGE_DEPTH {
                    return Err(Error::request("more rows than an archive can hold").in_table(&table.schema.name));
                }
                table.add_level(out)?;
            }
            flush_metadata(out)?;
        }
        let mut placed = Vec::with_capacity(tables.len());
        for (table, depth) in tables {
            let (manifest, same) = table.manifest(depth)?;
            rules::refused(rules::check_table(&manifest)).map_err(|error| error.in_table(&manifest.schema.name))?;
            if let Some(same) = same {
                placed.push((manifest, ManifestPlace::Earlier(same)));
                continue;
            }
            let bytes = wire::encode(&manifest)?;
            let label = Label { table: 0, what: label::MANIFEST, group: 0, column: 0, rows: manifest.rows, length: 0 };
            let place = out.metadata.share(&mut out.frames, &manifest.schema.name, label, &bytes)?;
            placed.push((manifest, ManifestPlace::New(place, bytes.len() as u64)));
        }
        flush_metadata(out)?;
        let locate = |(manifest, place)| {
            let place = match place {
                ManifestPlace::New(place, length) => Place::locate(&place)?.reference(length),
                ManifestPlace::Earlier(place) => place,
            };
            Ok((manifest, place))
        };
        placed.into_iter().map(locate).collect()
    }

    fn write(&mut self, kind: FrameKind, body: Vec<u8>) -> Result<Reference> {
        let frame = SealedFrame::seal(kind, body, Some(self.sealing.level))?;
        self.out.frames.container()?.write(&frame)
    }

    fn write_commit(
        mut self,
        manifest: Reference,
        (tables, rows): (u64, u64),
        erasures: Option<ErasuresLink>,
    ) -> Result<Commit> {
        let due_page = self.previous.as_mut().and_then(|previous| previous.due_page.take());
        let history = match due_page {
            Some(page) => Some(self.write(FrameKind::HistoryPage, wire::encode(&page)?)?),
            None => self.previous.as_ref().and_then(|previous| previous.history),
        };
        let previous = self.previous.as_ref();
        let commit = Commit {
            number: self.sealing.snapshot,
            time: self.header.time,
            offset: self.out.frames.container()?.position(),
            reader_features: previous.map_or(0, |previous| previous.commit.reader_features),
            writer_features: previous.map_or(0, |previous| previous.commit.writer_features),
            tables,
            rows,
            bytes_added: 0,
            manifest,
            previous: previous.map(|previous| previous.reference),
            history,
            snapshots: previous.map_or(0, |previous| previous.commit.snapshots) + 1,
            erasures,
        };
        let previous_end = previous.map_or(0, |previous| previous.end);
        self.out.frames.into_container()?.commit(commit, previous_end)
    }
}

/// Where a table's manifest is.
enum ManifestPlace {
    New(Place, u64),
    Earlier(SliceReference),
}

/// Writes the pages and manifests that wait: what comes next refers to them.
fn flush_metadata<S: WriteStorage>(out: &mut Output<S>) -> Result<()> {
    out.metadata.flush(&mut out.frames)?;
    out.frames.write_all()
}

/// A table in the making; takes rows through [`RowSink`].
///
/// Rows are worked on after they were given: an error may concern earlier ones, and may come with a later row, or with
/// [`SnapshotWriter::commit`].
pub struct TableWriter<'a, S: WriteStorage> {
    number: usize,
    name: String,
    grouper: RowGrouper,
    snapshot: &'a mut SnapshotWriter<S>,
}

impl<S: WriteStorage> TableWriter<'_, S> {
    /// Bytes that all rows so far count for (`spec/format.md` §7.2).
    pub fn weight(&self) -> u64 {
        self.grouper.weight()
    }

    /// Ends the table. A table that is dropped instead is not part of the snapshot.
    pub fn finish(self) -> Result<()> {
        let Self { number, name, mut grouper, snapshot } = self;
        if let Some(group) = grouper.take() {
            snapshot
                .doing(|snapshot| snapshot.hand_on(number, group))
                .map_err(|error| error.in_table(name.as_str()))?;
        }
        if let Some(table) = snapshot.tables.get_mut(number) {
            table.is_finished = true;
        }
        snapshot.names.insert(name);
        Ok(())
    }
}

impl<S: WriteStorage> RowSink for TableWriter<'_, S> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        match self.grouper.push(cells) {
            Ok(None) => Ok(()),
            Ok(Some(group)) => self.snapshot.doing(|snapshot| snapshot.hand_on(self.number, group)),
            Err(error) => self.snapshot.doing(|_| Err(error)),
        }
        .map_err(|error| error.in_table(&self.name))
    }

    fn rows(&mut self, rows: &RowGroup) -> Result<()> {
        let Self { number, name, grouper, snapshot } = self;
        snapshot
            .doing(|snapshot| grouper.push_rows(rows, |group| snapshot.hand_on(*number, group)))
            .map_err(|error| error.in_table(name.as_str()))
    }
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut id = [0; N];
    getrandom::fill(&mut id).map_err(|cause| {
        Error::io("asking the operating system for random bytes", std::io::Error::other(cause.to_string()))
    })?;
    Ok(id)
}
