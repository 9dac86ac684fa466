//! Random lives of archives: databases change and are dumped, archives are pruned, compacted and lose rows, and at every step every
//! snapshot is the state that a model kept whole, by the library and by the Python reference.
//!
//! The suite goes through a few lives. `TABARK_CAMPAIGN=100..300` goes through those of these seeds in place of them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "evolution/database.rs"]
mod database;
#[path = "history/evolving.rs"]
mod evolving;
#[path = "common/json_lines.rs"]
mod json_lines;
#[path = "common/note.rs"]
mod note;
#[path = "common/reference.rs"]
mod reference;
#[path = "common/tables.rs"]
mod tables;
#[path = "common/tree.rs"]
mod tree;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use database::Database;
use evolving::Random;
use tabark::archive::{SnapshotSelector, VerifyOptions, WriterOptions, verify};
use tabark::model::Value;
use tabark::rewrite::erase::{EraseRequest, KeyValue, erase};
use tabark::rewrite::{compact, prune};
use tables::{TestTable, fixed_options, header, open, rows_of, with_snapshot};

/// Steps of a life.
const STEPS: u64 = 24;

/// An archive, and what it must hold.
struct Life {
    seed: u64,
    random: Random,
    database: Database,
    folder: tempfile::TempDir,
    /// The state of each snapshot, by its number, whole.
    model: BTreeMap<u64, Vec<TestTable>>,
    told: Vec<String>,
    /// Layers and rewritings so far: without any of them nothing is tried.
    tried: (usize, usize),
}

impl Life {
    fn new(seed: u64, database: fn(u64, &mut Random) -> Database) -> Self {
        let mut random = Random::new(!seed);
        let database = database(seed, &mut random);
        let folder = tempfile::tempdir().unwrap();
        Self { seed, random, database, folder, model: BTreeMap::new(), told: Vec::new(), tried: (0, 0) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.tabark")
    }

    /// One step. What is done to archives is done to the model as well, in the plainest way there is.
    fn step(&mut self, number: u64) {
        match self.random.below(9) {
            0 if !self.model.is_empty() => self.prune(),
            1 if !self.model.is_empty() => self.compact(),
            2 if !self.model.is_empty() => self.erase(),
            _ => self.dump(number),
        }
    }

    fn dump(&mut self, number: u64) {
        self.database.change(&mut self.random);
        let state = self.database.state();
        let before = fs::read(self.path()).unwrap_or_default();
        let options = fixed_options(1 + i32::try_from(self.random.below(4)).unwrap());
        let after = with_snapshot(before, header(i64::try_from(number).unwrap()), &state, options);
        let snapshot = open(&after).select(&SnapshotSelector::Latest).unwrap().summary().number;
        fs::write(self.path(), after).unwrap();
        assert!(self.model.keys().all(|earlier| *earlier < snapshot), "{self}: snapshot {snapshot}");
        self.model.insert(snapshot, state);
        self.told.push(format!("dump {snapshot}"));
    }

    fn prune(&mut self) {
        let mut keep: Vec<u64> = self.model.keys().copied().filter(|_| self.random.below(3) > 0).collect();
        if keep.is_empty() {
            let any = self.random.index(self.model.len());
            keep.extend(self.model.keys().nth(any));
        }
        self.told.push(format!("prune but {keep:?}"));
        let options = self.rewriting();
        prune(&self.path(), &keep, options, &()).unwrap_or_else(|error| self.fail(&error.to_string()));
        self.model.retain(|number, _| keep.contains(number));
    }

    fn compact(&mut self) {
        self.told.push("compact".into());
        let options = self.rewriting();
        compact(&self.path(), options, &()).unwrap_or_else(|error| self.fail(&error.to_string()));
    }

    /// Takes the rows with some numbers out of a table of every snapshot.
    fn erase(&mut self) {
        let (_, tables) = self.model.last_key_value().unwrap();
        if tables.is_empty() {
            return;
        }
        let table = tables[self.random.index(tables.len())].schema.name.clone();
        let column = if table == "heap" { "n" } else { "id" };
        let numbers: Vec<i64> =
            (0..1 + self.random.below(3)).map(|_| i64::try_from(self.random.below(500)).unwrap()).collect();
        self.told.push(format!("erase {table} {column} {numbers:?}"));
        let request = EraseRequest {
            table: table.clone(),
            columns: vec![column.into()],
            keys: numbers.iter().map(|number| vec![KeyValue::Exactly(Value::Integer(*number))]).collect(),
            cascade: None,
            keeps_indexes: false,
            reason: "a step of a life".into(),
            time: 0,
        };
        let options = self.rewriting();
        match erase(&self.path(), &request, options, &mut |_| Ok(()), &()) {
            Ok(_) => {}
            // A snapshot of the table has no such column.
            Err(error) if error.is_request() => return,
            Err(error) => self.fail(&error.to_string()),
        }
        for table in self.model.values_mut().flatten().filter(|one| one.schema.name == table) {
            let at = table.schema.columns.iter().position(|one| one.name == column).unwrap();
            let goes = |row: &Vec<Value>| matches!(row[at], Value::Integer(number) if numbers.contains(&number));
            table.rows.retain(|row| !goes(row));
        }
    }

    /// Blocks are copied, or made anew.
    fn rewriting(&mut self) -> WriterOptions {
        self.tried.1 += 1;
        if self.random.below(2) == 0 { WriterOptions::default() } else { fixed_options(2) }
    }

    /// Every snapshot is the model's, and not one flaw is found.
    fn check(&mut self) {
        let archive = open(&fs::read(self.path()).unwrap());
        let numbers: Vec<u64> = archive.snapshots().unwrap().iter().map(|snapshot| snapshot.number).collect();
        assert!(numbers.iter().eq(self.model.keys()), "{self}: the archive holds {numbers:?}");
        let mut layers = 0;
        for (number, tables) in &self.model {
            let snapshot = archive.select(&SnapshotSelector::Number(*number)).unwrap();
            let found = &snapshot.catalog().tables;
            assert_eq!(found.len(), tables.len(), "{self}: tables of snapshot {number}");
            for table in tables {
                let name = &table.schema.name;
                let stored = snapshot.table(name).unwrap();
                assert_eq!(*stored.schema(), table.schema, "{self}: snapshot {number}");
                layers += stored.groups().map(|group| group.unwrap().entry.layers.len()).sum::<usize>();
                let rows = rows_of(&archive, *number, name).unwrap_or_else(|error| self.fail(&error.to_string()));
                assert!(table.has_rows(&rows), "{self}: table {name} of snapshot {number}");
            }
        }
        let report = verify(&archive, &VerifyOptions::default().full(true), &()).unwrap();
        assert!(report.is_intact(), "{self}: {:?}", report.findings);
        self.tried.0 += layers;
    }

    #[expect(clippy::panic, reason = "tests")]
    fn fail<T>(&self, what: &str) -> T {
        panic!("{self}: {what}")
    }
}

impl std::fmt::Display for Life {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TABARK_CAMPAIGN={}..{}, after {}", self.seed, self.seed + 1, self.told.join(", "))
    }
}

/// The seeds that are asked for, or else these.
fn seeds(otherwise: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("TABARK_CAMPAIGN") else { return otherwise };
    let ends = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    let seeds: Range<u64> = ends.unwrap_or_default();
    assert!(!seeds.is_empty(), "TABARK_CAMPAIGN={text}: write it as 100..300");
    seeds
}

#[test]
fn every_snapshot_is_the_state_it_was_at_every_step() {
    let (seeds, mut tried) = (seeds(1..17), (0, 0));
    for seed in seeds.clone() {
        let mut life = Life::new(seed, Database::new);
        for number in 1..=STEPS {
            life.step(number);
            life.check();
        }
        tried = (tried.0 + life.tried.0, tried.1 + life.tried.1);
    }
    let lives = seeds.count();
    assert!(lives < 10 || (tried.0 > 100 * lives && tried.1 > 3 * lives), "{tried:?} of {lives} lives");
}

/// Keeps the archive as it is now, and adds what it must hold to `wanted`.
fn keep(life: &Life, folder: &Path, kept: &mut Vec<PathBuf>, wanted: &mut String) {
    let path = folder.join(format!("{}-{}.tabark", life.seed, kept.len()));
    fs::copy(life.path(), &path).unwrap();
    kept.push(path);
    for (number, tables) in &life.model {
        reference::push_snapshot(wanted, *number, tables);
    }
}

#[test]
fn the_python_reference_finds_the_same_states_at_every_step() {
    let Some(python) = reference::python("the Python reference reads no evolving archives") else { return };
    for seed in seeds(1..4) {
        let folder = tempfile::tempdir().unwrap();
        let (mut kept, mut wanted) = (Vec::new(), String::new());
        let mut life = Life::new(seed, Database::small);
        for number in 1..=STEPS {
            life.step(number);
            keep(&life, folder.path(), &mut kept, &mut wanted);
        }
        life.check();
        reference::assert_reads(&python, &kept, &wanted, &life.to_string());
    }
}
