//! One b-tree page in the making: cells are put at its end, downwards, and pointers to them at its beginning.

use super::layout::Layout;

/// Kinds of b-tree pages, by the byte that the page begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageKind {
    /// Keys of an index and the pages between them.
    IndexInterior,
    /// Row ids of a table and the pages between them.
    TableInterior,
    /// Keys of an index.
    IndexLeaf,
    /// Rows of a table.
    TableLeaf,
}

impl PageKind {
    const fn byte(self) -> u8 {
        match self {
            Self::IndexInterior => 0x02,
            Self::TableInterior => 0x05,
            Self::IndexLeaf => 0x0A,
            Self::TableLeaf => 0x0D,
        }
    }

    /// Bytes before the pointers to the cells.
    const fn header(self) -> usize {
        match self {
            Self::IndexInterior | Self::TableInterior => 12,
            Self::IndexLeaf | Self::TableLeaf => 8,
        }
    }
}

/// Bytes that even the smallest cell takes: it must be large enough to become part of the list of free blocks.
const MIN_CELL: usize = 4;

/// A page that is being filled.
#[derive(Debug)]
pub(crate) struct PageBuilder {
    kind: PageKind,
    bytes: Vec<u8>,
    cells: usize,
    /// Where the cells begin.
    content: usize,
    /// Bytes of the cell that was put last.
    last: usize,
}

impl PageBuilder {
    /// An empty page.
    pub(crate) fn new(layout: Layout, kind: PageKind) -> Self {
        Self { kind, bytes: vec![0; layout.page_size()], cells: 0, content: layout.usable(), last: 0 }
    }

    /// Has it no cell?
    pub(crate) fn is_empty(&self) -> bool {
        self.cells == 0
    }

    /// Puts a cell, given in two parts, after the others. False, and nothing is done, if there is no room for it.
    pub(crate) fn push(&mut self, head: &[u8], tail: &[u8]) -> bool {
        let length = head.len() + tail.len();
        let pointer = self.kind.header() + 2 * self.cells;
        let Some(start) = self.content.checked_sub(length.max(MIN_CELL)).filter(|start| *start >= pointer + 2) else {
            return false;
        };
        let Ok(place) = u16::try_from(start) else { return false };
        self.put(start, head);
        self.put(start + head.len(), tail);
        self.put(pointer, &place.to_be_bytes());
        self.cells += 1;
        self.content = start;
        self.last = length;
        true
    }

    /// Takes the last cell away, which only the last that was put can be.
    pub(crate) fn pop(&mut self) -> Option<Vec<u8>> {
        let cell = self.bytes.get(self.content..self.content + self.last)?.to_vec();
        self.cells = self.cells.checked_sub(1)?;
        let free = self.last.max(MIN_CELL);
        self.put(self.content, &vec![0; free]);
        self.content += free;
        self.last = 0;
        Some(cell)
    }

    /// The page as it stands in the file; `right` is the last child of an interior page.
    pub(crate) fn finish(&mut self, right: Option<u32>) -> &[u8] {
        let header = self.kind.header();
        let cells = u16::try_from(self.cells).unwrap_or(u16::MAX);
        // 65,536 is written as 0.
        let content = u16::try_from(self.content).unwrap_or(0);
        self.put(0, &[self.kind.byte(), 0, 0]);
        self.put(3, &cells.to_be_bytes());
        self.put(5, &content.to_be_bytes());
        self.put(7, &[0]);
        if let Some(right) = right {
            self.put(8, &right.to_be_bytes());
        }
        if let Some(free) = self.bytes.get_mut(header + 2 * self.cells..self.content) {
            free.fill(0);
        }
        &self.bytes
    }

    /// Makes it empty again.
    pub(crate) fn clear(&mut self, layout: Layout) {
        self.cells = 0;
        self.content = layout.usable();
        self.last = 0;
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_downwards_from_the_end_and_no_byte_is_lost() {
        let layout = Layout::new(512, 12).unwrap();
        let mut page = PageBuilder::new(layout, PageKind::IndexLeaf);
        assert!(page.push(b"ab", b"cde") && page.push(b"x", b"") && page.push(b"12", b"3456"));
        assert_eq!(page.pop().unwrap(), b"123456");
        let bytes = page.finish(None);
        assert_eq!(bytes[..12], [0x0A, 0, 0, 0, 2, 1, 235, 0, 1, 239, 1, 235]);
        assert_eq!(bytes[491..500], *b"x\0\0\0abcde");
        assert!(bytes[12..491].iter().chain(&bytes[500..]).all(|byte| *byte == 0));
    }

    #[test]
    fn a_page_is_full_when_no_byte_is_left() {
        let layout = Layout::new(65_536, 0).unwrap();
        let mut page = PageBuilder::new(layout, PageKind::TableLeaf);
        assert_eq!(page.finish(None)[5..7], [0, 0]);
        let room = 65_536 - 8 - 2;
        assert!(!page.push(&vec![1; room], &[1]) && page.is_empty());
        assert!(page.push(&vec![1; room], &[]));
        assert!(!page.push(&[1], &[]) && page.pop().is_none_or(|cell| cell.len() == room));
        assert!(page.is_empty());
    }
}
