//! Reading one page of a b-tree: its header, its cell pointers, and the cells they lead to.
//!
//! Everything borrows from the page's bytes. `None` means that the bytes are not such a page or cell: the database is
//! damaged there.

use super::layout::{Tree, local_length};
use super::varint::read_varint;

/// Bytes at the beginning of the first page, before its b-tree.
pub(crate) const FILE_HEADER: usize = 100;

/// One page of a b-tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    /// The usable bytes, from the page's beginning: cell pointers count from there.
    bytes: &'a [u8],
    pointers: &'a [[u8; 2]],
    tree: Tree,
    /// The page after the last cell, in interior pages.
    right: Option<u32>,
}

/// A payload as a cell has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Payload<'a> {
    /// Bytes of the whole payload.
    pub(crate) length: u64,
    /// Those that stand in the cell.
    pub(crate) local: &'a [u8],
    /// The page where the rest begins, if there is one.
    pub(crate) overflow: Option<u32>,
}

impl<'a> Page<'a> {
    /// The b-tree page in these usable bytes of a page. Of the first page of a file, the b-tree begins after the file header.
    pub(crate) fn parse(bytes: &'a [u8], is_first: bool) -> Option<Self> {
        let header = bytes.get(if is_first { FILE_HEADER } else { 0 }..)?;
        let (fixed, rest) = header.split_first_chunk::<8>()?;
        let [kind, _, _, high, low, ..] = *fixed;
        let (tree, is_leaf) = match kind {
            0x0D => (Tree::Table, true),
            0x05 => (Tree::Table, false),
            0x0A => (Tree::Index, true),
            0x02 => (Tree::Index, false),
            _ => return None,
        };
        let (right, rest) = if is_leaf {
            (None, rest)
        } else {
            let (right, rest) = rest.split_first_chunk::<4>()?;
            (Some(u32::from_be_bytes(*right)), rest)
        };
        let cells = usize::from(u16::from_be_bytes([high, low]));
        let (pointers, _) = rest.get(..2 * cells)?.as_chunks::<2>();
        Some(Self { bytes, pointers, tree, right })
    }

    pub(crate) fn tree(&self) -> Tree {
        self.tree
    }

    pub(crate) fn is_leaf(&self) -> bool {
        self.right.is_none()
    }

    /// Number of cells.
    pub(crate) fn cells(&self) -> usize {
        self.pointers.len()
    }

    /// The bytes from the beginning of a cell to the end of the page.
    #[inline]
    fn cell(&self, index: usize) -> Option<&'a [u8]> {
        let offset = usize::from(u16::from_be_bytes(*self.pointers.get(index)?));
        self.bytes.get(offset..)
    }

    /// The child before the cell of this index; after the last cell, the right child. Interior pages only.
    pub(crate) fn child(&self, index: usize) -> Option<u32> {
        if index == self.cells() {
            return self.right;
        }
        self.cell(index)?.first_chunk().map(|child| u32::from_be_bytes(*child)).filter(|_| !self.is_leaf())
    }

    /// The row id and the payload of a cell in a leaf of a table's b-tree.
    #[inline]
    pub(crate) fn row(&self, index: usize) -> Option<(i64, Payload<'a>)> {
        let cell = self.cell(index)?;
        let (length, used) = read_varint(cell)?;
        let cell = cell.get(used..)?;
        let (row_id, used) = read_varint(cell)?;
        Some((row_id.cast_signed(), self.payload(length, cell.get(used..)?)?))
    }

    /// The payload of a cell in an index's b-tree.
    #[inline]
    pub(crate) fn entry(&self, index: usize) -> Option<Payload<'a>> {
        let cell = self.cell(index)?;
        let cell = if self.is_leaf() { cell } else { cell.get(4..)? };
        let (length, used) = read_varint(cell)?;
        self.payload(length, cell.get(used..)?)
    }

    #[inline]
    fn payload(&self, length: u64, rest: &'a [u8]) -> Option<Payload<'a>> {
        let stored = local_length(self.tree, self.bytes.len(), length)?;
        let (local, rest) = rest.split_at_checked(stored)?;
        let overflow = if length > stored as u64 { Some(u32::from_be_bytes(*rest.first_chunk()?)) } else { None };
        Some(Payload { length, local, overflow })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// A page of `size` bytes that begins with `start`; `at` are bytes elsewhere.
    fn page(size: usize, start: &[u8], at: &[(usize, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; size];
        for (place, part) in [(0, start)].iter().chain(at) {
            bytes.splice(place..&(place + part.len()), part.iter().copied());
        }
        bytes
    }

    #[test]
    fn a_leaf_gives_its_rows() {
        let bytes =
            page(512, &[0x0D, 0, 0, 0, 2, 0, 0, 0, 1, 0, 1, 244], &[(256, &[3, 0x81, 0x00, 7, 8, 9]), (500, &[0, 5])]);
        let page = Page::parse(&bytes, false).unwrap();
        assert_eq!((page.tree(), page.is_leaf(), page.cells()), (Tree::Table, true, 2));
        assert_eq!(page.row(0), Some((128, Payload { length: 3, local: &[7, 8, 9], overflow: None })));
        assert_eq!(page.row(1), Some((5, Payload { length: 0, local: &[], overflow: None })));
        assert_eq!((page.row(2), page.child(0), page.child(2)), (None, None, None));
    }

    #[test]
    fn an_interior_page_gives_its_children_and_an_index_its_entries_too() {
        for (kind, entry) in [(0x05, None), (0x02, Some(Payload { length: 1, local: &[9], overflow: None }))] {
            let bytes = page(512, &[kind, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, 1, 0], &[(256, &[0, 0, 1, 2, 1, 9])]);
            let page = Page::parse(&bytes, false).unwrap();
            assert_eq!((page.child(0), page.child(1), page.child(2)), (Some(258), Some(7), None));
            assert_eq!(page.entry(0).filter(|_| page.tree() == Tree::Index), entry);
        }
    }

    #[test]
    fn what_is_no_page_is_refused() {
        assert!(Page::parse(&page(512, &[0], &[]), false).is_none());
        assert!(Page::parse(&page(512, &[0x0D, 0, 0, 1, 0], &[]), false).is_none(), "pointers beyond the page");
        assert!(Page::parse(&[0x0D, 0, 0], false).is_none());
        assert!(Page::parse(&page(512, &[], &[(FILE_HEADER, &[0x0D])]), true).is_some());
        let outside = page(512, &[0x0D, 0, 0, 0, 1, 0, 0, 0, 2, 0], &[]);
        assert_eq!(Page::parse(&outside, false).unwrap().row(0), None);
        let long = page(512, &[0x0D, 0, 0, 0, 1, 0, 0, 0, 1, 254], &[(510, &[9, 1])]);
        assert_eq!(Page::parse(&long, false).unwrap().row(0), None, "a payload beyond the page");
    }

    /// The file format document's example sizes: what spills leaves between the least and the most in the cell.
    #[test]
    fn what_stays_in_the_cell_follows_the_format() {
        assert_eq!(local_length(Tree::Table, 512, 477), Some(477));
        assert_eq!(local_length(Tree::Table, 512, 478), Some(39));
        assert_eq!(local_length(Tree::Table, 512, 39 + 508 + 438), Some(477));
        assert_eq!(local_length(Tree::Table, 512, 39 + 508 + 439), Some(39));
        assert_eq!(local_length(Tree::Index, 4096, 1002), Some(1002));
        assert_eq!(local_length(Tree::Index, 4096, 1003), Some(489));
        assert_eq!(local_length(Tree::Index, 4096, 489 + 4092 + 513), Some(1002));
        assert_eq!(local_length(Tree::Index, 4096, 489 + 4092 + 514), Some(489));
        assert!(local_length(Tree::Table, 4096, u64::MAX).is_some_and(|stored| stored <= 4061));
        assert_eq!(local_length(Tree::Index, 100, 1000), None);
    }
}
