//! Writing archives: a snapshot is begun, its tables are filled, and it is committed or was never there.

use super::fingerprint::snapshot_fingerprint;
use super::manifest::{Catalog, HistoryPage, Label, SnapshotManifest, TableEntry, TableManifest, label};
use super::pack::{Packer, PlacedSlice};
use super::reader::Archive;
use super::rules;
use super::snapshots;
use super::table_writer::{Output, TableState};
use crate::container::{ArchiveHeader, Commit, ContainerWriter, FrameKind, Reference, SealedFrame, WriteStorage};
use crate::encoding::Profile;
use crate::error::{Error, Result};
use crate::history::boundaries::RowGrouper;
use crate::limits::MAX_PAGE_DEPTH;
use crate::model::{Cell, Omission, RowSink, SchemaObject, SourceDescription, TableSchema};
use crate::wire;

/// How an archive is written. None of this changes what is read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WriterOptions {
    /// How much work goes into making the archive small.
    pub profile: Profile,
    /// Zstandard's level, 1 to 22; the profile's where absent.
    pub level: Option<i32>,
    /// The id of a new archive; random where absent. Only tests have a reason to choose it.
    pub archive_id: Option<[u8; 16]>,
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
            None => random_id()?,
        };
        let container = ContainerWriter::create(storage, &ArchiveHeader { id })?;
        Ok(Self { container, options, previous: None })
    }

    /// Continues an archive. `archive` was read under the writer's lock; `storage` stands behind its last commit.
    pub fn append(storage: S, archive: &Archive, options: WriterOptions) -> Result<Self> {
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
        Ok(Self { container, options, previous: Some(previous) })
    }

    /// Begins a snapshot.
    pub fn begin_snapshot(self, header: SnapshotHeader) -> Result<SnapshotWriter<S>> {
        let number = match &self.previous {
            Some(previous) => {
                previous.commit.number.checked_add(1).ok_or_else(|| Error::request("snapshot numbers are used up"))?
            }
            None => 1,
        };
        let level = self.options.level.unwrap_or(self.options.profile.level());
        if !(1..=22).contains(&level) {
            return Err(Error::request(format!("compression level {level}; it goes from 1 to 22")));
        }
        rules::refused(rules::check_tags(&header.tags))?;
        let out = Output {
            container: self.container,
            data: Packer::new(FrameKind::Data, number, level),
            metadata: Packer::new(FrameKind::TableMetadata, number, level),
            profile: self.options.profile,
        };
        let previous = self.previous;
        Ok(SnapshotWriter { out, level, previous, number, header, tables: Vec::new(), objects: Vec::new() })
    }
}

/// A snapshot in the making. Dropping it commits nothing, and takes back what was written.
pub struct SnapshotWriter<S: WriteStorage> {
    out: Output<S>,
    level: i32,
    previous: Option<Previous>,
    number: u64,
    header: SnapshotHeader,
    tables: Vec<TableState>,
    objects: Vec<SchemaObject>,
}

impl<S: WriteStorage> SnapshotWriter<S> {
    /// Begins a table. Its rows come in the order of its key.
    pub fn begin_table(&mut self, schema: &TableSchema) -> Result<TableWriter<'_, S>> {
        rules::refused(rules::check_schema(schema)).map_err(|error| error.in_table(&schema.name))?;
        if self.tables.iter().any(|table| table.schema.name == schema.name) {
            return Err(Error::request("two tables of one name").in_table(&schema.name));
        }
        let grouper = RowGrouper::new(schema);
        Ok(TableWriter { state: TableState::new(schema.clone()), grouper, snapshot: self })
    }

    /// Adds an object that belongs to no table.
    pub fn add_object(&mut self, object: SchemaObject) {
        self.objects.push(object);
    }

    /// Writes all that describes the tables, makes the snapshot durable and visible.
    pub fn commit(mut self) -> Result<CommitSummary> {
        let manifests = self.write_tables()?;
        let mut entries = Vec::with_capacity(manifests.len());
        let (mut rows, mut logical_bytes) = (0, 0);
        for (manifest, place, length) in manifests {
            rows += manifest.rows;
            logical_bytes += manifest.logical_bytes;
            entries.push(TableEntry {
                name: manifest.schema.name,
                manifest: place.reference(length),
                rows: manifest.rows,
                fingerprint: manifest.fingerprint,
            });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let fingerprint = snapshot_fingerprint(entries.iter().map(|entry| (entry.name.as_str(), &entry.fingerprint)));
        let tables = entries.len() as u64;
        let catalog = Catalog { tables: entries, objects: std::mem::take(&mut self.objects) };
        rules::refused(rules::check_catalog(&catalog))?;
        let catalog = self.write(FrameKind::Catalog, wire::encode(&catalog)?)?;
        let header = &self.header;
        let manifest = SnapshotManifest {
            number: self.number,
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
        let commit = self.write_commit(manifest, tables, rows)?;
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
    fn write_tables(&mut self) -> Result<Vec<(TableManifest, PlacedSlice, u64)>> {
        let out = &mut self.out;
        let mut tables: Vec<(TableState, u32)> =
            std::mem::take(&mut self.tables).into_iter().map(|table| (table, 0)).collect();
        out.data.flush(&mut out.container)?;
        for (table, _) in &mut tables {
            table.write_leaf(out)?;
        }
        out.metadata.flush(&mut out.container)?;
        while tables.iter().any(|(table, _)| table.has_too_many_pages()) {
            for (table, depth) in tables.iter_mut().filter(|(table, _)| table.has_too_many_pages()) {
                *depth += 1;
                if *depth > MAX_PAGE_DEPTH {
                    return Err(Error::request("more rows than an archive can hold").in_table(&table.schema.name));
                }
                table.add_level(out)?;
            }
            out.metadata.flush(&mut out.container)?;
        }
        let mut placed = Vec::with_capacity(tables.len());
        for (table, depth) in tables {
            let manifest = table.manifest(out, depth)?;
            rules::refused(rules::check_table(&manifest)).map_err(|error| error.in_table(&manifest.schema.name))?;
            let bytes = wire::encode(&manifest)?;
            let label = Label { table: 0, what: label::MANIFEST, group: 0, column: 0, rows: manifest.rows, length: 0 };
            let place = out.metadata.share(&mut out.container, &manifest.schema.name, label, &bytes)?;
            placed.push((manifest, place, bytes.len() as u64));
        }
        out.metadata.flush(&mut out.container)?;
        placed
            .into_iter()
            .map(|(manifest, place, length)| Ok((manifest, out.metadata.locate(place)?, length)))
            .collect()
    }

    fn write(&mut self, kind: FrameKind, body: Vec<u8>) -> Result<Reference> {
        let frame = SealedFrame::seal(kind, body, Some(self.level))?;
        self.out.container.write(&frame)
    }

    fn write_commit(mut self, manifest: Reference, tables: u64, rows: u64) -> Result<Commit> {
        let due_page = self.previous.as_mut().and_then(|previous| previous.due_page.take());
        let history = match due_page {
            Some(page) => Some(self.write(FrameKind::HistoryPage, wire::encode(&page)?)?),
            None => self.previous.as_ref().and_then(|previous| previous.history),
        };
        let previous = self.previous.as_ref();
        let commit = Commit {
            number: self.number,
            time: self.header.time,
            offset: self.out.container.position(),
            reader_features: previous.map_or(0, |previous| previous.commit.reader_features),
            writer_features: previous.map_or(0, |previous| previous.commit.writer_features),
            tables,
            rows,
            bytes_added: 0,
            manifest,
            previous: previous.map(|previous| previous.reference),
            history,
            snapshots: previous.map_or(0, |previous| previous.commit.snapshots) + 1,
        };
        let previous_end = previous.map_or(0, |previous| previous.end);
        self.out.container.commit(commit, previous_end)
    }
}

/// A table in the making; takes rows through [`RowSink`].
pub struct TableWriter<'a, S: WriteStorage> {
    state: TableState,
    grouper: RowGrouper,
    snapshot: &'a mut SnapshotWriter<S>,
}

impl<S: WriteStorage> TableWriter<'_, S> {
    /// Ends the table. A table that is dropped instead is not part of the snapshot.
    pub fn finish(mut self) -> Result<()> {
        let table = self.state.schema.name.clone();
        if let Some(group) = self.grouper.finish() {
            self.state.write_group(group, &mut self.snapshot.out).map_err(|error| error.in_table(table))?;
        }
        self.snapshot.tables.push(self.state);
        Ok(())
    }
}

impl<S: WriteStorage> RowSink for TableWriter<'_, S> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        match self.grouper.push(cells) {
            Ok(None) => Ok(()),
            Ok(Some(group)) => self.state.write_group(group, &mut self.snapshot.out),
            Err(error) => Err(error),
        }
        .map_err(|error| error.in_table(&self.state.schema.name))
    }
}

fn random_id() -> Result<[u8; 16]> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|cause| {
        Error::io("asking the operating system for random bytes", std::io::Error::other(cause.to_string()))
    })?;
    Ok(id)
}
