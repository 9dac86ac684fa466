//! The tree of pages below a table manifest, walked from the first row group to the last.

use std::collections::HashSet;
use std::sync::Arc;

use super::layers;
use super::manifest::{Page, PageEntry, RowGroupEntry, SliceReference, TableManifest};
use super::pack;
use super::rules::{self, Broken};
use crate::container::{ContainerReader, FrameKind, Reference};
use crate::error::{Error, Layer, Result};
use crate::limits::MAX_PAGE_ENTRIES;
use crate::model::Bound;
use crate::wire;

/// A leaf page: some row groups, and the frames that their blocks stand in.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) page: SliceReference,
    pub(super) first_group: u64,
    pub(super) first_row: u64,
    pub(super) frames: Arc<Vec<Reference>>,
    pub(super) groups: Vec<RowGroupEntry>,
}

/// A page to visit: an entry, the levels below it, and the offset of the frame that holds the entry.
struct Visit {
    entry: PageEntry,
    levels: u32,
    from: u64,
}

/// Walks the leaf pages of a table. After an error in a page it goes on with the next one, so that what is intact is found.
pub(super) struct Leaves<'a> {
    container: &'a ContainerReader,
    walk: LeafWalk,
}

/// Where a walk through the leaf pages of a table stands.
pub(super) struct LeafWalk {
    columns: usize,
    key_parts: usize,
    stack: Vec<Visit>,
    /// Pages seen: a page that stood below itself twice could be walked for ever.
    seen: HashSet<(u64, u64)>,
    group: u64,
    row: u64,
}

/// Row groups and rows that cannot be reached.
#[derive(Debug)]
pub(super) struct Unreachable {
    pub(super) error: Error,
    pub(super) first_row: u64,
    pub(super) rows: u64,
}

impl<'a> Leaves<'a> {
    /// `offset` is that of the frame that holds the manifest.
    pub(super) fn of(container: &'a ContainerReader, manifest: &TableManifest, offset: u64) -> Self {
        Self { container, walk: LeafWalk::of(manifest, offset) }
    }
}

impl Iterator for Leaves<'_> {
    type Item = std::result::Result<Leaf, Unreachable>;

    fn next(&mut self) -> Option<Self::Item> {
        self.walk.next(self.container)
    }
}

impl LeafWalk {
    /// `offset` is that of the frame that holds the manifest.
    pub(super) fn of(manifest: &TableManifest, offset: u64) -> Self {
        let visit = |entry: &PageEntry| Visit { entry: entry.clone(), levels: manifest.page_depth, from: offset };
        Self {
            columns: manifest.schema.columns.len(),
            key_parts: manifest.schema.key.len(),
            stack: manifest.pages.iter().rev().map(visit).collect(),
            seen: HashSet::new(),
            group: 0,
            row: 0,
        }
    }

    fn read(&mut self, container: &ContainerReader, visit: &Visit) -> Result<Option<Leaf>> {
        let offset = visit.entry.page.frame.offset;
        let refuse = |layer, why: &str| Error::damaged(layer, why).at(offset);
        if visit.entry.page.frame.end().is_none_or(|end| end > visit.from) {
            return Err(refuse(Layer::Reference, "a reference to a page that does not lead backwards"));
        }
        if !self.seen.insert((offset, visit.entry.page.start)) {
            return Err(refuse(Layer::Page, "a page that stands twice below one table"));
        }
        let body = container.body(&visit.entry.page.frame, FrameKind::TableMetadata)?;
        let bytes = pack::slice(&body, visit.entry.page.start, visit.entry.page.length, Layer::Reference)
            .map_err(|error| error.at(offset))?;
        let page: Page = wire::decode(bytes, "page").map_err(|error| error.at(offset))?;
        match page {
            Page::Inner { children } if visit.levels > 0 => {
                self.check_inner(&visit.entry, &children).map_err(|broken| refuse(broken.layer, &broken.why))?;
                let levels = visit.levels - 1;
                self.stack.extend(children.into_iter().rev().map(|entry| Visit { entry, levels, from: offset }));
                Ok(None)
            }
            Page::Leaf { frames, groups } if visit.levels == 0 => {
                self.check_leaf(&visit.entry, &frames, &groups, offset)
                    .map_err(|broken| refuse(broken.layer, &broken.why))?;
                let frames = Arc::new(frames);
                Ok(Some(Leaf { page: visit.entry.page, first_group: self.group, first_row: self.row, frames, groups }))
            }
            _ => Err(refuse(Layer::Page, "a page that is not of the level it should be")),
        }
    }

    fn check_inner(&self, entry: &PageEntry, children: &[PageEntry]) -> std::result::Result<(), Broken> {
        check_count(children.len())?;
        let (Some(first), Some(last)) = (children.first(), children.last()) else { return Ok(()) };
        let groups = children.iter().try_fold(0_u64, |sum, child| sum.checked_add(child.groups));
        let rows = children.iter().try_fold(0_u64, |sum, child| sum.checked_add(child.rows));
        check_totals(entry, groups, rows)?;
        self.check_keys(entry, &first.first_key, &last.last_key)
    }

    fn check_leaf(
        &self,
        entry: &PageEntry,
        frames: &[Reference],
        groups: &[RowGroupEntry],
        offset: u64,
    ) -> std::result::Result<(), Broken> {
        check_count(groups.len())?;
        let page = |why: &str| Err(broken(Layer::Page, why));
        if groups.iter().any(|group| group.blocks.len() != self.columns) {
            return page("a row group whose blocks are not one per column");
        }
        if frames.iter().any(|frame| frame.end().is_none_or(|end| end > offset)) {
            return Err(broken(Layer::Reference, "a reference to a data frame that does not lead backwards"));
        }
        check_frames_in_order_of_use(frames, groups)?;
        for group in groups {
            layers::check(group)?;
            rules::check_bounds(group.first_key.iter().chain(&group.last_key))?;
            for block in &group.blocks {
                rules::check_range(block.minimum.as_ref(), block.maximum.as_ref())?;
            }
        }
        let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return Ok(()) };
        let rows = groups.iter().try_fold(0_u64, |sum, group| sum.checked_add(group.rows));
        check_totals(entry, Some(groups.len() as u64), rows)?;
        self.check_keys(entry, &first.first_key, &last.last_key)
    }

    fn check_keys(&self, entry: &PageEntry, first: &[Bound], last: &[Bound]) -> std::result::Result<(), Broken> {
        let counts = [entry.first_key.len(), entry.last_key.len(), first.len(), last.len()];
        if counts.iter().any(|count| *count != self.key_parts) {
            return Err(broken(Layer::Totals, "keys that have not as many parts as the table's"));
        }
        if entry.first_key != first || entry.last_key != last {
            return Err(broken(Layer::Totals, "a page's entry states other keys than the page"));
        }
        Ok(())
    }
}

impl LeafWalk {
    /// The next leaf page, or what cannot be reached for an error.
    pub(super) fn next(&mut self, container: &ContainerReader) -> Option<std::result::Result<Leaf, Unreachable>> {
        loop {
            match self.open(container)? {
                Ok(None) => {}
                Ok(Some(leaf)) => return Some(Ok(leaf)),
                Err(unreachable) => return Some(Err(unreachable)),
            }
        }
    }

    /// The next page, and how many levels of pages stand below it. Nothing is read.
    pub(super) fn peek(&self) -> Option<(&PageEntry, u32)> {
        self.stack.last().map(|visit| (&visit.entry, visit.levels))
    }

    /// Passes over the next page and all that stands below it.
    pub(super) fn pass(&mut self) {
        if let Some(visit) = self.stack.pop() {
            self.count(&visit.entry);
        }
    }

    /// Reads the next page: it is a leaf, or its children come next.
    pub(super) fn open(
        &mut self,
        container: &ContainerReader,
    ) -> Option<std::result::Result<Option<Leaf>, Unreachable>> {
        let visit = self.stack.pop()?;
        let first_row = self.row;
        Some(match self.read(container, &visit) {
            Ok(None) => Ok(None),
            Ok(Some(leaf)) => {
                self.count(&visit.entry);
                Ok(Some(leaf))
            }
            Err(error) => {
                self.count(&visit.entry);
                Err(Unreachable { error, first_row, rows: visit.entry.rows })
            }
        })
    }

    fn count(&mut self, entry: &PageEntry) {
        self.group = self.group.saturating_add(entry.groups);
        self.row = self.row.saturating_add(entry.rows);
    }
}

fn broken(layer: Layer, why: &str) -> Broken {
    Broken { layer, why: why.into() }
}

/// Frames in the order of their first use, each used, none twice.
fn check_frames_in_order_of_use(frames: &[Reference], groups: &[RowGroupEntry]) -> std::result::Result<(), Broken> {
    let mut used = 0;
    for slice in groups.iter().flat_map(RowGroupEntry::slices) {
        let frame = slice.frame as usize;
        if frame > used || frame >= frames.len() {
            return Err(broken(Layer::Page, "frames of a page that are not in the order of their use"));
        }
        used = used.max(frame + 1);
    }
    if used != frames.len() {
        return Err(broken(Layer::Page, "a frame of a page that no block uses"));
    }
    let mut offsets: Vec<u64> = frames.iter().map(|frame| frame.offset).collect();
    offsets.sort_unstable();
    if offsets.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(broken(Layer::Page, "a frame that stands twice in a page"));
    }
    Ok(())
}

fn check_count(entries: usize) -> std::result::Result<(), Broken> {
    if (1..=MAX_PAGE_ENTRIES).contains(&entries) {
        return Ok(());
    }
    let layer = if entries == 0 { Layer::Page } else { Layer::Metadata };
    Err(broken(layer, &format!("a page of {entries} entries; 1 to {MAX_PAGE_ENTRIES} are allowed")))
}

fn check_totals(entry: &PageEntry, groups: Option<u64>, rows: Option<u64>) -> std::result::Result<(), Broken> {
    if groups == Some(entry.groups) && rows == Some(entry.rows) {
        return Ok(());
    }
    Err(broken(Layer::Totals, "a page's entry states other totals than the page"))
}
