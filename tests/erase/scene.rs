//! An archive of states of tables, to erase from.

use std::fs;

use tabark::archive::{Archive, SnapshotSelector, WriterOptions};
use tabark::model::Value;
use tabark::rewrite::erase::{EraseReport, EraseRequest, KeyValue, erase};

use super::files;
use super::tables::{TestTable, fixed_options, header, open, rows_of, with_snapshot};

/// A folder with an archive: a snapshot for each state of its tables.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
    pub(crate) states: Vec<Vec<TestTable>>,
}

impl Scene {
    pub(crate) fn new(states: Vec<TestTable>) -> Self {
        Self::of_tables(states.into_iter().map(|state| vec![state]).collect())
    }

    pub(crate) fn of_tables(states: Vec<Vec<TestTable>>) -> Self {
        let bytes = (1..)
            .zip(&states)
            .fold(Vec::new(), |bytes, (time, tables)| with_snapshot(bytes, header(time), tables, fixed_options(3)));
        let scene = Self { folder: tempfile::tempdir().unwrap(), states };
        scene.put(&bytes);
        scene
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("a.tabark")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    pub(crate) fn put(&self, bytes: &[u8]) {
        fs::write(self.path(), bytes).unwrap();
    }

    pub(crate) fn erase(&self, request: &EraseRequest<'_>) -> tabark::Result<Option<EraseReport>> {
        erase(&self.path(), request, WriterOptions::default(), &mut |_| Ok(()), &())
    }

    /// The archive holds of each state the rows that stay, by table and row, and not one flaw.
    pub(crate) fn assert_holds(&self, stays: impl Fn(&str, &[Value]) -> bool) {
        let archive = open(&self.bytes());
        files::assert_intact(&archive);
        assert_eq!(archive.snapshots().unwrap().len(), self.states.len());
        for (number, tables) in (1..).zip(&self.states) {
            for table in tables {
                let name = &table.schema.name;
                let mut left = table.clone();
                left.rows.retain(|row| stays(name, row));
                assert!(left.has_rows(&rows_of(&archive, number, name).unwrap()), "{name} in snapshot {number}");
            }
            let snapshot = archive.select(&SnapshotSelector::Number(number)).unwrap();
            let said = header(i64::try_from(number).unwrap());
            assert_eq!((snapshot.manifest().time, &snapshot.manifest().tags), (said.time, &said.tags));
        }
        let names: Vec<_> = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["a.tabark"]);
    }

    /// Rows of each row group of the table t.
    pub(crate) fn group_rows(&self, archive: &Archive, number: u64) -> Vec<u64> {
        let snapshot = archive.select(&SnapshotSelector::Number(number)).unwrap();
        let table = snapshot.table("t").unwrap();
        table.groups().map(|place| place.unwrap().entry.rows).collect()
    }
}

/// The key of a row, as people write it.
pub(crate) fn key(values: &[&str]) -> Vec<KeyValue> {
    values.iter().map(|value| value.parse().unwrap()).collect()
}

/// Asks for the rows of these keys.
pub(crate) fn request<'a>(table: &str, keys: impl IntoIterator<Item = Vec<KeyValue>>) -> EraseRequest<'a> {
    EraseRequest {
        table: table.into(),
        columns: Vec::new(),
        keys: keys.into_iter().collect(),
        cascade: None,
        keeps_indexes: false,
        reason: "asked to".into(),
        time: 1000,
    }
}
