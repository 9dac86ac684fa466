//! One table on its way into an archive: rows to row groups, row groups to blocks, blocks to pages.

use std::collections::HashMap;
use std::sync::Arc;

use super::column_totals::ColumnTotals;
use super::fingerprint::FingerprintBuilder;
use super::frame_queue::FrameQueue;
use super::in_flight::ColumnWork;
use super::manifest::{
    BlockEntry, ColumnSummary, Label, Page, PageEntry, RowGroupEntry, TableManifest, label, stored_share,
};
use super::pack::{Packer, Place, SHARE_BELOW, SealedSlice, Sealing};
use crate::block::{self, BlockFacts};
use crate::container::{Reference, WriteStorage};
use crate::encoding::Profile;
use crate::error::{Error, Result};
use crate::limits::MAX_PAGE_ENTRIES;
use crate::model::{Bound, Cell, Cells, Filter, RowGroup, TableSchema};
use crate::wire;

/// A leaf page is closed when its blocks' entries take about this many bytes, so that wide tables keep pages small too.
const PAGE_BYTES: usize = 1 << 20;

/// Bytes that one block's entry takes in a page, about.
const ENTRY_BYTES: usize = 128;

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
    fingerprint: FingerprintBuilder,
}

struct PendingGroup {
    rows: u64,
    first_key: Vec<Bound>,
    last_key: Vec<Bound>,
    blocks: Vec<PendingBlock>,
}

struct PendingBlock {
    place: Place,
    length: u64,
    facts: BlockFacts,
}

struct PendingPage {
    place: Place,
    length: u64,
    groups: u64,
    rows: u64,
    first_key: Vec<Bound>,
    last_key: Vec<Bound>,
}

/// What is known of a row group before its columns are encoded.
pub(super) struct GroupHead {
    /// Number in the table.
    number: u64,
    rows: u64,
    first_key: Vec<Bound>,
    last_key: Vec<Bound>,
}

/// A block that was encoded, and sealed if it is large enough for a frame of its own.
pub(super) struct PreparedBlock {
    facts: BlockFacts,
    length: u64,
    body: PreparedBody,
}

enum PreparedBody {
    Small(Vec<u8>),
    Alone(SealedSlice),
}

impl TableState {
    pub(super) fn new(schema: TableSchema, filters: Vec<Filter>) -> Self {
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
            fingerprint: FingerprintBuilder::new(columns),
        }
    }

    /// Begins a row group: what will be asked of it later, and what is to be done with its columns on any thread.
    pub(super) fn begin_group(
        &mut self,
        group: &RowGroup,
        profile: Profile,
        sealing: Sealing,
    ) -> (GroupHead, ColumnWork<Result<PreparedBlock>>) {
        let number = self.begun;
        self.begun += 1;
        let head = GroupHead {
            number,
            rows: u64::from(group.rows()),
            first_key: self.key(group, Cells::first),
            last_key: self.key(group, Cells::last),
        };
        let name = self.schema.name.clone();
        (head, Arc::new(move |column, cells| prepare((sealing, profile), &name, number, column, cells)))
    }

    /// Takes the encoded columns of the next row group, in the order in which row groups were begun.
    pub(super) fn add_group<S: WriteStorage>(
        &mut self,
        head: GroupHead,
        prepared: Vec<Result<PreparedBlock>>,
        out: &mut Output<S>,
    ) -> Result<()> {
        let GroupHead { number, rows, first_key, last_key } = head;
        let prepared = prepared.into_iter().collect::<Result<Vec<_>>>()?;
        self.fingerprint.add_group(rows, prepared.iter().map(|block| &block.facts.content));
        let mut blocks = Vec::with_capacity(prepared.len());
        for (column, block) in prepared.into_iter().enumerate() {
            let place = match block.body {
                PreparedBody::Alone(sealed) => Place::alone(out.frames.add(sealed)?),
                PreparedBody::Small(bytes) => {
                    let label = block_label(number, column, rows, block.length);
                    out.data.share(&mut out.frames, &self.schema.name, label, &bytes)?
                }
            };
            blocks.push(PendingBlock { place, length: block.length, facts: block.facts });
        }
        self.pending.push(PendingGroup { rows, first_key, last_key, blocks });
        self.rows += rows;
        self.groups += 1;
        let entries = self.pending.len() * self.columns.len() * ENTRY_BYTES;
        if self.pending.len() == MAX_PAGE_ENTRIES || entries >= PAGE_BYTES {
            out.data.flush(&mut out.frames)?;
            out.frames.write_all()?;
            self.write_leaf(out)?;
        }
        Ok(())
    }

    fn key<'g>(&self, group: &'g RowGroup, end: impl Fn(&'g Cells) -> Option<Cell<'g>>) -> Vec<Bound> {
        let cells = self.schema.key.iter().filter_map(|part| group.columns().get(part.column as usize));
        cells.filter_map(end).map(|cell| Bound::of(&cell)).collect()
    }

    /// Writes the row groups that wait as a leaf page. Their blocks' frames must all be written.
    pub(super) fn write_leaf<S: WriteStorage>(&mut self, out: &mut Output<S>) -> Result<()> {
        let (Some(first), Some(last)) = (self.pending.first(), self.pending.last()) else { return Ok(()) };
        let (first_key, last_key) = (first.first_key.clone(), last.last_key.clone());
        let first_group = self.groups - self.pending.len() as u64;
        let rows = self.pending.iter().map(|group| group.rows).sum();
        let mut frames = FrameList::default();
        let mut groups = Vec::with_capacity(self.pending.len());
        for pending in std::mem::take(&mut self.pending) {
            let mut blocks = Vec::with_capacity(pending.blocks.len());
            for (block, column) in pending.blocks.into_iter().zip(&mut self.columns) {
                let placed = block.place.locate()?;
                let frame = &placed.frame;
                column.add(&block.facts, stored_share(frame.stored_length, block.length, frame.raw_length));
                blocks.push(entry(frames.index(frame.reference)?, placed.start, block));
            }
            groups.push(RowGroupEntry {
                rows: pending.rows,
                first_key: pending.first_key,
                last_key: pending.last_key,
                blocks,
            });
        }
        let count = groups.len() as u64;
        let page = Page::Leaf { frames: frames.list, groups };
        self.write_page(out, &page, first_group, (count, rows), (first_key, last_key))
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
        let length = bytes.len() as u64;
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
        let mut first_group = 0;
        for children in children.chunks(MAX_PAGE_ENTRIES) {
            let (Some(first), Some(last)) = (children.first(), children.last()) else { continue };
            let keys = (first.first_key.clone(), last.last_key.clone());
            let groups = children.iter().map(|child| child.groups).sum();
            let rows = children.iter().map(|child| child.rows).sum();
            let page = Page::Inner { children: children.to_vec() };
            self.write_page(out, &page, first_group, (groups, rows), keys)?;
            first_group += groups;
        }
        Ok(())
    }

    fn page_entries(&self) -> Result<Vec<PageEntry>> {
        self.pages
            .iter()
            .map(|page| {
                Ok(PageEntry {
                    page: page.place.locate()?.reference(page.length),
                    groups: page.groups,
                    rows: page.rows,
                    first_key: page.first_key.clone(),
                    last_key: page.last_key.clone(),
                })
            })
            .collect()
    }

    /// The table's manifest. All pages must be written.
    pub(super) fn manifest(self, page_depth: u32) -> Result<TableManifest> {
        let pages = self.page_entries()?;
        let fingerprint = self.fingerprint.finish(&self.schema);
        let columns: Vec<ColumnSummary> = self
            .columns
            .into_iter()
            .zip(&fingerprint.columns)
            .map(|(column, fingerprint)| column.summary(*fingerprint))
            .collect();
        Ok(TableManifest {
            rows: self.rows,
            logical_bytes: columns.iter().map(|column| column.logical_bytes).sum(),
            stored_bytes: columns.iter().map(|column| column.stored_bytes).sum(),
            columns,
            page_depth: if pages.is_empty() { 0 } else { page_depth },
            pages,
            fingerprint: fingerprint.table,
            schema: self.schema,
            filters: self.filters,
        })
    }
}

/// Frames of a page, each once.
#[derive(Default)]
struct FrameList {
    list: Vec<Reference>,
    indexes: HashMap<u64, u32>,
}

impl FrameList {
    fn index(&mut self, reference: Reference) -> Result<u32> {
        if let Some(index) = self.indexes.get(&reference.offset) {
            return Ok(*index);
        }
        let index = u32::try_from(self.list.len()).map_err(|_| Error::request("more than 2^32 frames in a page"))?;
        self.list.push(reference);
        self.indexes.insert(reference.offset, index);
        Ok(index)
    }
}

fn prepare(
    (sealing, profile): (Sealing, Profile),
    table: &str,
    group: u64,
    column: usize,
    cells: Cells,
) -> Result<PreparedBlock> {
    let rows = u64::from(cells.rows());
    let encoded = block::encode(&cells, profile);
    drop(cells);
    let length = encoded.bytes.len() as u64;
    let body = if encoded.bytes.len() < SHARE_BELOW {
        PreparedBody::Small(encoded.bytes)
    } else {
        let label = block_label(group, column, rows, length);
        PreparedBody::Alone(sealing.alone(table, label, encoded.bytes, encoded.compressible)?)
    };
    Ok(PreparedBlock { facts: encoded.facts, length, body })
}

fn block_label(group: u64, column: usize, rows: u64, length: u64) -> Label {
    let column = u32::try_from(column).unwrap_or(u32::MAX);
    Label { table: 0, what: label::BLOCK, group, column, rows, length }
}

fn entry(frame: u32, start: u64, block: PendingBlock) -> BlockEntry {
    let (minimum, maximum) = block.facts.range.unzip();
    BlockEntry {
        frame,
        start,
        length: block.length,
        encoding: block.facts.encoding.number(),
        logical_bytes: block.facts.logical_bytes,
        nulls: block.facts.nulls,
        minimum,
        maximum,
        content: block.facts.content,
    }
}
