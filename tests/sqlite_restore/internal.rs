//! SQLite's own tables.

use super::*;

#[test]
fn sequences_and_statistics_come_back_with_their_row_ids() {
    let case = Case::new(
        "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, x); CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT);
         CREATE INDEX a_x ON a(x); INSERT INTO a(x) VALUES (1), (2), (2), (3); INSERT INTO a VALUES (1000, 5); DELETE FROM a WHERE id = 1000;
         INSERT INTO b VALUES (7); DELETE FROM b; ANALYZE; UPDATE sqlite_sequence SET rowid = 50 WHERE name = 'b';
         INSERT INTO sqlite_stat1 VALUES ('gone', NULL, 'odd'); DELETE FROM sqlite_sequence WHERE name = 'a';
         CREATE TABLE gone(id INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE gone;",
    );
    let report = case.round_trip();
    assert_eq!(report.plan.bookkeeping, ["sqlite_sequence", "sqlite_stat1", "sqlite_stat4"]);
    let target = case.open_target();
    target.execute_batch("INSERT INTO b DEFAULT VALUES").unwrap();
    assert_eq!(number(&target, "SELECT id FROM b"), 8);
}

#[test]
fn a_sequence_without_its_table_and_statistics_of_one_kind() {
    let case = Case::new(
        "CREATE TABLE gone(id INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE gone; CREATE TABLE t(a); CREATE INDEX i ON t(a);
         INSERT INTO t VALUES (1), (2); ANALYZE; DROP TABLE sqlite_stat4;",
    );
    case.round_trip();
}

#[test]
fn only_rows_about_restored_tables_go_along() {
    let case = Case::new(
        "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, x); CREATE INDEX a_x ON a(x);
         CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT, x); CREATE INDEX b_x ON b(x);
         INSERT INTO a VALUES (5, 1), (6, 1); INSERT INTO b VALUES (8, 1), (9, 2); ANALYZE;",
    );
    drop(case.make_target(
        "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO a VALUES (100);
         CREATE TABLE other(id INTEGER PRIMARY KEY AUTOINCREMENT, x); CREATE INDEX o ON other(x);
         INSERT INTO other VALUES (77, 1); ANALYZE;",
    ));
    case.restore(RestoreMode::Replace, &["a"]).unwrap();
    let target = case.open_target();
    let all = |sql: &str| target.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(all("SELECT group_concat(name || seq, ' ' ORDER BY name) FROM sqlite_sequence"), "a6 other77");
    assert_eq!(all("SELECT group_concat(tbl || idx || stat, ',' ORDER BY tbl) FROM sqlite_stat1"), "aa_x2 2,othero1 1");
    assert_eq!(all("SELECT group_concat(DISTINCT tbl) FROM sqlite_stat4"), "other,a");
}

/// SQLite makes both tables of statistics when one is asked for.
#[test]
fn tables_of_sqlites_own_are_not_made_for_no_rows() {
    let case = Case::new(
        "CREATE TABLE indexed(a, b); CREATE INDEX i ON indexed(a); INSERT INTO indexed VALUES (1, 2), (2, 3);
         CREATE TABLE bare(a); INSERT INTO bare VALUES (1); ANALYZE;
         CREATE TABLE unknown(a); INSERT INTO unknown VALUES (1);
         CREATE TABLE counts(a INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO counts VALUES (4);",
    );
    for (table, made) in [
        ("unknown", ""),
        ("bare", "sqlite_stat1"),
        ("indexed", "sqlite_stat1 sqlite_stat4"),
        ("counts", "sqlite_sequence"),
    ] {
        for exists in [false, true] {
            if exists {
                drop(case.make_target("CREATE TABLE other(x)"));
            }
            case.restore(RestoreMode::Create, &[table]).unwrap();
            let target = case.open_target();
            let sql = "SELECT coalesce(group_concat(name, ' ' ORDER BY name), '') FROM sqlite_schema
                       WHERE name LIKE 'sqlite\\_%' ESCAPE '\\' AND type = 'table'";
            let found: String = target.query_row(sql, [], |row| row.get(0)).unwrap();
            assert_eq!(found, made, "{table} {exists}");
            drop(target);
            std::fs::remove_file(case.target()).unwrap();
        }
    }
}

/// What the target's ANALYZE made stays, with or without rows.
#[test]
fn statistics_that_the_target_has_stay_there() {
    let case = Case::new("CREATE TABLE bare(a); INSERT INTO bare VALUES (1); ANALYZE;");
    drop(case.make_target("CREATE TABLE other(x); ANALYZE;"));
    case.restore(RestoreMode::Create, &["bare"]).unwrap();
    let target = case.open_target();
    assert_eq!(number(&target, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'sqlite_stat_'"), 2);
    assert_eq!(number(&target, "SELECT CAST(stat AS INTEGER) FROM sqlite_stat1 WHERE tbl = 'bare'"), 1);
}

#[test]
fn a_table_that_counts_restored_alone_counts_on() {
    let case = Case::new(
        "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, x); INSERT INTO a VALUES (5, 1), (60, 1); DELETE FROM a WHERE id = 60;
         CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO b VALUES (7);",
    );
    case.restore(RestoreMode::Create, &["a"]).unwrap();
    let target = case.open_target();
    assert_eq!(number(&target, "SELECT count(*) FROM sqlite_sequence"), 1);
    target.execute_batch("INSERT INTO a(x) VALUES (0)").unwrap();
    assert_eq!(number(&target, "SELECT max(id) FROM a"), 61);
}

/// Writing rows with their ids makes SQLite count; what it counted is not the snapshot's.
#[test]
fn a_sequence_that_the_source_forgot_stays_forgotten() {
    let case = Case::new(
        "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO a VALUES (5); DELETE FROM sqlite_sequence;
         CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO b VALUES (7);",
    );
    std::fs::remove_file(case.archive()).unwrap();
    case.dump(Selection::new(&["a"], &[]).unwrap());
    let report = case.restore(RestoreMode::Create, &[]).unwrap();
    assert!(report.plan.bookkeeping.is_empty(), "the snapshot has rows of sqlite_sequence: {:?}", report.plan);
    assert_eq!(number(&case.open_target(), "SELECT count(*) FROM sqlite_sequence"), 0);
}
