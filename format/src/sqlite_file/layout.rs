//! How a database file is divided: its pages, and how much of a payload stands in a cell.

/// Bytes of the file that locks are put on. No page with one of them is ever used.
const LOCK_BYTES_AT: u64 = 1 << 30;

/// The largest page number.
const MAX_PAGE: u32 = 0xFFFF_FFFE;

/// The smallest usable page that SQLite allows.
const MIN_USABLE: usize = 480;

/// Sizes that hold for all pages of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    page_size: usize,
    usable: usize,
}

/// Whose rows or entries a b-tree holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tree {
    /// Rows by row id; all of them in leaves.
    Table,
    /// Records in the order of their first fields, in leaves and between them: an index, or the rows of a WITHOUT ROWID table.
    Index,
}

impl Layout {
    /// Pages of this many bytes, of which so many at the end are reserved; `None` if SQLite has no such pages.
    pub(crate) fn new(page_size: usize, reserved: usize) -> Option<Self> {
        let usable = page_size.checked_sub(reserved).filter(|usable| *usable >= MIN_USABLE)?;
        (page_size.is_power_of_two() && (512..=65_536).contains(&page_size)).then_some(Self { page_size, usable })
    }

    /// The layout that the first 100 bytes of a file tell.
    pub(crate) fn of_header(header: &[u8]) -> Option<Self> {
        let page_size = match u16::from_be_bytes(*header.get(16..)?.first_chunk()?) {
            1 => 65_536,
            size => usize::from(size),
        };
        Self::new(page_size, usize::from(*header.get(20)?))
    }

    /// Bytes of a page.
    pub(crate) const fn page_size(self) -> usize {
        self.page_size
    }

    /// Bytes of a page that are not reserved.
    pub(crate) const fn usable(self) -> usize {
        self.usable
    }

    /// Bytes of a payload that stand in its cell; the rest goes to overflow pages.
    pub(crate) fn local(self, tree: Tree, payload: usize) -> usize {
        // Pages are never smaller than SQLite allows, so the rule always has an answer.
        local_length(tree, self.usable, payload as u64).unwrap_or(payload)
    }

    /// The number of the page that the lock bytes are in.
    fn lock_page(self) -> u64 {
        LOCK_BYTES_AT / self.page_size as u64 + 1
    }

    /// The page that is used after the page `last`; `None` if the file is full.
    pub(crate) fn page_after(self, last: u32) -> Option<u32> {
        let next = last.checked_add(1)?;
        let next = if u64::from(next) == self.lock_page() { next.checked_add(1)? } else { next };
        (next <= MAX_PAGE).then_some(next)
    }

    /// Where a page begins in the file. Pages count from 1.
    pub(crate) fn offset(self, page: u32) -> u64 {
        u64::from(page).saturating_sub(1) * self.page_size as u64
    }
}

/// How many bytes of a payload of this length stand in its cell, on pages of so many usable bytes; `None` where pages are
/// smaller than SQLite allows.
#[inline]
pub(crate) fn local_length(tree: Tree, usable: usize, length: u64) -> Option<usize> {
    let most = match tree {
        Tree::Table => usable.checked_sub(35)?,
        Tree::Index => (usable.checked_sub(12)? * 64 / 255).checked_sub(23)?,
    };
    if let Ok(length) = usize::try_from(length)
        && length <= most
    {
        return Some(length);
    }
    let least = (usable.checked_sub(12)? * 32 / 255).checked_sub(23)?;
    let remainder = length.checked_sub(least as u64)? % usable.checked_sub(4)? as u64;
    let stored = least + usize::try_from(remainder).ok()?;
    Some(if stored <= most { stored } else { least })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_the_lock_bytes_is_left_out() {
        for page_size in (9..=16).map(|bits| 1_usize << bits) {
            let layout = Layout::new(page_size, 0).unwrap();
            let before = u32::try_from(LOCK_BYTES_AT / page_size as u64).unwrap();
            assert_eq!(layout.page_after(before - 1), Some(before));
            assert_eq!(layout.page_after(before), Some(before + 2), "{page_size}");
            assert_eq!(layout.page_after(before + 2), Some(before + 3));
            assert_eq!(layout.offset(before + 1), LOCK_BYTES_AT);
        }
        assert_eq!(Layout::new(512, 0).unwrap().page_after(MAX_PAGE), None);
    }

    #[test]
    fn only_sqlites_sizes_are_sizes() {
        for (page_size, reserved, is) in
            [(512, 0, true), (512, 32, true), (512, 33, false), (65_536, 255, true), (256, 0, false), (3000, 0, false)]
        {
            assert_eq!(Layout::new(page_size, reserved).is_some(), is, "{page_size} {reserved}");
        }
        assert!(Layout::new(1 << 17, 0).is_none());
    }

    #[test]
    fn payloads_spill_as_the_format_says() {
        let layout = Layout::new(4096, 0).unwrap();
        // The document's own figures for 4096: at most 4061 of a row and 1002 of a key, at least 489.
        assert_eq!(layout.local(Tree::Table, 4061), 4061);
        assert_eq!(layout.local(Tree::Table, 4062), 489);
        assert_eq!(layout.local(Tree::Index, 1002), 1002);
        assert_eq!(layout.local(Tree::Index, 1003), 489);
        // What fills the last overflow page exactly stays.
        assert_eq!(layout.local(Tree::Table, 489 + 4092), 489);
        assert_eq!(layout.local(Tree::Table, 700 + 4092), 700);
    }
}
