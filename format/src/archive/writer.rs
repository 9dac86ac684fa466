//! Writing archives: a snapshot is begun, its tables are filled, and it is committed or was never there.
//!
//! The caller's thread makes row groups of the rows it reads, and hands them on to be encoded, hashed and compressed
//! ([`InFlight`]); it takes them back in their order and packs their blocks into frames, of which shared ones are compressed on
//! other threads again and all are written in order ([`super::frame_queue`]). What is where in the file is decided on one thread.

mod committing;
mod rewriting;
mod rows;

use std::collections::HashSet;
use std::num::NonZero;
use std::sync::Arc;

pub use self::rows::TableWriter;
use super::block_writer::PreparedBlock;
use super::frame_queue::FrameQueue;
use super::in_flight::InFlight;
use super::manifest::{HistoryPage, TableEntry};
use super::pack::{Packer, Sealing};
use super::parent::Parent;
use super::reader::Archive;
use super::rules;
use super::snapshots;
use super::table_writer::{GroupHead, Output, TableState};
use super::workers::Workers;
use crate::container::{ArchiveHeader, Commit, ContainerWriter, FrameKind, Reference, WriteStorage};
use crate::encoding::Profile;
use crate::error::{Error, Result};
use crate::model::{Filter, Omission, RowGroup, SchemaObject, SourceDescription, TableSchema};

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
        Ok(TableWriter::new(number, schema, self))
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
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut id = [0; N];
    getrandom::fill(&mut id).map_err(|cause| {
        Error::io("asking the operating system for random bytes", std::io::Error::other(cause.to_string()))
    })?;
    Ok(id)
}
