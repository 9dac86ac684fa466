//! Tables: row ids, keys, generated columns, names.

use super::*;

#[test]
fn hidden_row_ids_come_back() {
    let case = Case::new(
        "CREATE TABLE plain(a); INSERT INTO plain(rowid, a) VALUES (-5, 'x'), (7, 'y'), (9223372036854775807, 'z');
         CREATE TABLE named(rowid TEXT, a); INSERT INTO named(_rowid_, rowid, a) VALUES (3, 'not the row id', 1);
         CREATE TABLE two(\"RowID\", _rowid_ TEXT); INSERT INTO two(oid, rowid) VALUES (12, 'a');
         CREATE TABLE descending(id INTEGER PRIMARY KEY DESC, a);
         INSERT INTO descending(rowid, id, a) VALUES (40, 2, 'a'), (39, NULL, 'b');
         CREATE TABLE constrained(id INTEGER, a, PRIMARY KEY (id DESC)); INSERT INTO constrained VALUES (5, 'x');
         CREATE TABLE nulls(a TEXT, b, PRIMARY KEY (a, b)); INSERT INTO nulls VALUES (NULL, NULL), (NULL, NULL), ('a', 1);",
    );
    case.round_trip();
    let target = case.open_target();
    assert_eq!(number(&target, "SELECT count(*) FROM plain WHERE rowid IN (-5, 7, 9223372036854775807)"), 3);
}

#[test]
fn row_ids_that_no_name_reaches() {
    let case = Case::new(
        "CREATE TABLE t(rowid, _rowid_, oid); INSERT INTO t VALUES (1, 2, 3), (0, 0, 0), (4, 5, 6); DELETE FROM t WHERE oid = 0;",
    );
    let report = case.round_trip();
    assert!(report.plan.warnings.iter().any(|warning| warning.contains("row ids")), "{:?}", report.plan.warnings);
}

#[test]
fn without_rowid_composite_and_collated_keys() {
    let case = Case::new(
        "CREATE TABLE a(x TEXT COLLATE NOCASE, y INT, z, PRIMARY KEY (y DESC, x)) WITHOUT ROWID;
         INSERT INTO a VALUES ('b', 1, 1), ('A', 1, 2), ('c', 2, 3), ('C ', 2, 4);
         CREATE TABLE b(x TEXT PRIMARY KEY COLLATE RTRIM, y) WITHOUT ROWID; INSERT INTO b VALUES ('a ', 1), ('b', 2);
         CREATE TABLE c(x, PRIMARY KEY (x)) WITHOUT ROWID; INSERT INTO c VALUES (1), (2.5), ('t'), (x'00'), (-9e999);",
    );
    case.round_trip();
}

#[test]
fn generated_columns_are_recomputed() {
    let case = Case::new(
        "CREATE TABLE t(a, s AS (a * 2) STORED, b, v TEXT AS (b || '!') VIRTUAL, c DEFAULT 5);
         CREATE INDEX t_v ON t(v); INSERT INTO t(a, b) VALUES (1, 'x'), (2.5, NULL);
         CREATE TABLE k(a INTEGER PRIMARY KEY, g INT GENERATED ALWAYS AS (a + 1) UNIQUE); INSERT INTO k VALUES (3);",
    );
    case.round_trip();
    assert_eq!(number(&case.open_target(), "SELECT s FROM t WHERE v = 'x!'"), 2);
}

#[test]
fn strict_check_default_and_broken_check() {
    let case = Case::new(
        "CREATE TABLE s(a INT, b ANY, c TEXT CHECK (length(c) < 5)) STRICT; INSERT INTO s VALUES (1, '1', 'abc');
         CREATE TABLE dqs(a CHECK (a <> \"text\"), b DEFAULT \"x\"); INSERT INTO dqs(a) VALUES (1);
         CREATE TABLE broken(a CHECK (a > 0)); PRAGMA ignore_check_constraints = ON; INSERT INTO broken VALUES (-1), (1);",
    );
    let report = case.round_trip();
    assert!(
        matches!(&report.warnings[..], [one] if one.contains("broken") && one.contains("CHECK")),
        "{:?}",
        report.warnings
    );
}

#[test]
fn names_with_quotes_spaces_keywords_and_none_at_all() {
    let case = Case::new(
        "CREATE TABLE \"my \"\"table\"\"; DROP TABLE x; --\"(\"a \"\"b\"\"\", \"select\", \"\" TEXT, \"new\nline\");
         INSERT INTO \"my \"\"table\"\"; DROP TABLE x; --\" VALUES (1, 2, 3, 4);
         CREATE TABLE \"\"(\"\"); INSERT INTO \"\" VALUES ('empty');
         CREATE TABLE \"5\"(a); INSERT INTO \"5\" VALUES (5);
         CREATE TABLE \"ünï'cödé 表\"(ä PRIMARY KEY) WITHOUT ROWID; INSERT INTO \"ünï'cödé 表\" VALUES ('ß');
         CREATE TABLE [brackets](`back``ticks`, 'single'); INSERT INTO brackets VALUES (1, 2);
         CREATE INDEX \"in\"\"dex\" ON \"5\"(a); CREATE VIEW \"vi ew\" AS SELECT 1 AS \"\";",
    );
    case.round_trip();
}

#[test]
fn no_rows_and_no_tables() {
    let case = Case::new("CREATE TABLE empty(a, b); CREATE TABLE later(a); CREATE INDEX i ON later(a);");
    case.round_trip();
    let case = Case::new("PRAGMA page_size = 8192; PRAGMA user_version = 0; CREATE TABLE t(a); DROP TABLE t;");
    case.round_trip();
}

#[test]
fn two_thousand_columns_and_a_row_id() {
    let columns: Vec<String> = (0..2000).map(|number| format!("c{number}")).collect();
    let values: Vec<String> = (0..2000).map(|number| number.to_string()).collect();
    for encoding in ["UTF-8", "UTF-16le"] {
        let case = Case::new(&format!(
            "PRAGMA encoding = '{encoding}'; CREATE TABLE wide({}); INSERT INTO wide(rowid, c0, c1999) VALUES (77, 'first', CAST(x'00d8' AS TEXT));
             INSERT INTO wide VALUES ({});",
            columns.join(", "),
            values.join(", ")
        ));
        case.round_trip();
    }
}

#[test]
fn altered_tables_and_settings_of_all_kinds() {
    let case = Case::new(
        "PRAGMA page_size = 1024; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
         PRAGMA user_version = -3; PRAGMA application_id = 0x7abac;
         CREATE TABLE t(a); INSERT INTO t VALUES (1); ALTER TABLE t ADD COLUMN b TEXT DEFAULT 5; INSERT INTO t VALUES (2, 'x');
         ALTER TABLE t RENAME COLUMN a TO \"a a\"; ALTER TABLE t RENAME TO \"renamed\"; ALTER TABLE renamed DROP COLUMN b;
         ALTER TABLE renamed ADD COLUMN c REAL DEFAULT 1;",
    );
    case.round_trip();
}
