//! Virtual tables: declarations and shadow tables come back, and work.

use super::*;

const SEARCH: &str = "CREATE TABLE posts(title TEXT, body TEXT);
    INSERT INTO posts(rowid, title, body) VALUES (10, 'first', 'apples and pears'), (20, 'second', 'only pears'), (35, 'x', 'y');
    CREATE VIRTUAL TABLE external USING fts5(title, body, content='posts');
    INSERT INTO external(external) VALUES ('rebuild');
    DELETE FROM posts WHERE rowid = 35;
    CREATE VIRTUAL TABLE own USING fts5(word, tokenize = \"unicode61 remove_diacritics 2\");
    INSERT INTO own VALUES ('Straße'), ('naïve');
    CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, +label TEXT);
    INSERT INTO boxes VALUES (1, 0.5, 1.5, 'a'), (2, 10, 11, 'b');
    CREATE VIRTUAL TABLE old USING fts4(a); INSERT INTO old VALUES ('some words');
    CREATE TRIGGER posts_ai AFTER INSERT ON posts BEGIN
      INSERT INTO external(rowid, title, body) VALUES (new.rowid, new.title, new.body); END;";

fn check_search(connection: &Connection) {
    assert_eq!(number(connection, "SELECT rowid FROM external WHERE external MATCH 'apples'"), 10);
    assert_eq!(number(connection, "SELECT count(*) FROM external WHERE external MATCH 'pears'"), 2);
    assert_eq!(
        number(connection, "SELECT body = 'only pears' FROM external WHERE external MATCH 'second'"),
        1,
        "external content is found by its row id"
    );
    assert_eq!(number(connection, "SELECT rowid FROM own WHERE own MATCH 'naive'"), 2);
    assert_eq!(number(connection, "SELECT id FROM boxes WHERE x0 > 5"), 2);
    assert_eq!(number(connection, "SELECT count(*) FROM old WHERE old MATCH 'words'"), 1);
}

#[test]
fn external_content_search_works_after_restore() {
    for encoding in ["UTF-8", "UTF-16le"] {
        let case = Case::new(&format!("PRAGMA encoding = '{encoding}'; {SEARCH}"));
        case.round_trip();
        let target = case.open_target();
        check_search(&target);
        target.execute_batch("INSERT INTO posts VALUES ('new', 'quinces'); INSERT INTO own VALUES ('later')").unwrap();
        assert_eq!(number(&target, "SELECT count(*) FROM external WHERE external MATCH 'quinces'"), 1);
        target.execute_batch("DROP TABLE own").unwrap();
        assert_eq!(number(&target, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'own%'"), 0);
    }
}

#[test]
fn shadow_tables_follow_their_virtual_table() {
    let case = Case::new(SEARCH);
    case.restore(RestoreMode::Create, &["own"]).unwrap();
    let target = case.open_target();
    assert_eq!(number(&target, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"), 6);
    assert_eq!(number(&target, "SELECT rowid FROM own WHERE own MATCH 'strasse OR Straße'"), 1);
}

#[test]
fn a_virtual_table_is_replaced_with_its_storage() {
    let case = Case::new(SEARCH);
    let target = case.make_target(
        "CREATE TABLE posts(title TEXT, body TEXT); CREATE VIRTUAL TABLE external USING fts5(title, body);
         INSERT INTO external VALUES ('old', 'content of its own'); CREATE TABLE other(a); INSERT INTO other VALUES (1);",
    );
    assert_eq!(number(&target, "SELECT count(*) FROM sqlite_schema WHERE name = 'external_content'"), 1);
    drop(target);
    let error = case.refused(RestoreMode::Replace, &["external_data"]);
    assert!(error.message().contains("storage") && error.hint().unwrap().contains("external"), "{error}");
    let report = case.restore(RestoreMode::Replace, &[]).unwrap();
    assert!(report.plan.objects.iter().any(|object| object.name == "external" && object.replaces));
    let target = case.open_target();
    check_search(&target);
    assert_eq!(number(&target, "SELECT count(*) FROM sqlite_schema WHERE name = 'external_content'"), 0);
    assert_eq!(number(&target, "SELECT a FROM other"), 1);
    let error = case.refused(RestoreMode::Append, &[]);
    assert!(error.is_request() && error.message().contains("storage"), "{error}");
}

#[test]
fn a_module_may_be_missing() {
    let case = Case::new(
        "CREATE TABLE t(a); INSERT INTO t VALUES (1);
         CREATE TABLE far_data(a, b); INSERT INTO far_data VALUES (1, x'02');
         PRAGMA writable_schema = ON;
         INSERT INTO sqlite_schema VALUES ('table', 'far', 'far', 0, 'CREATE VIRTUAL TABLE far USING not_here(a, ''b'')');",
    );
    case.round_trip();
    let target = case.open_target();
    assert!(target.prepare("SELECT * FROM far").unwrap_err().to_string().contains("no such module: not_here"));
    assert_eq!(number(&target, "SELECT count(*) FROM t"), 1);
}

#[test]
fn a_defensive_connection_elsewhere_does_not_matter() {
    let case = Case::new(SEARCH);
    case.restore(RestoreMode::Create, &[]).unwrap();
    let target = case.open_target();
    target.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).unwrap();
    assert!(target.execute("INSERT INTO own_data VALUES (1, 2)", []).is_err(), "not known as a shadow table");
    check_search(&target);
}
