//! Values, to the last bit.

use super::*;

const KINDS: &str = "CREATE TABLE kinds(id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, b BLOB, n NUMERIC, x);
    INSERT INTO kinds VALUES
      (1, 'text in an integer', 'text in a real', 'text', x'00ff', 'text', 1.0),
      (2, x'01', x'02', x'03', x'', x'04', 1),
      (3, 1.5, 2, 3, 4.0, 5.5, '1.0'),
      (4, NULL, NULL, NULL, NULL, NULL, NULL),
      (-9223372036854775808, -9223372036854775808, 4.9e-324, '', x'', 9223372036854775807, -0.0),
      (9223372036854775807, 9223372036854775807, 9e999, char(0), zeroblob(3), -9e999, 1.7976931348623157e308);
    INSERT INTO kinds(x) VALUES (-9e999) ON CONFLICT DO NOTHING;
    UPDATE kinds SET t = 'a' || char(0) || 'b' || char(0) WHERE id = 1;";

#[test]
fn storage_class_is_per_value() {
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        let script = KINDS.replace("INSERT INTO kinds(x) VALUES (-9e999) ON CONFLICT DO NOTHING;", "");
        let case = Case::new(&format!("PRAGMA encoding = '{encoding}'; {script}"));
        case.round_trip();
        let target = case.open_target();
        assert_eq!(number(&target, "SELECT typeof(x) = 'real' FROM kinds WHERE id = 1"), 1);
        assert_eq!(number(&target, "SELECT count(*) FROM kinds WHERE typeof(i) <> 'integer'"), 4);
    }
}

#[test]
fn invalid_utf8_and_nul_in_text() {
    let case = Case::new(
        "CREATE TABLE t(a TEXT PRIMARY KEY, b) WITHOUT ROWID;
         INSERT INTO t VALUES (CAST(x'ff00fe' AS TEXT), CAST(x'c3' AS TEXT)), (char(0), x'c3'), ('', CAST(x'eda080' AS TEXT)),
           ('é', char(0xfffe, 0xffff, 0x10ffff));",
    );
    case.round_trip();
}

#[test]
fn utf16_text_that_sqlites_converter_would_alter() {
    for (encoding, lone) in [("UTF-16le", "00d8"), ("UTF-16be", "d800")] {
        let case = Case::new(&format!(
            "PRAGMA encoding = '{encoding}';
             CREATE TABLE t(a, b, c TEXT);
             INSERT INTO t VALUES
               (CAST(x'{lone}' AS TEXT), x'{lone}', 1),
               (CAST(x'feff' AS TEXT), CAST(x'fffe' AS TEXT), 2.5),
               (CAST(x'ffff' AS TEXT), NULL, 'plain'),
               ('𝄞é', char(0), CAST(x'{lone}{lone}6100' AS TEXT)),
               (7, -0.0, 'after');"
        ));
        case.round_trip();
        let stored =
            format!("SELECT count(*) FROM t WHERE typeof(a) = 'text' AND hex(CAST(a AS BLOB)) = upper('{lone}')");
        assert_eq!(number(&case.open_target(), &stored), 1);
    }
}

#[test]
fn values_of_a_hundred_megabytes() {
    let case =
        Case::new("CREATE TABLE t(a, b); INSERT INTO t VALUES (zeroblob(100000000), hex(zeroblob(50000000))), (1, 2);");
    case.round_trip();
}

#[test]
fn many_rows_over_several_row_groups() {
    let case = Case::new(
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
         INSERT INTO t SELECT i * 3, 'row ' || i, i / 7.0 FROM n;
         CREATE INDEX by_b ON t(b);",
    );
    let report = case.round_trip();
    assert_eq!(report.tables[0].rows, 150_000);
}

/// A column's declared type was edited by hand, as is done where ALTER TABLE cannot: old values no longer fit, and SQLite
/// would convert them. That cannot be restored exactly, so it is refused.
#[test]
fn values_that_would_be_converted_are_not_restored_as_others() {
    let case = Case::new(
        "CREATE TABLE t(a TEXT); INSERT INTO t VALUES ('12'), ('x');
         PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a INTEGER)' WHERE name = 't';
         PRAGMA writable_schema = RESET;",
    );
    let error = case.refused(RestoreMode::Create, &[]);
    assert!(error.is_not_proven() && error.table() == Some("t") && error.message().contains("\"a\""), "{error}");
    assert!(error.hint().unwrap().contains("declared type"));
}
