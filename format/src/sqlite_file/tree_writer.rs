//! B-trees written from their first row to their last: a page goes to the file when it is full, and the pages above it are
//! kept until they are full too. What remains at the end becomes the root, in the place that it has already.
//!
//! SQLite takes an interior page without a cell for damage. So a page that is full waits until the next one has a cell; if
//! that never comes, it gives its last one away.

use super::layout::{Layout, Tree};
use super::page_builder::{PageBuilder, PageKind};
use super::varint::append_varint;
use crate::error::{Error, Result};

/// Where pages go.
pub(crate) trait PageSink {
    /// Writes a page after all others and gives its number.
    fn append(&self, page: &[u8]) -> Result<u32>;

    /// Writes bytes that do not fit their cell into overflow pages after all others, and gives the number of the first.
    fn append_overflow(&self, bytes: &[u8]) -> Result<u32>;

    /// Writes a page in its place, which is before all that were appended.
    fn put(&self, number: u32, page: &[u8]) -> Result<()>;
}

/// The rows of a table with row ids.
pub(crate) struct TableWriter {
    layout: Layout,
    root: u32,
    leaf: PageBuilder,
    above: Interior,
    last: i64,
    head: Vec<u8>,
}

impl TableWriter {
    /// A tree whose root is there already, an empty page.
    pub(crate) fn new(layout: Layout, root: u32) -> Self {
        Self {
            layout,
            root,
            leaf: PageBuilder::new(layout, PageKind::TableLeaf),
            above: Interior::new(layout, PageKind::TableInterior),
            last: i64::MIN,
            head: Vec::new(),
        }
    }

    /// Adds a row, whose row id must be higher than those before.
    pub(crate) fn push(&mut self, row_id: i64, record: &[u8], sink: &dyn PageSink) -> Result<()> {
        self.head.clear();
        append_varint(record.len() as u64, &mut self.head);
        append_varint(row_id.cast_unsigned(), &mut self.head);
        let spilled;
        let tail = match overflow(self.layout, Tree::Table, record, sink)? {
            None => record,
            Some(tail) => {
                spilled = tail;
                &spilled
            }
        };
        if !self.leaf.push(&self.head, tail) {
            let full = sink.append(self.leaf.finish(None))?;
            let mut divider = Vec::new();
            append_varint(self.last.cast_unsigned(), &mut divider);
            self.above.push(0, full, divider, sink)?;
            self.leaf.clear(self.layout);
            if !self.leaf.push(&self.head, tail) {
                return Err(too_large());
            }
        }
        self.last = row_id;
        Ok(())
    }

    /// Writes what is left.
    pub(crate) fn finish(mut self, sink: &dyn PageSink) -> Result<()> {
        let leaf = self.leaf.finish(None);
        if self.above.is_empty() {
            return sink.put(self.root, leaf);
        }
        let last = sink.append(leaf)?;
        self.above.finish(last, self.root, sink)
    }
}

/// The keys of an index, or the rows of a table without row ids.
pub(crate) struct IndexWriter {
    layout: Layout,
    root: u32,
    leaf: PageBuilder,
    /// The full leaf before, and the key between the two.
    full: Option<(PageBuilder, Vec<u8>)>,
    above: Interior,
    head: Vec<u8>,
}

impl IndexWriter {
    /// A tree whose root is there already, an empty page.
    pub(crate) fn new(layout: Layout, root: u32) -> Self {
        Self {
            layout,
            root,
            leaf: PageBuilder::new(layout, PageKind::IndexLeaf),
            full: None,
            above: Interior::new(layout, PageKind::IndexInterior),
            head: Vec::new(),
        }
    }

    /// Adds a key, which must come after those before.
    pub(crate) fn push(&mut self, record: &[u8], sink: &dyn PageSink) -> Result<()> {
        self.head.clear();
        append_varint(record.len() as u64, &mut self.head);
        let spilled;
        let tail = match overflow(self.layout, Tree::Index, record, sink)? {
            None => record,
            Some(tail) => {
                spilled = tail;
                &spilled
            }
        };
        if self.leaf.push(&self.head, tail) {
            return self.write_full(sink);
        }
        if self.leaf.is_empty() {
            return Err(too_large());
        }
        let next = PageBuilder::new(self.layout, PageKind::IndexLeaf);
        self.full = Some((std::mem::replace(&mut self.leaf, next), [&self.head, tail].concat()));
        Ok(())
    }

    fn write_full(&mut self, sink: &dyn PageSink) -> Result<()> {
        let Some((mut page, divider)) = self.full.take() else { return Ok(()) };
        let number = sink.append(page.finish(None))?;
        self.above.push(0, number, divider, sink)
    }

    /// Writes what is left.
    pub(crate) fn finish(mut self, sink: &dyn PageSink) -> Result<()> {
        // The last leaf has no key: the key before it goes there, and the last of the leaf before in between.
        if let Some((page, divider)) = &mut self.full {
            let last = page.pop().ok_or_else(too_large)?;
            let first = std::mem::replace(divider, last);
            if page.is_empty() || !self.leaf.push(&first, &[]) {
                return Err(too_large());
            }
            self.write_full(sink)?;
        }
        let leaf = self.leaf.finish(None);
        if self.above.is_empty() {
            return sink.put(self.root, leaf);
        }
        let last = sink.append(leaf)?;
        self.above.finish(last, self.root, sink)
    }
}

/// The part of a cell after its lengths, if some of the payload goes to overflow pages.
fn overflow(layout: Layout, tree: Tree, record: &[u8], sink: &dyn PageSink) -> Result<Option<Vec<u8>>> {
    let (local, rest) = record.split_at(layout.local(tree, record.len()));
    if rest.is_empty() {
        return Ok(None);
    }
    let first = sink.append_overflow(rest)?;
    Ok(Some([local, &first.to_be_bytes()].concat()))
}

/// The pages above the leaves.
struct Interior {
    layout: Layout,
    kind: PageKind,
    levels: Vec<Level>,
}

struct Level {
    page: PageBuilder,
    /// The page before, which is full. It is there only while `page` has no cell.
    full: Option<Full>,
}

struct Full {
    page: PageBuilder,
    /// Its last child.
    right: u32,
    /// What comes between it and the next.
    divider: Vec<u8>,
}

impl Interior {
    fn new(layout: Layout, kind: PageKind) -> Self {
        Self { layout, kind, levels: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// Adds a child and what divides it from the next, at a level above the leaves.
    fn push(&mut self, at: usize, child: u32, divider: Vec<u8>, sink: &dyn PageSink) -> Result<()> {
        let (mut at, mut child, mut divider) = (at, child, divider);
        loop {
            let empty = || PageBuilder::new(self.layout, self.kind);
            if at == self.levels.len() {
                self.levels.push(Level { page: empty(), full: None });
            }
            let Some(level) = self.levels.get_mut(at) else { return Err(too_large()) };
            if !level.page.push(&child.to_be_bytes(), &divider) {
                if level.page.is_empty() {
                    return Err(too_large());
                }
                let page = std::mem::replace(&mut level.page, empty());
                level.full = Some(Full { page, right: child, divider });
                return Ok(());
            }
            let Some(mut full) = level.full.take() else { return Ok(()) };
            child = sink.append(full.page.finish(Some(full.right)))?;
            divider = full.divider;
            at += 1;
        }
    }

    /// Writes what is left, given the last child of all.
    fn finish(mut self, last: u32, root: u32, sink: &dyn PageSink) -> Result<()> {
        let (mut at, mut child) = (0, last);
        while let Some(level) = self.levels.get_mut(at) {
            if let Some(mut full) = level.full.take() {
                let cell = full.page.pop().ok_or_else(too_large)?;
                let (right, divider) = cell.split_first_chunk::<4>().ok_or_else(too_large)?;
                if full.page.is_empty() || !level.page.push(&full.right.to_be_bytes(), &full.divider) {
                    return Err(too_large());
                }
                let number = sink.append(full.page.finish(Some(u32::from_be_bytes(*right))))?;
                self.push(at + 1, number, divider.to_vec(), sink)?;
            }
            let is_top = at + 1 == self.levels.len();
            let Some(level) = self.levels.get_mut(at) else { return Err(too_large()) };
            let page = level.page.finish(Some(child));
            if is_top {
                return sink.put(root, page);
            }
            child = sink.append(page)?;
            at += 1;
        }
        Err(too_large())
    }
}

/// At least four cells fit every page, by the format's rules on what a cell holds; so this is never seen.
fn too_large() -> Error {
    Error::database("a b-tree page does not hold the cells that the file format promises")
}
