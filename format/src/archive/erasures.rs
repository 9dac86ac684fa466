//! Erasure records: what was erased from an archive, when and why, without a byte of it (`spec/format.md` §4.5).

use serde::{Deserialize, Serialize};

use super::rules::{self, Broken};
use crate::container::{ContainerReader, ErasuresLink, FrameKind};
use crate::encoding::canonical;
use crate::error::{Error, Result};
use crate::model::{Cell, Cells};
use crate::wire;

/// One erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureRecord {
    /// When, in microseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// The table that rows were chosen in.
    pub table: String,
    /// The columns whose cells chose them.
    pub columns: Vec<String>,
    /// Rows taken out of that table, over all snapshots: a row that three held counts three times.
    pub rows: u64,
    /// Other tables that lost rows with it, and how many; sorted by name.
    pub others: Vec<(String, u64)>,
    /// Snapshots that lost rows.
    pub snapshots: u64,
    /// Why; may be empty.
    pub reason: String,
    /// Random bytes that went into the digests; they also tell this record from all others.
    pub salt: [u8; 32],
    /// Digests of the cells that chose the rows, as [`key_digest`] gives them, each once, ascending.
    pub keys: Vec<[u8; 32]>,
    /// Every snapshot of the archive then: its number, its root before and its root after; ascending.
    pub roots: Vec<(u64, [u8; 32], [u8; 32])>,
}

impl ErasureRecord {
    /// Rows that all tables lost, over all snapshots.
    pub fn all_rows(&self) -> u64 {
        self.others.iter().fold(self.rows, |sum, (_, rows)| sum.saturating_add(*rows))
    }
}

/// The salted digest of the cells by which a row was chosen: `columns` are their names and `cells` the cells, in order. It
/// tells whoever knows these cells that they were erased, and nobody else what they were (but for cells that can be guessed).
pub fn key_digest(salt: &[u8; 32], table: &str, columns: &[String], cells: &[Cell<'_>]) -> Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new_derive_key("tabark 1 erased key");
    hasher.update(salt);
    let mut update = |bytes: &[u8]| {
        hasher.update(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        hasher.update(bytes);
    };
    update(table.as_bytes());
    for (column, cell) in columns.iter().zip(cells) {
        let mut one = Cells::new();
        one.push(cell)?;
        update(column.as_bytes());
        update(&canonical(&one));
    }
    Ok(*hasher.finalize().as_bytes())
}

/// All records of an archive, in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ErasureRecords {
    pub(super) records: Vec<ErasureRecord>,
}

impl ErasureRecords {
    pub(super) fn check(&self) -> std::result::Result<(), Broken> {
        let mut salts: Vec<_> = self.records.iter().map(|record| record.salt).collect();
        salts.sort_unstable();
        for record in &self.records {
            let others = record.others.iter().map(|(name, _)| name);
            rules::check_names(record.columns.iter().chain(others).chain([&record.table]).map(String::as_str))?;
        }
        let broken = if self.records.is_empty() {
            Some("erasure records that are none")
        } else if salts.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            Some("two erasure records of one salt")
        } else {
            self.records.iter().find_map(wrong)
        };
        broken.map_or(Ok(()), |why| Err(rules::manifest(why)))
    }
}

/// What is wrong with a record, if anything is.
fn wrong(record: &ErasureRecord) -> Option<&'static str> {
    let ascends = |sorted: bool, why| (!sorted).then_some(why);
    if record.columns.is_empty() || record.keys.is_empty() || record.roots.is_empty() {
        return Some("an erasure record without columns, digests or roots");
    }
    let all = record.roots.len() as u64;
    if record.rows == 0 || record.others.iter().any(|(_, rows)| *rows == 0) || !(1..=all).contains(&record.snapshots) {
        return Some("an erasure record of no rows, or of more snapshots than there were");
    }
    let others = record.others.windows(2).all(|pair| matches!(pair, [(a, _), (b, _)] if a < b))
        && record.others.iter().all(|(name, _)| *name != record.table);
    ascends(others, "tables of an erasure record that are not sorted or not unique")
        .or_else(|| {
            let sorted = record.keys.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
            ascends(sorted, "digests of an erasure record that are not sorted or not unique")
        })
        .or_else(|| {
            let sorted = record.roots.windows(2).all(|pair| matches!(pair, [(a, ..), (b, ..)] if a < b));
            ascends(sorted, "roots of an erasure record that are not sorted or not unique")
        })
}

/// The records that a commit at `commit` links to.
pub(super) fn read(container: &ContainerReader, link: &ErasuresLink, commit: u64) -> Result<Vec<ErasureRecord>> {
    let reference = container.erasures(link, commit)?;
    let body = container.body(&reference, FrameKind::ErasureRecords)?;
    let found: ErasureRecords =
        wire::decode(&body, "erasure records").map_err(|error: Error| error.at(reference.offset))?;
    rules::damaged(found.check(), reference.offset)?;
    Ok(found.records)
}

/// The body of the frame of these records.
pub(super) fn encode(records: Vec<ErasureRecord>) -> Result<Vec<u8>> {
    let records = ErasureRecords { records };
    rules::refused(records.check())?;
    wire::encode(&records)
}
