//! Rows that refer to rows that are not there, as SQLite lets them be where its foreign keys are not switched on: how many a
//! foreign key has of them is counted before PostgreSQL is asked to keep it.

use super::conversion::Conversion;
use crate::archive::Table;
use crate::error::Result;
use crate::model::Cell;
use crate::observer::{Observer, Phase, check_cancelled};

/// Digests of keys that are held at a time, in 64 MiB. A table of more rows is gone through once for each part of them.
const MOST_AT_A_TIME: u64 = 8 << 20;

/// The columns of a table that refer, or are referred to: their places, and how their cells become PostgreSQL's.
pub(super) struct Side<'t, 'a> {
    pub(super) table: &'t Table<'a>,
    pub(super) columns: Vec<(usize, Conversion)>,
}

/// How many rows of the child refer to no row of the parent. Rows with a null refer to nothing, and need nothing.
///
/// Keys are compared by 64 bits of their digests. Should two ever meet, PostgreSQL refuses the key that is not counted.
pub(super) fn count(child: &Side<'_, '_>, parent: &Side<'_, '_>, observer: &dyn Observer) -> Result<u64> {
    count_in_parts(child, parent, parent.table.manifest().rows.div_ceil(MOST_AT_A_TIME).max(1), observer)
}

fn count_in_parts(child: &Side<'_, '_>, parent: &Side<'_, '_>, parts: u64, observer: &dyn Observer) -> Result<u64> {
    let mut orphans = 0;
    for part in 0..parts {
        let mut keys = Vec::new();
        parent.digests(observer, &mut |digest| {
            if digest % parts == part {
                keys.push(digest);
            }
        })?;
        keys.sort_unstable();
        child.digests(observer, &mut |digest| {
            if digest % parts == part && keys.binary_search(&digest).is_err() {
                orphans += 1;
            }
        })?;
    }
    Ok(orphans)
}

impl Side<'_, '_> {
    /// Gives a digest of each row's key that has no null in it.
    fn digests(&self, observer: &dyn Observer, sink: &mut dyn FnMut(u64)) -> Result<()> {
        let manifest = self.table.manifest();
        observer.begin(Phase::Verify, Some(&manifest.schema.name), Some(manifest.rows), None);
        let mut places: Vec<usize> = self.columns.iter().map(|(place, _)| *place).collect();
        places.sort_unstable();
        places.dedup();
        let mut buffer = Vec::new();
        for group in self.table.scan(&places) {
            check_cancelled(observer)?;
            let group = group?;
            group.for_each_row(|row| {
                let mut hasher = blake3::Hasher::new_derive_key("tabark referring key");
                for (place, conversion) in &self.columns {
                    let at = places.binary_search(place).unwrap_or_default();
                    let cell = row.get(at).copied().unwrap_or(Cell::Null);
                    // A cell that has no counterpart is refused where rows are translated.
                    let Ok(cell) = conversion.convert(cell, &mut buffer) else { return Ok(()) };
                    if matches!(cell, Cell::Null) {
                        return Ok(());
                    }
                    add(&mut hasher, cell);
                }
                if let Some(first) = hasher.finalize().as_bytes().first_chunk() {
                    sink(u64::from_le_bytes(*first));
                }
                Ok(())
            })?;
            observer.advance(u64::from(group.rows()), group.bytes());
        }
        Ok(())
    }
}

/// Adds what PostgreSQL compares. To it, the two zeros are one.
fn add(hasher: &mut blake3::Hasher, cell: Cell<'_>) {
    let cell = if matches!(cell, Cell::Real(0.0)) { Cell::Real(0.0) } else { cell };
    if let Some(bits) = cell.fixed_bits() {
        hasher.update(&bits.to_le_bytes());
    }
    if let Some(bytes) = cell.variable_bytes() {
        hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::archive::{Archive, ArchiveWriter, SnapshotHeader, SnapshotSelector, WriterOptions};
    use crate::container::Memory;
    use crate::model::{Column, Logical, SourceDescription, TableSchema, roles};
    use crate::source::RowSink as _;

    fn schema(name: &str) -> TableSchema {
        let column = |name: &str| Column {
            name: name.to_owned(),
            declared_type: String::new(),
            logical: Logical::Integer.number(),
            nullable: true,
            hidden: false,
        };
        TableSchema {
            name: name.to_owned(),
            role: roles::TABLE.to_owned(),
            definition: String::new(),
            position: 0,
            columns: vec![column("other"), column("a"), column("b")],
            generated: Vec::new(),
            key: Vec::new(),
            options: Vec::new(),
            attached: Vec::new(),
        }
    }

    #[test]
    fn orphans_are_counted_in_any_number_of_parts() {
        let source = SourceDescription {
            engine: "sqlite".into(),
            engine_version: String::new(),
            name: String::new(),
            settings: vec![],
        };
        let header = SnapshotHeader { time: 0, tags: vec![], source, writer: String::new(), omitted: vec![] };
        let mut memory = Memory::default();
        let mut snapshot =
            ArchiveWriter::create(&mut memory, WriterOptions::default()).unwrap().begin_snapshot(header).unwrap();
        let mut parent = snapshot.begin_part(&schema("parent"), &[]).unwrap();
        for n in 0..100 {
            parent.row(&[Cell::Null, Cell::Text(b"x"), Cell::Real(f64::from(n))]).unwrap();
        }
        parent.finish().unwrap();
        let mut child = snapshot.begin_part(&schema("child"), &[]).unwrap();
        for n in 0..120 {
            child.row(&[Cell::Real(f64::from(n)), Cell::Integer(n.into()), Cell::Text(b"x")]).unwrap();
        }
        for row in [
            [Cell::Null, Cell::Null, Cell::Text(b"x")],
            [Cell::Real(5000.0), Cell::Null, Cell::Null],
            [Cell::Real(-0.0), Cell::Null, Cell::Text(b"x")],
            [Cell::Real(1.0), Cell::Null, Cell::Text(b"X")],
        ] {
            child.row(&row).unwrap();
        }
        child.finish().unwrap();
        snapshot.commit().unwrap();
        let archive = Archive::from_storage(Arc::new(memory.bytes)).unwrap();
        let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
        let (parent, child) = (snapshot.table("parent").unwrap(), snapshot.table("child").unwrap());
        let parent = Side { table: &parent, columns: vec![(2, Conversion::Stored), (1, Conversion::Stored)] };
        let child = Side { table: &child, columns: vec![(0, Conversion::Stored), (2, Conversion::Stored)] };
        for parts in [1, 2, 7] {
            assert_eq!(count_in_parts(&child, &parent, parts, &()).unwrap(), 21, "{parts}");
        }
    }
}
