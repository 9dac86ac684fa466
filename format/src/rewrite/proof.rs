//! The proof before the old archive is replaced: the new one holds, cell by cell, what was to be kept.

use std::collections::HashMap;

use super::engine::Copied;
use super::{RewrittenSnapshot, RowRule};
use crate::archive::{
    Archive, ErasureRecord, Fingerprinter, SliceReference, Snapshot, SnapshotSummary, Table, TableEntry, VerifyOptions,
    verify,
};
use crate::error::{Error, Result};
use crate::model::RowSink;
use crate::observer::{Observer, check_cancelled};

/// Checks that the new archive holds these snapshots and no others, with the tables, rows and fingerprints that they had in the
/// old one (where no row was dropped), and that every cell of it is what its fingerprints say.
pub(super) fn prove<'d>(
    old: &Archive,
    new: &Archive,
    copied: &[Copied],
    rule: Option<&mut (dyn RowRule + 'd)>,
    observer: &'d dyn Observer,
) -> Result<()> {
    let report = verify(new, &VerifyOptions::default().full(true), observer)?;
    if let Some(finding) = report.findings.into_iter().next() {
        return Err(finding.error.noting("found while what was written was read back").with_hint(KEPT));
    }
    let snapshots = new.snapshots()?;
    if snapshots.len() != copied.len() {
        return Err(unproven(format!("{} snapshots instead of {}", snapshots.len(), copied.len())));
    }
    let mut remains = Remains { rule, before: HashMap::new(), observer };
    for (summary, copied) in snapshots.into_iter().zip(copied) {
        check_snapshot(&old.snapshot(copied.summary.clone())?, &new.snapshot(summary)?, copied, &mut remains)?;
    }
    Ok(())
}

/// Checks that the new archive tells of these erasures.
pub(super) fn check_records(new: &Archive, records: &[ErasureRecord]) -> Result<()> {
    if new.erasures()? == records { Ok(()) } else { Err(unproven("it tells of other erasures")) }
}

const KEPT: &str = "the archive was not changed; `tabark verify --full` tells whether it is intact";

fn unproven(what: impl std::fmt::Display) -> Error {
    Error::not_proven(format!("the new archive is not what the old one is: {what}")).with_hint(KEPT)
}

fn check_snapshot(
    old: &Snapshot<'_>,
    new: &Snapshot<'_>,
    copied: &Copied,
    remains: &mut Remains<'_, '_>,
) -> Result<()> {
    let (before, now) = (old.manifest(), new.manifest());
    let number = before.number;
    let says = (before.number, before.time, &before.tags, &before.source, &before.writer, &before.omitted);
    if says != (now.number, now.time, &now.tags, &now.source, &now.writer, &now.omitted) {
        return Err(unproven(format!("snapshot {number} says other things of itself")));
    }
    if copied.dropped.is_empty() && before.fingerprint != now.fingerprint {
        return Err(unproven(format!("snapshot {number} has another fingerprint")));
    }
    if old.catalog().objects != new.catalog().objects {
        return Err(unproven(format!("snapshot {number} has other objects")));
    }
    if old.catalog().tables.len() != new.catalog().tables.len() {
        return Err(unproven(format!("snapshot {number} has other tables")));
    }
    for (before, now) in old.catalog().tables.iter().zip(&new.catalog().tables) {
        let dropped = copied.dropped.get(&before.name).copied().unwrap_or_default();
        check_table((old, before), (new, now), dropped, remains).map_err(|error| error.in_table(&before.name))?;
    }
    Ok(())
}

fn check_table(
    (old, before): (&Snapshot<'_>, &TableEntry),
    (new, now): (&Snapshot<'_>, &TableEntry),
    dropped: u64,
    remains: &mut Remains<'_, '_>,
) -> Result<()> {
    let refuse = |what| Err(unproven(format!("snapshot {} has a table with {what}", new.summary().number)));
    if before.name != now.name {
        return refuse("another name");
    }
    if before.rows.checked_sub(dropped) != Some(now.rows) {
        return refuse("another number of rows");
    }
    if dropped == 0 && before.fingerprint != now.fingerprint {
        return refuse("another fingerprint");
    }
    let summary = new.summary();
    let (old, new) = (old.open_table(before)?, new.open_table(now)?);
    if old.schema() != new.schema() || old.manifest().filters != new.manifest().filters {
        return refuse("another schema, or other filters");
    }
    if dropped == 0 && old.manifest().logical_bytes != new.manifest().logical_bytes {
        return refuse("cells of another size");
    }
    if dropped > 0 && remains.fingerprint(summary, &old, before)? != Some(now.fingerprint) {
        return refuse("other rows than those that were to stay");
    }
    Ok(())
}

/// What is left of tables that lose rows: it is read from the old archive once more, and has a fingerprint of its own.
struct Remains<'r, 'd> {
    rule: Option<&'r mut (dyn RowRule + 'd)>,
    /// Of the snapshot before, by table: where it stood, the edition of what the rule said of it, and the fingerprint.
    before: HashMap<String, (SliceReference, u64, [u8; 32])>,
    observer: &'d dyn Observer,
}

impl Remains<'_, '_> {
    fn fingerprint(
        &mut self,
        snapshot: &SnapshotSummary,
        table: &Table<'_>,
        entry: &TableEntry,
    ) -> Result<Option<[u8; 32]>> {
        let Some(rule) = &mut self.rule else { return Ok(None) };
        let Some(columns) = rule.columns(snapshot, table.schema())? else { return Ok(None) };
        let edition = rule.edition();
        if let Some((manifest, of, fingerprint)) = self.before.get(&entry.name)
            && (*manifest, *of) == (entry.manifest, edition)
        {
            return Ok(Some(*fingerprint));
        }
        let all: Vec<usize> = (0..table.schema().columns.len()).collect();
        let mut fingerprinter = Fingerprinter::new(table.schema());
        for place in table.groups() {
            check_cancelled(self.observer)?;
            let place = place?;
            let drops = if rule.may_drop(&place.entry)? {
                rule.rows_to_drop(&table.read_group(&place, &columns)?)?
            } else {
                Vec::new()
            };
            let (mut number, mut drops) = (0, drops.into_iter().peekable());
            table.read_group(&place, &all)?.for_each_row(|row| {
                let goes = drops.next_if_eq(&number).is_some();
                number += 1;
                if goes { Ok(()) } else { fingerprinter.row(row) }
            })?;
        }
        let fingerprint = fingerprinter.finish().table;
        self.before.insert(entry.name.clone(), (entry.manifest, edition, fingerprint));
        Ok(Some(fingerprint))
    }
}

/// What became of the snapshots.
pub(super) fn report(new: &Archive, copied: &[Copied]) -> Result<Vec<RewrittenSnapshot>> {
    let mut report = Vec::with_capacity(copied.len());
    for (summary, copied) in new.snapshots()?.into_iter().zip(copied) {
        let snapshot = new.snapshot(summary)?;
        let mut rows_dropped: Vec<_> = copied.dropped.iter().map(|(name, rows)| (name.clone(), *rows)).collect();
        rows_dropped.sort_unstable();
        report.push(RewrittenSnapshot {
            number: snapshot.summary().number,
            root_before: copied.summary.root(),
            root: snapshot.summary().root(),
            fingerprint: snapshot.manifest().fingerprint,
            rows: snapshot.manifest().rows,
            rows_dropped,
        });
    }
    Ok(report)
}
