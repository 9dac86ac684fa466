//! Rows that refer to rows that are not there.

use super::*;

const FAMILY: &str = "CREATE TABLE parents(id INTEGER PRIMARY KEY, name TEXT UNIQUE);
    CREATE TABLE children(id INTEGER PRIMARY KEY, parent INT REFERENCES parents(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
    INSERT INTO parents VALUES (1, 'a'), (2, 'b'); INSERT INTO children VALUES (10, 1), (20, 2), (30, NULL);";

#[test]
fn tables_restored_in_any_order_keep_their_references() {
    // The child was made first, and both refer to each other.
    let case = Case::new(
        "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p(id)); CREATE TABLE p(id INTEGER PRIMARY KEY, c REFERENCES c(id));
         PRAGMA foreign_keys = OFF; INSERT INTO c VALUES (1, 2); INSERT INTO p VALUES (2, 1);",
    );
    assert!(case.round_trip().warnings.is_empty());
}

#[test]
fn violations_of_the_snapshot_are_told_and_kept() {
    let case = Case::new(&format!("PRAGMA foreign_keys = OFF; {FAMILY} INSERT INTO children VALUES (40, 9), (50, 9);"));
    let report = case.round_trip();
    assert!(
        matches!(&report.warnings[..], [one] if one.contains("2 rows of \"children\"") && one.contains("parents")),
        "{:?}",
        report.warnings
    );
}

#[test]
fn a_parent_that_is_not_restored_is_told() {
    let case = Case::new(FAMILY);
    let report = case.restore(RestoreMode::Create, &["children"]).unwrap();
    assert!(matches!(&report.warnings[..], [one] if one.contains("does not exist")), "{:?}", report.warnings);
}

#[test]
fn a_key_that_does_not_fit_is_told() {
    let case = Case::new(
        "PRAGMA foreign_keys = OFF; CREATE TABLE p(a); CREATE TABLE c(b REFERENCES p(a)); INSERT INTO c VALUES (1);",
    );
    let report = case.round_trip();
    assert!(matches!(&report.warnings[..], [one] if one.contains("mismatch")), "{:?}", report.warnings);
}

#[test]
fn replacing_a_parent_that_others_refer_to() {
    let target = "PRAGMA foreign_keys = ON; CREATE TABLE parents(id INTEGER PRIMARY KEY, name TEXT UNIQUE);
        CREATE TABLE mine(id INTEGER PRIMARY KEY, parent REFERENCES parents);
        CREATE TABLE keyed(k TEXT PRIMARY KEY, parent REFERENCES parents) WITHOUT ROWID;
        INSERT INTO parents VALUES (1, 'x'), (3, 'only here');";
    let case = Case::new(FAMILY);
    drop(case.make_target(&format!("{target} INSERT INTO mine VALUES (1, 1); INSERT INTO keyed VALUES ('k', 1);")));
    case.restore(RestoreMode::Replace, &["parents"]).unwrap();
    let connection = case.open_target();
    assert_eq!(
        number(&connection, "SELECT count(*) FROM mine JOIN parents ON parent = parents.id"),
        1,
        "a cascade ran"
    );
    for row in ["INSERT INTO mine VALUES (2, 3)", "INSERT INTO keyed VALUES ('l', 3)"] {
        let case = Case::new(FAMILY);
        drop(case.make_target(&format!("{target} {row};")));
        let error = case.refused(RestoreMode::Replace, &["parents"]);
        assert!(error.is_database() && error.message().contains("1 rows of"), "{error}");
    }
}

#[test]
fn violations_that_were_there_before_do_not_stand_in_the_way() {
    let case = Case::new(FAMILY);
    drop(case.make_target(
        "PRAGMA foreign_keys = OFF; CREATE TABLE parents(id INTEGER PRIMARY KEY, name TEXT UNIQUE);
         CREATE TABLE mine(id INTEGER PRIMARY KEY, parent REFERENCES parents);
         CREATE TABLE keyed(k TEXT PRIMARY KEY, parent REFERENCES parents) WITHOUT ROWID;
         INSERT INTO mine VALUES (1, 77), (2, NULL); INSERT INTO keyed VALUES ('a', 78), ('b', 79);",
    ));
    let report = case.restore(RestoreMode::Replace, &["parents"]).unwrap();
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}

#[test]
fn appended_children_need_their_parents() {
    let target = "PRAGMA foreign_keys = OFF; CREATE TABLE parents(id INTEGER PRIMARY KEY, name TEXT UNIQUE);
        CREATE TABLE children(id INTEGER PRIMARY KEY, parent INT REFERENCES parents(id));
        INSERT INTO parents VALUES (1, 'x'); INSERT INTO children VALUES (99, 98);";
    let case = Case::new(FAMILY);
    drop(case.make_target(target));
    let error = case.refused(RestoreMode::Append, &["children"]);
    assert_eq!(error.table(), Some("children"));
    assert!(error.hint().unwrap().contains("parents"), "{error}");
    case.open_target().execute_batch("DELETE FROM parents").unwrap();
    case.restore(RestoreMode::Append, &[]).unwrap();
    assert_eq!(number(&case.open_target(), "SELECT count(*) FROM pragma_foreign_key_check"), 1);
}
