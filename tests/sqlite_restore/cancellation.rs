//! Stopping at any point leaves everything as it was.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Says stop from the given question on.
struct StopAt {
    limit: usize,
    asked: AtomicUsize,
}

impl StopAt {
    fn new(limit: usize) -> Self {
        Self { limit, asked: AtomicUsize::new(0) }
    }
}

impl Observer for StopAt {
    fn is_cancelled(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) >= self.limit
    }
}

const ROWS: &str = "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, b TEXT, c UNIQUE); CREATE INDEX i ON t(b); CREATE VIEW v AS SELECT * FROM t;
    CREATE TABLE u(a); CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES ('words'); ANALYZE;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000) INSERT INTO t SELECT i, hex(i), -i FROM n;
    INSERT INTO u SELECT b FROM t;";

fn stop_everywhere(case: &Case, mode: RestoreMode, tables: &[&str], reset: impl Fn(&Case)) {
    let options = RestoreOptions::default().mode(mode).tables(Selection::new(tables, &[]).unwrap());
    let never = StopAt::new(usize::MAX);
    case.restore_with(&options, &never).unwrap();
    let questions = never.asked.load(Ordering::Relaxed);
    assert!(questions >= 20, "asked only {questions} times");
    reset(case);
    let before = (files(case.directory.path()), std::fs::read(case.target()).ok());
    for limit in 0..questions {
        match case.restore_with(&options, &StopAt::new(limit)) {
            Err(error) => {
                assert!(error.is_interrupted(), "{error}");
                let after = (files(case.directory.path()), std::fs::read(case.target()).ok());
                assert!(after == before, "stopped at question {limit}: {:?}", after.0);
            }
            // How often the watch asks depends on time.
            Ok(_) => {
                assert!(limit + 10 > questions, "not stopped at question {limit} of {questions}");
                reset(case);
            }
        }
    }
}

#[test]
fn while_a_new_file_is_made() {
    let case = Case::new(ROWS);
    stop_everywhere(&case, RestoreMode::Create, &[], |case| std::fs::remove_file(case.target()).unwrap());
}

#[test]
fn while_an_existing_database_is_changed() {
    for journal in ["DELETE", "WAL"] {
        let case = Case::new(ROWS);
        let make = format!("PRAGMA journal_mode = {journal}; {ROWS} CREATE TABLE own(a); PRAGMA cache_size = 10;");
        drop(case.make_target(&make));
        let kept = bytes(&case.target());
        stop_everywhere(&case, RestoreMode::Replace, &[], |case| std::fs::write(case.target(), &kept).unwrap());
    }
}

#[test]
fn while_rows_are_added() {
    let case = Case::new(ROWS);
    drop(case.make_target(
        "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, b TEXT, c); CREATE TABLE u(a); INSERT INTO t VALUES (-1, 2, 3);",
    ));
    let kept = bytes(&case.target());
    stop_everywhere(&case, RestoreMode::Append, &["t", "u"], |case| std::fs::write(case.target(), &kept).unwrap());
}

#[test]
fn all_phases_are_told() {
    use std::sync::Mutex;
    use tabark::observer::Phase;
    #[derive(Default)]
    struct Told(Mutex<Vec<String>>, AtomicUsize);
    impl Observer for Told {
        fn begin(&self, phase: Phase, table: Option<&str>, _: Option<u64>, _: Option<u64>) {
            self.0.lock().unwrap().push(format!("{phase:?} {}", table.unwrap_or("-")));
        }
        fn advance(&self, rows: u64, _: u64) {
            self.1.fetch_add(usize::try_from(rows).unwrap(), Ordering::Relaxed);
        }
    }
    let case = Case::new(ROWS);
    let told = Told::default();
    case.restore_with(&RestoreOptions::default().tables(Selection::new(&["t"], &[]).unwrap()), &told).unwrap();
    let mut phases = told.0.into_inner().unwrap();
    phases.dedup();
    assert_eq!(
        phases.iter().filter(|phase| !phase.contains("sqlite_")).collect::<Vec<_>>(),
        ["Verify t", "Restore t", "Finish t", "Finish -", "Finish t", "Prove t"]
    );
    assert_eq!(told.1.into_inner(), 12_000, "each row is told when it is written and when it is read back");
}
