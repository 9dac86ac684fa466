//! One table on its way into an archive: rows to row groups, row groups to blocks, blocks to pages.

use std::sync::Arc;

use super::block_writer::{ColumnEncoder, GroupBuilder, PreparedBlock};
use super::column_totals::ColumnTotals;
use super::fingerprint::FingerprintBuilder;
use super::frame_queue::FrameQueue;
use super::in_flight::ColumnWork;
use super::manifest::{ColumnSummary, Label, Page, PageEntry, SliceReference, TableManifest, label};
use super::pack::{Packer, Place, Sealing};
use super::parent::{Origin, ParentTable};
use super::partner::Partner;
use super::pending::{FrameList, PendingGroup};
use crate::container::WriteStorage;
use crate::encoding::Profile;
use crate::error::Result;
use crate::limits::MAX_PAGE_ENTRIES;
use crate::model::{Bound, Cell, Cells, Filter, RowGroup, TableSchema};
use crate::wire;

/// A leaf page is closed when its blocks' entries take about this many bytes, so that wide tables keep pages small too.
pub(super) const PAGE_BYTES: usize = 1 << 20;

/// Bytes that one block's entry takes in a page, about.
pub(super) const ENTRY_BYTES: usize = 128;

/// The frames and packs that tables of one snapshot are written to.
pub(super) struct Output<S: WriteStorage> {
    pub(super) frames: FrameQueue<S>,
    pub(super) data: Packer,
    pub(super) metadata: Packer,
}

/// What is known of a table while and after its rows are written, until the snapshot is committed.
pub(super) struct TableState {
    pub(super) schema: TableSchema,
    pub(super) filters: Vec<Filter>,
    /// Row groups that were begun; those of them that were encoded are in `groups`.
    begun: u64,
    rows: u64,
    groups: u64,
    pending: Vec<PendingGroup>,
    pages: Vec<PendingPage>,
    columns: Vec<ColumnTotals>,
    /// Stored bytes of the places of layers.
    places_bytes: u64,
    fingerprint: FingerprintBuilder,
    profile: Profile,
    parent: Option<ParentTable>,
}

struct PendingPage {
    place: PagePlace,
    length: u64,
    groups: u64,
    rows: u64,
    first_key: Vec<Bound>,
    last_key: Vec<Bound>,
}

/// A page that was written, in this snapshot or an earlier one.
enum PagePlace {
    New(Place),
    Earlier(SliceReference),
}

/// What is known of a row group before its columns are encoded.
pub(super) struct GroupHead {
    /// Number in the table.
    pub(super) number: u64,
    pub(super) rows: u64,
    pub(super) first_key: Vec<Bound>,
    pub(super) last_key: Vec<Bound>,
    /// The parent's row group that it is laid beside.
    pub(super) partner: Option<Arc<Partner>>,
}

impl TableState {
    /// A table without rows yet, to be laid beside the parent's.
    pub(super) fn new(
        schema: TableSchema,
        filters: Vec<Filter>,
        profile: Profile,
        parent: Option<ParentTable>,
    ) -> Self {
        let columns = schema.columns.len();
        Self {
            schema,
            filters,
            begun: 0,
            rows: 0,
            groups: 0,
            pending: Vec::new(),
            pages: Vec::new(),
            columns: (0..columns).map(|_| ColumnTotals::default()).collect(),
            places_bytes: 0,
            fingerprint: FingerprintBuilder::new(columns),
            profile,
            parent,
        }
    }

    /// Begins a row group: what will be asked of it later, and what is to be done with its columns on any thread.
    pub(super) fn begin_group(
        &mut self,
        group: &RowGroup,
        sealing: Sealing,
    ) -> (GroupHead, ColumnWork<Result<PreparedBlock>>) {
        let number = self.begun;
        self.begun += 1;
        let first_key = self.key(group, Cells::first);
        let partner = self.parent.as_mut().and_then(|parent| parent.partner(&self.schema, &first_key));
        let keys = self.schema.boundary_columns();
        let keys = keys.iter().filter_map(|column| Some((*column, group.columns().get(*column)?)));
        let partner = partner.map(|partner| Arc::new(partner.with_keys(keys)));
        let head = GroupHead {
            number,
            rows: u64::from(group.rows()),
            first_key,
            last_key: self.key(group, Cells::last),
            partner: partner.clone(),
        };
        let encoder =
            ColumnEncoder { sealing, profile: self.profile, table: self.schema.name.clone(), group: number, partner };
        (head, Arc::new(move |column, cells| encoder.prepare(column, cells)))
    }

    /// Takes the encoded columns of the next row group, in the order in which row groups were begun.
    pub(super) fn add_group<S: WriteStorage>(
        &mut self,
        head: GroupHead,
        prepared: Vec<Result<PreparedBlock>>,
        out: &mut Output<S>,
    ) -> Result<()> {
        let prepared = prepared.into_iter().collect::<Result<Vec<_>>>()?;
        self.fingerprint.add_group(head.rows, prepared.iter().map(|block| &block.facts.content));
        let is_kept =
            |partner: &&Arc<Partner>| partner.is_of_same_shape() && prepared.iter().all(PreparedBlock::is_kept);
        let origin = head.partner.as_ref().filter(is_kept);
        let origin = origin.map(|partner| partner.origin);
        if origin.is_some_and(|origin| origin.index == 0 && origin.is_worth_keeping(self.columns.len())) {
            // So that the parent's page can take the place of one written here.
            self.close_page(out)?;
        }
        let group = GroupBuilder { table: &self.schema.name, head, profile: self.profile, out }.build(prepared)?;
        self.rows += group.rows;
        self.groups += 1;
        self.pending.push(PendingGroup { origin, ..group });
        let is_last = origin.is_some_and(|origin| origin.index + 1 == origin.groups && self.kept_page().is_some());
        let is_kept = is_last && origin.is_some_and(|origin| origin.is_worth_keeping(self.columns.len()));
        let entries = self.pending.len() * self.columns.len() * ENTRY_BYTES;
        if is_kept || self.pending.len() == MAX_PAGE_ENTRIES || entries >= PAGE_BYTES {
            self.close_page(out)?;
        }
        Ok(())
    }

    /// Writes the row groups that wait as a leaf page, and the frames of their blocks before it.
    fn close_page<S: WriteStorage>(&mut self, out: &mut Output<S>) -> Result<()> {
        out.data.flush(&mut out.frames)?;
        out.frames.write_all()?;
        self.write_leaf(out)
    }

    /// The parent's page that holds just the row groups that wait.
    fn kept_page(&self) -> Option<SliceReference> {
        let first = self.pending.first()?.origin?;
        let expected = (0..first.groups).map(|index| Some(Origin { index, ..first }));
        self.pending.iter().map(|group| group.origin).eq(expected).then_some(first.page)
    }

    fn key<'g>(&self, group: &'g RowGroup, end: impl Fn(&'g Cells) -> Option<Cell<'g>>) -> Vec<Bound> {
        let cells = self.schema.key.iter().filter_map(|part| group.columns().get(part.column as usize));
        cells.filter_map(end).map(|cell| Bound::of(&cell)).collect()
    }

    /// Writes the row groups that wait as a leaf page. Their blocks' frames must all be written.
    pub(super) fn write_leaf<S: WriteStorage>(&mut self, out: &mut Output<S>) -> Result<()> {
        let (Some(first), Some(last)) = (self.pending.first(), self.pending.last()) else { return Ok(()) };
        let keys = (first.first_key.clone(), last.last_key.clone());
        let kept = self.kept_page();
        let first_group = self.groups - self.pending.len() as u64;
        let rows = self.pending.iter().map(|group| group.rows).sum();
        let mut frames = FrameList::default();
        let mut groups = Vec::with_capacity(self.pending.len());
        for pending in std::mem::take(&mut self.pending) {
            let (entry, places_bytes) = pending.entry(&mut frames, &mut self.columns)?;
            self.places_bytes += places_bytes;
            groups.push(entry);
        }
        let count = groups.len() as u64;
        if let Some(page) = kept {
            let (first_key, last_key) = keys;
            let (place, length) = (PagePlace::Earlier(page), page.length);
            self.pages.push(PendingPage { place, length, groups: count, rows, first_key, last_key });
            return Ok(());
        }
        let page = Page::Leaf { frames: frames.list, groups };
        self.write_page(out, &page, first_group, (count, rows), keys)
    }

    fn write_page<S: WriteStorage>(
        &mut self,
        out: &mut Output<S>,
        page: &Page,
        first_group: u64,
        (groups, rows): (u64, u64),
        (first_key, last_key): (Vec<Bound>, Vec<Bound>),
    ) -> Result<()> {
        let bytes = wire::encode(page)?;
        let label = Label { table: 0, what: label::PAGE, group: first_group, column: 0, rows, length: 0 };
        let place = out.metadata.share(&mut out.frames, &self.schema.name, label, &bytes)?;
        let (place, length) = (PagePlace::New(place), bytes.len() as u64);
        self.pages.push(PendingPage { place, length, groups, rows, first_key, last_key });
        Ok(())
    }

    /// Does the table need another level of pages?
    pub(super) fn has_too_many_pages(&self) -> bool {
        self.pages.len() > MAX_PAGE_ENTRIES
    }

    /// Puts a level of inner pages above the pages there are, which must all be written.
    pub(super) fn add_level<S: WriteStorage>(&mut self, out: &mut Output<S>) -> Result<()> {
        let children = self.page_entries()?;
        self.pages.clear();
        let earlier = self.parent.as_ref().map(ParentTable::inner_pages).unwrap_or_default();
        let mut first_group = 0;
        for children in children.chunks(MAX_PAGE_ENTRIES) {
            let (Some(first), Some(last)) = (children.first(), children.last()) else { continue };
            let keys = (first.first_key.clone(), last.last_key.clone());
            let groups = children.iter().map(|child| child.groups).sum();
            let rows = children.iter().map(|child| child.rows).sum();
            if let Some(PageEntry { page, .. }) = earlier.with_children(children) {
                let (place, length, (first_key, last_key)) = (PagePlace::Earlier(*page), page.length, keys);
                self.pages.push(PendingPage { place, length, groups, rows, first_key, last_key });
            } else {
                let page = Page::Inner { children: children.to_vec() };
                self.write_page(out, &page, first_group, (groups, rows), keys)?;
            }
            first_group += groups;
        }
        Ok(())
    }

    fn page_entries(&self) -> Result<Vec<PageEntry>> {
        self.pages
            .iter()
            .map(|page| {
                Ok(PageEntry {
                    page: match &page.place {
                        PagePlace::New(place) => place.locate()?.reference(page.length),
                        PagePlace::Earlier(page) => *page,
                    },
                    groups: page.groups,
                    rows: page.rows,
                    first_key: page.first_key.clone(),
                    last_key: page.last_key.clone(),
                })
            })
            .collect()
    }

    /// The table's manifest, and where the parent's is if that is the same. All pages must be written.
    pub(super) fn manifest(self, page_depth: u32) -> Result<(TableManifest, Option<SliceReference>)> {
        let pages = self.page_entries()?;
        let fingerprint = self.fingerprint.finish(&self.schema);
        let columns: Vec<ColumnSummary> = self
            .columns
            .into_iter()
            .zip(&fingerprint.columns)
            .map(|(column, fingerprint)| column.summary(*fingerprint))
            .collect();
        let stored_bytes: u64 = columns.iter().map(|column| column.stored_bytes).sum();
        let manifest = TableManifest {
            rows: self.rows,
            logical_bytes: columns.iter().map(|column| column.logical_bytes).sum(),
            stored_bytes: stored_bytes + self.places_bytes,
            columns,
            page_depth: if pages.is_empty() { 0 } else { page_depth },
            pages,
            fingerprint: fingerprint.table,
            schema: self.schema,
            filters: self.filters,
        };
        let same = self.parent.filter(|parent| parent.manifest == manifest);
        Ok((manifest, same.map(|parent| parent.entry.manifest)))
    }
}
