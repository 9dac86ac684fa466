//! The snapshot that a new one follows: what of it may be referred to instead of being written again.
//!
//! Whatever is referred to is checked first, byte by byte: damage must not pass from one snapshot to the next. What cannot be
//! read, or is damaged, is written anew.

use std::cmp::Ordering;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};

use super::group_reader::GroupReader;
use super::inner_pages::InnerPages;
use super::manifest::{Catalog, SliceEntry, SliceReference, TableEntry, TableManifest};
use super::pack::{Placed, PlacedSlice};
use super::partner::Partner;
use super::reader::{Archive, read_table_manifest};
use super::select::SnapshotSelector;
use super::table_reader::{GroupPlace, group_places};
use super::table_writer::{ENTRY_BYTES, PAGE_BYTES};
use super::tree::LeafWalk;
use crate::container::{FrameKind, Reference};
use crate::error::{Error, Layer, Result};
use crate::limits::MAX_PAGE_ENTRIES;
use crate::model::{Bound, KeyPart, TableSchema};

/// Row groups to look at for one of the same first key before another is taken.
const LOOK_AHEAD: usize = 8;

/// Snapshots before the newest one that a table is looked for in: dumps of some tables may stand between those of all.
const LOOK_BACK: usize = 32;

/// The newest snapshot of an archive that is being added to, and for tables that it has not, those before it.
pub(super) struct Parent {
    archive: Arc<Archive>,
    older: OnceLock<Vec<Catalog>>,
    pub(super) catalog: Catalog,
    pub(super) catalog_reference: Reference,
    /// Offsets of data frames whose bodies were checked.
    checked: Mutex<HashSet<u64>>,
}

impl Parent {
    /// `None` if the newest snapshot cannot be read: then the new one stands for itself.
    pub(super) fn of(archive: Arc<Archive>) -> Option<Arc<Self>> {
        let snapshot = archive.select(&SnapshotSelector::Latest).ok()?;
        let (catalog, catalog_reference) = (snapshot.catalog().clone(), snapshot.manifest().catalog);
        let (older, checked) = (OnceLock::new(), Mutex::default());
        Some(Arc::new(Self { archive, older, catalog, catalog_reference, checked }))
    }

    pub(super) fn reader(&self) -> GroupReader<'_> {
        GroupReader { container: self.archive.container() }
    }

    /// The table of this name in the newest snapshot.
    pub(super) fn find(&self, name: &str) -> Option<(&TableEntry, TableManifest)> {
        let entry = entry(&self.catalog, name)?;
        Some((entry, read_table_manifest(self.archive.container(), entry).ok()?))
    }

    /// A table of the same name whose rows stand in the same order.
    pub(super) fn table(self: &Arc<Self>, schema: &TableSchema) -> Option<ParentTable> {
        let entry = entry(&self.catalog, &schema.name)
            .or_else(|| self.older().iter().find_map(|catalog| entry(catalog, &schema.name)))?;
        let manifest = read_table_manifest(self.archive.container(), entry).ok()?;
        if !same_key(schema, &manifest.schema) {
            return None;
        }
        let old = &manifest.schema.columns;
        let columns = schema.columns.iter().map(|column| old.iter().position(|other| other.name == column.name));
        Some(ParentTable {
            parent: Arc::clone(self),
            columns: columns.collect(),
            walk: LeafWalk::of(&manifest, entry.manifest.frame.offset),
            window: VecDeque::new(),
            entry: entry.clone(),
            manifest,
        })
    }

    fn older(&self) -> &[Catalog] {
        self.older.get_or_init(|| {
            let snapshots = self.archive.list().map(|list| list.snapshots).unwrap_or_default();
            let older = snapshots.into_iter().rev().skip(1).take(LOOK_BACK);
            older.filter_map(|summary| Some(self.archive.snapshot(summary).ok()?.catalog().clone())).collect()
        })
    }

    /// Where a slice of a row group is, once its frame was found intact.
    pub(super) fn locate(&self, place: &GroupPlace, slice: &SliceEntry) -> Result<PlacedSlice> {
        let missing = || Error::damaged(Layer::Page, "a slice of a frame that the page does not have");
        let frame = place.frame_of(slice).ok_or_else(missing)?;
        let container = self.archive.container();
        let header = container.resolve(frame, FrameKind::Data)?;
        let is_checked = self.checked.lock().is_ok_and(|checked| checked.contains(&frame.offset));
        if !is_checked {
            container.check_body(frame.offset, &header)?;
            container.release(frame.offset, frame.length);
            if let Ok(mut checked) = self.checked.lock() {
                checked.insert(frame.offset);
            }
        }
        let (stored_length, raw_length) = (header.stored_length, header.raw_length);
        let frame = Placed { reference: *frame, slices_start: 0, stored_length, raw_length };
        Ok(PlacedSlice { frame, start: slice.start })
    }
}

fn entry<'c>(catalog: &'c Catalog, name: &str) -> Option<&'c TableEntry> {
    let index = catalog.tables.binary_search_by(|table| table.name.as_str().cmp(name)).ok()?;
    catalog.tables.get(index)
}

fn same_key(schema: &TableSchema, old: &TableSchema) -> bool {
    let part = |schema: &TableSchema, part: &KeyPart| {
        let name = schema.columns.get(part.column as usize).map(|column| column.name.clone());
        (name, part.descending, part.collation.clone())
    };
    let parts = |schema: &TableSchema| schema.key.iter().map(|key| part(schema, key)).collect::<Vec<_>>();
    parts(schema) == parts(old)
}

/// A table of the parent, beside which the new rows are laid.
pub(super) struct ParentTable {
    parent: Arc<Parent>,
    /// By the new table's column: the same of the old one.
    columns: Arc<[Option<usize>]>,
    pub(super) entry: TableEntry,
    pub(super) manifest: TableManifest,
    walk: LeafWalk,
    /// Row groups that later ones may be laid beside.
    window: VecDeque<Candidate>,
}

/// A row group of the parent.
#[derive(Clone)]
struct Candidate {
    place: Arc<GroupPlace>,
    origin: Origin,
}

/// Where in a leaf page a row group of the parent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    /// The page.
    pub(super) page: SliceReference,
    /// Row groups in it.
    pub(super) groups: u64,
    /// This one's place among them.
    pub(super) index: u64,
}

impl Origin {
    /// Is it worth it to end a page so that this whole page can be referred to? Where it is not nearly full, pages would only
    /// become smaller and more.
    pub(super) fn is_worth_keeping(&self, columns: usize) -> bool {
        let entries = self.groups.saturating_mul(columns as u64).saturating_mul(ENTRY_BYTES as u64);
        self.groups >= MAX_PAGE_ENTRIES as u64 / 2 || entries >= PAGE_BYTES as u64 / 2
    }
}

impl ParentTable {
    /// The row group to lay a new one beside that begins with this key: the one that begins with it too, or the one among
    /// whose rows it would stand. Asked for in the order of the rows.
    pub(super) fn partner(&mut self, schema: &TableSchema, first_key: &[Bound]) -> Option<Partner> {
        // Rows of no columns are told apart by nothing but their number, which stands in no block.
        if schema.columns.is_empty() {
            return None;
        }
        let found = if first_key.is_empty() { self.next() } else { self.by_key(schema, first_key) };
        let Candidate { place, origin } = found?;
        Partner::new(Arc::clone(&self.parent), place, Arc::clone(&self.columns), origin)
    }

    /// Inner pages of the table, to be referred to again.
    pub(super) fn inner_pages(&self) -> InnerPages {
        InnerPages::of(self.parent.archive.container(), &self.manifest)
    }

    /// Without a key, row groups are taken in turn.
    fn next(&mut self) -> Option<Candidate> {
        self.fill(1);
        self.window.pop_front()
    }

    fn by_key(&mut self, schema: &TableSchema, first_key: &[Bound]) -> Option<Candidate> {
        self.fill(LOOK_AHEAD);
        let not_after = |key: &[Bound]| order(schema, key, first_key).is_none_or(|order| order != Ordering::Greater);
        let same = |candidate: &Candidate| candidate.place.entry.first_key == first_key;
        if let Some(found) = self.window.iter().position(same) {
            self.window.drain(..found);
            return self.window.front().cloned();
        }
        loop {
            let behind = self.window.iter().position(|other| !not_after(&other.place.entry.first_key));
            match behind {
                Some(behind) => {
                    self.window.drain(..behind.saturating_sub(1));
                    break;
                }
                None => {
                    self.window.drain(..self.window.len().saturating_sub(1));
                    let known = self.window.len();
                    self.fill(known + LOOK_AHEAD);
                    if self.window.len() == known {
                        break;
                    }
                }
            }
        }
        self.window.front().cloned()
    }

    /// Reads pages until so many row groups are known, or there are no more. Those of a damaged page do not come.
    fn fill(&mut self, groups: usize) {
        while self.window.len() < groups {
            let Some(leaf) = self.walk.next(self.parent.archive.container()) else { return };
            let Ok(leaf) = leaf else { continue };
            let (page, groups) = (leaf.page, leaf.groups.len() as u64);
            let candidates = (0..)
                .zip(group_places(leaf))
                .map(|(index, place)| Candidate { place: Arc::new(place), origin: Origin { page, groups, index } });
            self.window.extend(candidates);
        }
    }
}

/// The order of two keys, as far as bounds tell.
fn order(schema: &TableSchema, a: &[Bound], b: &[Bound]) -> Option<Ordering> {
    for ((a, b), part) in a.iter().zip(b).zip(&schema.key) {
        match a.order(b)? {
            Ordering::Equal => {}
            order if part.descending => return Some(order.reverse()),
            order => return Some(order),
        }
    }
    Some(Ordering::Equal)
}
