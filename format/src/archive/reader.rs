//! Reading archives: opening costs the same whatever the archive holds, and every step further reads what it needs.

use std::path::Path;
use std::sync::Arc;

use super::erasures::{self, ErasureRecord};
use super::manifest::{Catalog, Label, SnapshotManifest, TableEntry, TableManifest, label};
use super::pack;
use super::rules;
use super::select::SnapshotSelector;
use super::snapshots::{self, SnapshotList, SnapshotSummary};
use super::table_reader::Table;
use crate::container::{ContainerReader, FrameKind, MappedFile, ReadStorage};
use crate::error::{Error, Layer, Result};
use crate::wire;

/// An open archive.
#[derive(Debug)]
pub struct Archive {
    container: ContainerReader,
}

impl Archive {
    /// Opens a local file.
    pub fn open(path: &Path) -> Result<Self> {
        Self::from_storage(Arc::new(MappedFile::open(path)?))
    }

    /// Opens an archive on any medium: reads its header and its last commit.
    pub fn from_storage(storage: Arc<dyn ReadStorage>) -> Result<Self> {
        Ok(Self { container: ContainerReader::open(storage)? })
    }

    /// The frames below.
    pub fn container(&self) -> &ContainerReader {
        &self.container
    }

    /// Bytes behind the last commit, which belong to no snapshot: an append that did not finish, or a damaged commit.
    pub fn tail(&self) -> u64 {
        self.container.last().tail
    }

    /// The tail is about to be cut off: refuses where it may be more than an unfinished append.
    pub(crate) fn check_tail(&self) -> Result<()> {
        if self.tail() == 0 {
            return Ok(());
        }
        let hint = "`tabark verify` tells what is intact. Keep this archive as it is, and dump into a new one";
        self.container.check_chain().map_err(|error| error.with_hint(hint))?;
        if self.container.tail_may_be_a_snapshot() {
            let why =
                "what stands behind the last commit looks like a snapshot whose commit is damaged; it is not cut off";
            return Err(Error::damaged(Layer::Tail, why).at(self.container.last().end()).with_hint(hint));
        }
        Ok(())
    }

    /// All snapshots, oldest first. Fails if one of them cannot be listed.
    pub fn snapshots(&self) -> Result<Vec<SnapshotSummary>> {
        let SnapshotList { snapshots, damaged } = self.list()?;
        match damaged.into_iter().next() {
            None => Ok(snapshots),
            Some(error) => Err(error),
        }
    }

    /// What was erased from the archive, oldest first. Snapshots can be read even where the records cannot.
    pub fn erasures(&self) -> Result<Vec<ErasureRecord>> {
        let commit = &self.container.last().commit;
        commit.erasures.as_ref().map_or(Ok(Vec::new()), |link| erasures::read(&self.container, link, commit.offset))
    }

    /// The snapshots that can be listed, and what is wrong with the others.
    pub fn list(&self) -> Result<SnapshotList> {
        snapshots::list(&self.container)
    }

    /// The snapshot that a selector means. The newest is found without reading the list.
    pub fn select(&self, selector: &SnapshotSelector) -> Result<Snapshot<'_>> {
        let summary = match selector {
            SnapshotSelector::Latest => snapshots::newest(&self.container)?,
            _ => self.pick(selector)?,
        };
        self.snapshot(summary)
    }

    /// Where some snapshots cannot be listed, one of them may be the newest with a tag or before a time; what is asked for
    /// by number or root is it or is not.
    fn pick(&self, selector: &SnapshotSelector) -> Result<SnapshotSummary> {
        let SnapshotList { snapshots, damaged } = self.list()?;
        let exact = matches!(selector, SnapshotSelector::Number(_) | SnapshotSelector::Root(_));
        match (damaged.into_iter().next(), selector.pick(&snapshots)) {
            (None, found) => found,
            (Some(_), Ok(found)) if exact => Ok(found),
            (Some(error), _) => {
                Err(error.with_hint("choose a snapshot by its number; `tabark list` shows those that can be read"))
            }
        }
    }

    /// A snapshot that the list named.
    pub fn snapshot(&self, summary: SnapshotSummary) -> Result<Snapshot<'_>> {
        let manifest = snapshots::read_manifest(&self.container, &summary.manifest)?;
        let agrees = manifest.number == summary.number
            && manifest.time == summary.time
            && manifest.tags == summary.tags
            && manifest.tables == summary.tables
            && manifest.rows == summary.rows;
        if !agrees {
            let why = format!("the manifest of snapshot {} and what the history says of it disagree", summary.number);
            return Err(Error::damaged(Layer::Commit, why).at(summary.manifest.offset));
        }
        let at = manifest.catalog.offset;
        let body = self.container.body(&manifest.catalog, FrameKind::Catalog)?;
        let catalog: Catalog = wire::decode(&body, "catalog").map_err(|error| error.at(at))?;
        rules::damaged(rules::check_catalog(&catalog), at)?;
        let rows = catalog.tables.iter().try_fold(0_u64, |sum, table| sum.checked_add(table.rows));
        if catalog.tables.len() as u64 != manifest.tables || rows != Some(manifest.rows) {
            let why = "a snapshot manifest and its catalog disagree on tables or rows";
            return Err(Error::damaged(Layer::Totals, why).at(summary.manifest.offset));
        }
        if catalog.tables.iter().any(|table| table.manifest.frame.end().is_none_or(|end| end > at)) {
            return Err(Error::damaged(Layer::Reference, "a reference that does not lead backwards").at(at));
        }
        Ok(Snapshot { archive: self, summary, manifest, catalog })
    }
}

/// A snapshot whose manifest and catalog are read and checked.
#[derive(Debug)]
pub struct Snapshot<'a> {
    archive: &'a Archive,
    summary: SnapshotSummary,
    manifest: SnapshotManifest,
    catalog: Catalog,
}

impl<'a> Snapshot<'a> {
    /// What the list says of it.
    pub fn summary(&self) -> &SnapshotSummary {
        &self.summary
    }

    /// Its manifest.
    pub fn manifest(&self) -> &SnapshotManifest {
        &self.manifest
    }

    /// Its catalog.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The archive it stands in.
    pub fn archive(&self) -> &'a Archive {
        self.archive
    }

    /// The table of this exact name.
    pub fn table(&self, name: &str) -> Result<Table<'a>> {
        let index = self.catalog.tables.binary_search_by(|table| table.name.as_str().cmp(name));
        match index.ok().and_then(|index| self.catalog.tables.get(index)) {
            Some(entry) => self.open_table(entry),
            None => {
                let names = self.catalog.tables.iter().map(|table| table.name.as_str());
                Err(crate::selection::no_such_table(name, names))
            }
        }
    }

    /// The table of an entry of this snapshot's catalog.
    pub fn open_table(&self, entry: &TableEntry) -> Result<Table<'a>> {
        read_table_manifest(&self.archive.container, entry)
            .map(|manifest| Table::new(&self.archive.container, entry.manifest.frame.offset, manifest))
            .map_err(|error| error.in_table(&entry.name))
    }
}

impl Snapshot<'_> {
    /// Checks what the directory of a table manifest's frame says of it.
    pub(super) fn check_manifest_label(&self, entry: &TableEntry, writer: Option<u64>) -> Result<()> {
        let place = &entry.manifest;
        let body = self.archive.container.body(&place.frame, FrameKind::TableMetadata)?;
        let (what, rows, length) = (label::MANIFEST, entry.rows, place.length);
        let label = Label { table: 0, what, group: 0, column: 0, rows, length };
        let by = pack::Writing { referrer: self.manifest.number, writer };
        let index = pack::DirectoryIndex::of(&body).map_err(|error| error.at(place.frame.offset))?;
        match pack::check_label(&index, by, &entry.name, (place.frame.offset, place.start), label)? {
            None => Ok(()),
            Some(_) => {
                let why = "a frame's directory names a table manifest differently";
                Err(Error::damaged(Layer::Directory, why).at(place.frame.offset))
            }
        }
    }
}

/// The checked manifest of a table of a checked catalog.
pub(super) fn read_table_manifest(container: &ContainerReader, entry: &TableEntry) -> Result<TableManifest> {
    let at = entry.manifest.frame.offset;
    let body = container.body(&entry.manifest.frame, FrameKind::TableMetadata)?;
    let bytes = pack::slice(&body, entry.manifest.start, entry.manifest.length, Layer::Reference)
        .map_err(|error| error.at(at))?;
    let manifest: TableManifest = wire::decode(bytes, "table manifest").map_err(|error| error.at(at))?;
    rules::damaged(rules::check_table(&manifest), at)?;
    rules::check_logical_types(&manifest.schema).map_err(|error| error.at(at))?;
    if manifest.schema.name != entry.name {
        let why = format!("the catalog leads to the manifest of table \"{}\"", manifest.schema.name);
        return Err(Error::damaged(Layer::Manifest, why).at(at));
    }
    let paged = manifest.pages.iter().try_fold(0_u64, |sum, page| sum.checked_add(page.rows));
    if paged != Some(manifest.rows) {
        let why = "a table manifest states other totals than its pages";
        return Err(Error::damaged(Layer::Totals, why).at(at));
    }
    if manifest.rows != entry.rows {
        return Err(Error::damaged(Layer::Totals, "the catalog and a table manifest disagree on rows").at(at));
    }
    if manifest.fingerprint != entry.fingerprint {
        let why = "the catalog and a table manifest disagree on the fingerprint";
        return Err(Error::damaged(Layer::Fingerprint, why).at(at));
    }
    Ok(manifest)
}
