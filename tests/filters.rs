//! Tables that are dumped and restored in part: which rows are kept, in which order, and what proves it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use tabark::archive::{Archive, SnapshotSelector, VerifyOptions, WriterOptions, verify};
use tabark::dump::{DumpOptions, DumpReport, dump};
use tabark::model::{Cell, Expire, Filter, Value};
use tabark::observer::Observer;
use tabark::restore::{RestoreMode, RestoreOptions, RestoreReport, restore};
use tabark::selection::Selection;
use tabark::source::sqlite::{Reading, SqliteSource};
use tabark::source::{Source, check_filters, read_filtered};
use tempfile::TempDir;

/// 2026-03-01T12:00:00Z.
const NOON: i64 = 1_772_366_400_000_000;
const HOUR: u64 = 3_600_000_000;

struct Case {
    folder: TempDir,
}

impl Case {
    fn new(script: &str) -> Self {
        let case = Self { folder: tempfile::tempdir().unwrap() };
        Connection::open(case.path("source.db")).unwrap().execute_batch(script).unwrap();
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn dump_with(&self, filters: Vec<(String, Filter)>, observer: &dyn Observer) -> tabark::Result<DumpReport> {
        let source = SqliteSource::open(&self.path("source.db"))?;
        let options = DumpOptions {
            tables: Selection::everything(),
            filters,
            tags: vec![],
            time: NOON,
            writer: "test".into(),
            archive: WriterOptions::default(),
        };
        dump(&source, &self.path("archive.tabark"), &options, observer)
    }

    fn dump(&self, table: &str, filters: &[Filter]) -> tabark::Result<DumpReport> {
        self.dump_with(filters.iter().map(|filter| (table.to_owned(), filter.clone())).collect(), &())
    }

    fn archive(&self) -> Archive {
        Archive::open(&self.path("archive.tabark")).unwrap()
    }

    /// One column of a table of the newest snapshot, by its place.
    fn stored(&self, table: &str, column: usize) -> Vec<Value> {
        let archive = self.archive();
        let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
        let table = snapshot.table(table).unwrap();
        let mut values = Vec::new();
        for group in table.scan(&[column]) {
            let sink = |row: &[Cell<'_>]| {
                values.push(Value::of(&row[0]));
                Ok(())
            };
            group.unwrap().for_each_row(sink).unwrap();
        }
        values
    }

    /// The column after a dump with one condition; what is read again through the recorded filters must be the same rows.
    fn kept_where(&self, table: &str, condition: &str, column: usize) -> Vec<Value> {
        self.dump(table, &[Filter::Where { expression: condition.into() }]).unwrap();
        assert!(verify(&self.archive(), &VerifyOptions::default().full(true), &()).unwrap().is_intact());
        let kept = self.stored(table, column);
        assert_eq!(self.read_again(table, column), kept);
        kept
    }

    /// A column of the source's table, read through the filters that the manifest records.
    fn read_again(&self, table: &str, column: usize) -> Vec<Value> {
        let archive = self.archive();
        let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
        let recorded = snapshot.table(table).unwrap();
        let source = SqliteSource::open(&self.path("source.db")).unwrap();
        let mut values = Vec::new();
        let schema = source.catalog().tables.iter().find(|schema| schema.name == table).unwrap();
        let filters = &recorded.manifest().filters;
        let counts = read_filtered(&source, schema, filters, &(), &mut |row: &[Cell<'_>]| {
            values.push(Value::of(&row[column]));
            Ok(())
        });
        assert_eq!(counts.unwrap().kept, recorded.manifest().rows);
        values
    }

    fn restore(&self, mode: RestoreMode, rules: &[(&str, Expire)]) -> tabark::Result<RestoreReport> {
        let rules: Vec<(String, Expire)> =
            rules.iter().map(|(name, rule)| ((*name).to_owned(), rule.clone())).collect();
        let tables = Selection::new(&rules.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), &[]).unwrap();
        let options = RestoreOptions::default().tables(tables).mode(mode).expire(rules);
        let archive = self.archive();
        restore(&archive.select(&SnapshotSelector::Latest)?, &self.path("target.db"), &options, &())
    }

    fn target(&self, sql: &str) -> Vec<String> {
        let connection = Connection::open(self.path("target.db")).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

fn older(column: &str, age: u64) -> Expire {
    Expire { column: column.into(), age, instant: NOON }
}

fn text(value: &str) -> Value {
    Value::Text(value.as_bytes().to_vec())
}

fn integers(values: impl IntoIterator<Item = i64>) -> Vec<Value> {
    values.into_iter().map(Value::Integer).collect()
}

#[test]
fn conditions_keep_the_order_of_every_kind_of_key() {
    let script = "CREATE TABLE plain(v, \"order\", \"it's\"); INSERT INTO plain VALUES (3, 1, 'a'), (1, 2, 'b'), (2, 3, 'c');
         CREATE INDEX plain_v ON plain(v, \"order\", \"it's\");
         CREATE TABLE keyed(k TEXT, v, PRIMARY KEY(k COLLATE NOCASE DESC, v)) WITHOUT ROWID; CREATE INDEX keyed_v ON keyed(v, k);
         INSERT INTO keyed VALUES ('b', 1), ('A', 2), ('C', 3), ('a', 1), ('d', 9);
         CREATE TABLE nameless(rowid, _rowid_, oid); INSERT INTO nameless VALUES (9, 1, 1), (5, 2, 2), (7, 3, 3)";
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        let case = Case::new(&format!("PRAGMA encoding = '{encoding}'; {script}"));
        assert_eq!(case.kept_where("plain", "v > 1", 1), integers([3, 2]));
        assert_eq!(case.kept_where("plain", "plain.rowid IN (3, 1)", 1), integers([3, 2]));
        assert_eq!(case.kept_where("plain", "rowid = 2 OR rowid = 1", 1), integers([3, 1]));
        assert_eq!(case.kept_where("plain", "\"order\" = 2 AND \"it's\" = 'b'", 1), integers([1]));
        assert_eq!(case.kept_where("plain", "\"it's\" <> 'it''s -- ;)'", 1), integers([3, 1, 2]));
        assert_eq!(case.kept_where("plain", "v = (SELECT max(v) FROM plain)", 1), integers([3]));
        assert_eq!(case.kept_where("plain", "NULL", 1), []);
        assert_eq!(case.kept_where("keyed", "v < 9", 0), ["C", "b", "a", "A"].map(text));
        assert_eq!(case.kept_where("keyed", "v IN (2, 1) OR k = 'd'", 0), ["d", "b", "a", "A"].map(text));
        assert_eq!(case.kept_where("nameless", "oid <> 2", 0), integers([9, 7]));
        let report = case.dump("plain", &[]).unwrap();
        assert!(report.tables.iter().all(|table| table.filters.is_empty()));
    }
}

#[test]
fn times_of_all_kinds_expire_and_what_is_none_stays() {
    let case = Case::new(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, at);
         INSERT INTO t(at) VALUES ('2026-03-01 11:00:00'), ('2026-03-01 10:59:59.999999'), ('2026-03-01T12:59:59+02:00'), (1772362800),
             (1772362799), (1772362799.5), (1772362799999), (1772362799999999), (1772362800000000), (NULL), ('x'), (x'00'), (0), (-1),
             ('1969-07-20'), (-200000000), ('2026-03-01'), ('2026-03-02');
         CREATE TABLE w(at TEXT PRIMARY KEY DESC) WITHOUT ROWID; INSERT INTO w VALUES ('2026-03-01 12:00'), ('2026-03-01'), ('a'), ('2027-01-01')",
    );
    let rule = Filter::Expire(older("at", HOUR));
    let report = case.dump_with(vec![("t".into(), rule.clone()), ("w".into(), rule.clone())], &()).unwrap();
    assert_eq!(case.stored("t", 0), integers([1, 4, 9, 10, 11, 12, 13, 14, 18]));
    assert_eq!(case.read_again("t", 0), case.stored("t", 0));
    assert_eq!(case.stored("w", 0), ["a", "2027-01-01", "2026-03-01 12:00"].map(text));
    let counts: Vec<(u64, u64, u64)> = report.tables.iter().map(|t| (t.rows, t.expired, t.without_time)).collect();
    assert_eq!(counts, [(9, 9, 5), (3, 1, 1)]);
    assert_eq!(report.tables[0].filters, std::slice::from_ref(&rule));

    // Read by SQL the same rows are too old.
    let both = [Filter::Where { expression: "id < 10".into() }, rule];
    case.dump("t", &both).unwrap();
    assert_eq!(case.stored("t", 0), integers([1, 4, 9]));
    assert_eq!(case.read_again("t", 0), integers([1, 4, 9]));
    let source = SqliteSource::open(&case.path("source.db")).unwrap();
    let by_sql = source.with_reading(Reading::Sql);
    for source in [&source, &by_sql] {
        let counts = read_filtered(source, &source.catalog().tables[0], &both[1..], &(), &mut |_: &[Cell<'_>]| Ok(()));
        assert_eq!(counts.map(|counts| (counts.kept, counts.expired)).unwrap(), (9, 9));
    }
}

#[test]
fn a_filter_that_keeps_nothing_makes_an_empty_table() {
    let case = Case::new(
        "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT); INSERT INTO t(at) VALUES ('2020-01-01'), ('2021-01-01'); ANALYZE",
    );
    let report = case.dump("t", &[Filter::Expire(older("at", HOUR))]).unwrap();
    let rows = |name: &str| report.tables.iter().find(|table| table.name == name).unwrap().rows;
    assert_eq!((rows("t"), rows("sqlite_sequence"), rows("sqlite_stat1")), (0, 1, 1));
    let report = case.restore(RestoreMode::Create, &[("t", older("at", 1))]).unwrap();
    assert_eq!((report.tables[0].rows, report.tables[0].proved, report.tables[0].filters.len()), (0, true, 1));
    assert_eq!(case.target("SELECT CAST(seq AS TEXT) FROM sqlite_sequence"), ["2"]);
}

#[test]
fn rules_that_cannot_be_followed_are_refused_and_nothing_is_written() {
    let case = Case::new(
        "CREATE TABLE t(a, b, c AS (a)); CREATE TABLE seq(id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE VIRTUAL TABLE docs USING fts5(x);",
    );
    let condition = |expression: &str| Filter::Where { expression: expression.into() };
    for expression in [
        "",
        " ",
        "a)",
        "(a",
        "a) OR (b",
        "a) LIMIT (1",
        "a) ORDER BY (b",
        "1) UNION ALL SELECT 1, 2 FROM t WHERE (1",
        "a; b",
        "a -- b",
        "a /* b",
        "a /* b */",
        "'a",
        "a = ?",
        "a = :x",
        "$a(')')",
        "a, b",
        "count(*) > 1",
        "x",
        "t2.a",
        "a\0",
        "SELECT a FROM t WHERE 1",
        "a COLLATE nope > b",
        "nope(a)",
        "(SELECT a, b FROM t)",
        "a AS b",
    ] {
        let error = case.dump("t", &[condition(expression)]).unwrap_err();
        assert!(error.is_request() && error.table() == Some("t"), "{expression}: {error}");
    }
    for (table, filter) in [
        ("docs", condition("1")),
        ("docs_data", condition("1")),
        ("docs_data", Filter::Expire(older("id", 1))),
        ("sqlite_sequence", condition("1")),
        ("nope", condition("1")),
        ("T", condition("1")),
        ("t", Filter::Expire(older("c", 1))),
        ("t", Filter::Expire(older("nope", 1))),
    ] {
        let error = case.dump(table, &[filter]).unwrap_err();
        assert!(error.is_request(), "{table}: {error}");
    }
    assert!(!case.path("archive.tabark").exists());
    // What only turns out while rows are read takes the dump back.
    Connection::open(case.path("source.db"))
        .unwrap()
        .execute_batch("INSERT INTO t VALUES (-9223372036854775808, 1)")
        .unwrap();
    let error = case.dump("t", &[condition("abs(a) > 1")]).unwrap_err();
    assert!(error.is_database() && error.table() == Some("t"), "{error}");
    assert!(!case.path("archive.tabark").exists());
}

#[test]
fn conditions_are_not_answered_by_a_collation_that_stands_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("source.db");
    let writer = Connection::open(&path).unwrap();
    writer.create_collation("backwards", |a: &str, b: &str| b.cmp(a)).unwrap();
    writer
        .execute_batch(
            "CREATE TABLE keyed(k TEXT COLLATE backwards PRIMARY KEY) WITHOUT ROWID; INSERT INTO keyed VALUES ('a'), ('b');
             CREATE TABLE other(k TEXT COLLATE backwards, v); INSERT INTO other VALUES ('a', 1), ('b', 2)",
        )
        .unwrap();
    let source = SqliteSource::open(&path).unwrap();
    let (keyed, other) = (&source.catalog().tables[0], &source.catalog().tables[1]);
    let condition = |expression: &str| [Filter::Where { expression: expression.into() }];
    for _ in 0..2 {
        assert!(check_filters(&source, keyed, &condition("1")).unwrap_err().is_request());
        let error = check_filters(&source, other, &condition("k < 'b'")).unwrap_err();
        assert!(error.message().contains("no such collation"), "{error}");
        check_filters(&source, other, &condition("v < 2 AND k COLLATE BINARY = 'a'")).unwrap();
        source.read_table(keyed, &mut |_: &[Cell<'_>]| Ok(())).unwrap();
    }
}

#[test]
fn a_table_too_wide_for_one_statement_takes_no_condition() {
    let names: Vec<String> = (0..1001).map(|number| format!("c{number}")).collect();
    let case = Case::new(&format!(
        "PRAGMA encoding = 'UTF-16'; CREATE TABLE wide({}); INSERT INTO wide(c0) VALUES ('2020-01-01')",
        names.join(", ")
    ));
    let error = case.dump("wide", &[Filter::Where { expression: "random() > 0".into() }]).unwrap_err();
    assert!(error.is_request() && error.message().contains("1002 columns"), "{error}");
    assert_eq!(case.dump("wide", &[Filter::Expire(older("c0", 1))]).unwrap().tables[0].expired, 1);
}

/// Asks to stop when it was asked so often.
struct StopAfter(AtomicU64);

impl Observer for StopAfter {
    fn is_cancelled(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(1))) == Ok(0)
    }
}

#[test]
fn a_dump_that_keeps_no_row_can_be_stopped() {
    let case = Case::new(
        "CREATE TABLE t(at); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) INSERT INTO t SELECT '2020-01-01' FROM n",
    );
    let endless = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n) = 0";
    for filter in [Filter::Expire(older("at", 1)), Filter::Where { expression: endless.into() }] {
        let error = case.dump_with(vec![("t".into(), filter)], &StopAfter(AtomicU64::new(3))).unwrap_err();
        assert!(error.is_interrupted(), "{error}");
        assert!(!case.path("archive.tabark").exists());
    }
}

#[test]
fn a_restore_leaves_rows_out_however_it_writes_them_and_proves_the_rest() {
    let script = "CREATE TABLE t(id INTEGER PRIMARY KEY, at, v UNIQUE); CREATE INDEX t_at ON t(at);
         INSERT INTO t VALUES (1, '2026-03-01 10:00', 'old'), (2, '2026-03-01 11:00', 'edge'), (3, 'x', 'none'), (9, '2027-01-01', 'new');
         CREATE TABLE w(k TEXT PRIMARY KEY, at) WITHOUT ROWID; INSERT INTO w VALUES ('z', '2026-03-01'), ('é', 1772366400), ('b', 1772360000);
         CREATE TABLE h(at, v); INSERT INTO h VALUES ('2020-01-01', 'a'), ('2030-01-01', 'b'), (NULL, 'c')";
    let rules = [("t", older("at", HOUR)), ("w", older("at", HOUR)), ("h", older("at", HOUR))];
    let sql = "SELECT v FROM t UNION ALL SELECT k FROM w UNION ALL SELECT v FROM h ORDER BY 1";
    let wanted = ["b", "c", "edge", "new", "none", "é"];
    for (encoding, target) in
        [("UTF-8", None), ("UTF-16le", None), ("UTF-8", Some("UTF-16be")), ("UTF-16le", Some("UTF-8"))]
    {
        let case = Case::new(&format!("PRAGMA encoding = '{encoding}'; {script}"));
        case.dump("t", &[]).unwrap();
        if let Some(target) = target {
            let script = format!("PRAGMA encoding = '{target}'; CREATE TABLE there(a)");
            Connection::open(case.path("target.db")).unwrap().execute_batch(&script).unwrap();
        }
        let report = case.restore(RestoreMode::Create, &rules).unwrap();
        assert_eq!(case.target(sql), wanted);
        let told: Vec<_> =
            report.tables.iter().map(|t| (t.rows, t.expired, t.without_time, t.proved, t.expire.len())).collect();
        assert_eq!(told, [(3, 1, 1, true, 1), (1, 2, 0, true, 1), (2, 1, 1, true, 1)]);
        case.restore(RestoreMode::Replace, &rules).unwrap();
        assert_eq!(case.target(sql), wanted);
        assert_eq!(case.target("SELECT CAST(id AS TEXT) FROM t ORDER BY at"), ["2", "9", "3"]);

        Connection::open(case.path("target.db")).unwrap().execute_batch("DELETE FROM t; DELETE FROM w").unwrap();
        case.restore(RestoreMode::Append, &rules).unwrap();
        assert_eq!(case.target(sql), ["b", "b", "c", "c", "edge", "new", "none", "é"]);
        assert_eq!(case.target("SELECT CAST(rowid AS TEXT) FROM h ORDER BY rowid"), ["2", "3", "4", "5"]);
    }
}

#[test]
fn a_restore_refuses_rules_for_what_it_does_not_restore() {
    let case = Case::new("CREATE TABLE t(at); CREATE VIRTUAL TABLE docs USING fts5(x)");
    case.dump("t", &[]).unwrap();
    for (table, column) in [("t", "nope"), ("docs_content", "id")] {
        let error = case.restore(RestoreMode::Create, &[(table, older(column, 1))]).unwrap_err();
        assert!(error.is_request(), "{error}");
    }
    let options = RestoreOptions::default().tables(Selection::new(&["docs"], &[]).unwrap());
    let archive = case.archive();
    let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
    for name in ["t", "nope"] {
        let options = options.clone().expire(vec![(name.into(), older("at", 1))]);
        assert!(restore(&snapshot, &case.path("target.db"), &options, &()).unwrap_err().is_request());
    }
    assert!(!case.path("target.db").exists());
}
