//! What makes a snapshot exist: the pages and manifests of its tables, its own manifest, and the commit that leads to them.

use super::{CommitSummary, SnapshotWriter};
use crate::archive::erasures::{self, ErasureRecord};
use crate::archive::fingerprint::snapshot_fingerprint;
use crate::archive::manifest::{Catalog, Label, SliceReference, SnapshotManifest, TableEntry, TableManifest, label};
use crate::archive::pack::Place;
use crate::archive::rules;
use crate::archive::table_writer::{Output, TableState};
use crate::container::{Commit, ErasuresLink, FrameKind, Reference, SealedFrame, WriteStorage};
use crate::error::{Error, Result};
use crate::limits::MAX_PAGE_DEPTH;
use crate::wire;

impl<S: WriteStorage> SnapshotWriter<S> {
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
