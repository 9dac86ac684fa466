//! Walks the b-tree that holds a table's rows, in its order, and hands out the records.
//!
//! The pages may be damaged or forged: whatever they say, the walk ends. It goes no deeper than SQLite's own, enters no page
//! twice, and joins no more overflow pages than a record can fill.

use super::pages::{PageReader, Pages};
use crate::error::Error;
use crate::sqlite_file::{Page, Payload, Tree};

/// SQLite's own bound: a sound b-tree of this depth would not fit into a file.
const MAX_DEPTH: usize = 20;

/// What stopped a walk.
pub(super) enum Stop {
    /// The pages contradict themselves; what was found, in words.
    Damage(&'static str),
    /// SQLite gave no page.
    Unread(Error),
    /// Whoever was sent a record failed.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The result of a walk.
pub(super) type Walked<T> = Result<T, Stop>;

/// A page on the way from the root to where the walk is.
struct Level {
    bytes: Vec<u8>,
    is_first: bool,
    /// The child that is visited next.
    next: usize,
}

/// A walk through one b-tree.
pub(super) struct Walk<'p, 'c> {
    pages: &'p mut Pages<'c>,
    tree: Tree,
    way: Vec<Level>,
    /// Buffers of pages that were left.
    spare: Vec<Vec<u8>>,
    /// A record that spans pages.
    joined: Vec<u8>,
    entered: Entered,
}

impl<'p, 'c> Walk<'p, 'c> {
    /// Stands before the first record. `None` if the root page is not of such a tree.
    pub(super) fn from(pages: &'p mut Pages<'c>, root: u32, tree: Tree) -> Option<Self> {
        let (way, spare, joined, entered) = (Vec::new(), Vec::new(), Vec::new(), Entered::default());
        let mut walk = Self { pages, tree, way, spare, joined, entered };
        walk.note(root).ok()?;
        let mut bytes = Vec::new();
        walk.pages.tree.look_at(root, |page| page.map(|page| bytes.extend_from_slice(page))).ok()??;
        walk.way.push(Level { bytes, is_first: root == 1, next: 0 });
        let page = parsed(&walk.way.last()?.bytes, root == 1, tree).ok()?;
        (page.is_leaf() || page.cells() > 0).then_some(walk)
    }

    /// Sends all records to `visit`: the row id (0 in an index) and the record.
    pub(super) fn run(&mut self, visit: &mut impl FnMut(i64, &[u8]) -> Walked<()>) -> Walked<()> {
        while let Some(level) = self.way.last_mut() {
            let page = parsed(&level.bytes, level.is_first, self.tree)?;
            let longest = self.pages.longest_record();
            let mut joiner = Joiner { pages: &mut self.pages.overflow, longest, joined: &mut self.joined };
            if page.is_leaf() {
                joiner.visit_leaf(&page, visit)?;
                self.leave();
                continue;
            }
            let next = level.next;
            // Between two children of an index's page stands a record.
            if let (Tree::Index, Some(before)) = (self.tree, next.checked_sub(1))
                && before < page.cells()
            {
                visit(0, joiner.whole(page.entry(before).ok_or(BAD_CELL)?)?)?;
            }
            if next > page.cells() {
                self.leave();
                continue;
            }
            let child = page.child(next).ok_or(BAD_CELL)?;
            level.next += 1;
            self.enter(child, visit)?;
        }
        Ok(())
    }

    /// Notes that a page is entered, if it may be.
    fn note(&mut self, number: u32) -> Walked<()> {
        if self.way.len() == MAX_DEPTH {
            return Err(Stop::Damage("a b-tree is deeper than any can be"));
        }
        // Before memory is taken for it.
        if number > self.pages.count() {
            return Err(OUTSIDE);
        }
        if !self.entered.is_first_time(number) {
            return Err(Stop::Damage("a page stands in a b-tree twice"));
        }
        Ok(())
    }

    /// Enters a page below the root. The records of a leaf are sent at once, from where SQLite has it.
    fn enter(&mut self, number: u32, visit: &mut impl FnMut(i64, &[u8]) -> Walked<()>) -> Walked<()> {
        self.note(number)?;
        let Self { pages, tree, way, spare, joined, .. } = self;
        let longest = pages.longest_record();
        let mut joiner = Joiner { pages: &mut pages.overflow, longest, joined };
        let look = |bytes: Option<&[u8]>| {
            let bytes = bytes.ok_or(OUTSIDE)?;
            let is_first = number == 1;
            let page = parsed(bytes, is_first, *tree)?;
            if page.cells() == 0 {
                return Err(Stop::Damage("a page of a b-tree is empty"));
            }
            if page.is_leaf() {
                return joiner.visit_leaf(&page, visit);
            }
            let mut copy = spare.pop().unwrap_or_default();
            copy.clear();
            copy.extend_from_slice(bytes);
            way.push(Level { bytes: copy, is_first, next: 0 });
            Ok(())
        };
        pages.tree.look_at(number, look).map_err(Stop::Unread)?
    }

    fn leave(&mut self) {
        self.spare.extend(self.way.pop().map(|level| level.bytes));
    }
}

const BAD_CELL: Stop = Stop::Damage("a cell of a b-tree page is not inside it");
const OUTSIDE: Stop = Stop::Damage("a page number is not one of the database");

fn parsed(bytes: &[u8], is_first: bool, tree: Tree) -> Walked<Page<'_>> {
    Page::parse(bytes, is_first)
        .filter(|page| page.tree() == tree)
        .ok_or(Stop::Damage("a page is not of the table's b-tree"))
}

/// The pages that were entered, one bit each: 32 MB for a terabyte in pages of 4 KiB.
#[derive(Default)]
struct Entered {
    bits: Vec<u64>,
}

impl Entered {
    /// Notes the page. SQLite would read one that is reached twice a second time and give its rows again.
    fn is_first_time(&mut self, number: u32) -> bool {
        let (word, bit) = ((number / 64) as usize, 1_u64 << (number % 64));
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.bits.get_mut(word).is_some_and(|bits| {
            let is_first = *bits & bit == 0;
            *bits |= bit;
            is_first
        })
    }
}

/// Makes payloads whole.
struct Joiner<'a, 'c> {
    pages: &'a mut PageReader<'c>,
    longest: u64,
    joined: &'a mut Vec<u8>,
}

impl Joiner<'_, '_> {
    /// Sends all records of a leaf.
    #[inline]
    fn visit_leaf(&mut self, page: &Page<'_>, visit: &mut impl FnMut(i64, &[u8]) -> Walked<()>) -> Walked<()> {
        match page.tree() {
            Tree::Table => {
                for index in 0..page.cells() {
                    let (row_id, payload) = page.row(index).ok_or(BAD_CELL)?;
                    visit(row_id, self.whole(payload)?)?;
                }
            }
            Tree::Index => {
                for index in 0..page.cells() {
                    visit(0, self.whole(page.entry(index).ok_or(BAD_CELL)?)?)?;
                }
            }
        }
        Ok(())
    }

    /// The record: where it stands if it is in one piece, else a copy of all pieces.
    #[inline]
    fn whole<'r>(&'r mut self, payload: Payload<'r>) -> Walked<&'r [u8]> {
        match payload.overflow {
            None => Ok(payload.local),
            Some(first) => self.join(payload, first),
        }
    }

    #[cold]
    fn join(&mut self, payload: Payload<'_>, first: u32) -> Walked<&[u8]> {
        let length = usize::try_from(payload.length).ok().filter(|_| payload.length <= self.longest);
        let length = length.ok_or(Stop::Damage("a record is longer than any can be"))?;
        self.joined.clear();
        self.joined.extend_from_slice(payload.local);
        let Self { pages, joined, .. } = self;
        let mut next = first;
        while joined.len() < length {
            let look = |page: Option<&[u8]>| {
                let (link, content) = page?.split_first_chunk::<4>()?;
                joined.extend_from_slice(content.get(..length - joined.len()).unwrap_or(content));
                Some(u32::from_be_bytes(*link))
            };
            next = pages.look_at(next, look).map_err(Stop::Unread)?.ok_or(OUTSIDE)?;
        }
        Ok(joined)
    }
}
