//! Opening: one instant, nothing written, clear errors.

use std::path::Path;

use rusqlite::Connection;
use tabark::model::Value;
use tabark::source::Source;
use tabark::source::sqlite::SqliteSource;

use super::{Database, bytes_of, collect, column, rows, table, text};

fn refusal(path: &Path) -> tabark::Error {
    match SqliteSource::open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

#[test]
fn a_missing_file_is_an_error_and_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing.db");
    let error = refusal(&path);
    assert!(error.is_io() && error.hint().is_some(), "{error}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let error = refusal(directory.path());
    assert!(error.is_request() && error.message().contains("not a file"), "{error}");
}

#[test]
fn a_file_that_is_no_database_and_an_encrypted_one_say_so() {
    let directory = tempfile::tempdir().unwrap();
    let text_file = directory.path().join("notes.txt");
    std::fs::write(&text_file, "not a database\n".repeat(1000)).unwrap();
    let encrypted = directory.path().join("encrypted.db");
    std::fs::write(&encrypted, (0..8192_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect::<Vec<_>>())
        .unwrap();
    for path in [text_file, encrypted] {
        let error = refusal(&path);
        assert!(error.is_database(), "{error}");
        assert!(error.message().contains("not an SQLite database, or it is encrypted"), "{error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn odd_file_names_are_names_and_no_uris() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["file:a.db?mode=memory", ":memory:", "a?b=c&d#e%20f.db", "it's \"quoted\"\n.db", "日本.db"] {
        let path = directory.path().join(name);
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES (7)").unwrap();
        assert!(path.is_file(), "{name:?}");
        let source = SqliteSource::open(&path).unwrap();
        assert_eq!(column(&source, "t", 1), [Value::Integer(7)], "{name:?}");
        assert_eq!(source.catalog().description.name, name);
    }
}

#[test]
fn an_empty_file_is_an_empty_database() {
    let database = Database::new("");
    std::fs::write(database.path(), "").unwrap();
    let source = database.source();
    let catalog = source.catalog();
    assert!(catalog.tables.is_empty() && catalog.objects.is_empty() && catalog.omitted.is_empty());
    assert_eq!(catalog.description.setting("encoding"), Some("UTF-8"));
    assert_eq!(bytes_of(&database.path()), b"");
}

#[test]
fn a_database_without_tables_has_its_settings() {
    let database = Database::new(
        "PRAGMA page_size = 8192; PRAGMA auto_vacuum = 2; PRAGMA encoding = 'UTF-16be';
         CREATE TABLE t(a); DROP TABLE t; PRAGMA user_version = -3; PRAGMA application_id = 1196444487; VACUUM; PRAGMA journal_mode = WAL;",
    );
    let source = database.source();
    let description = &source.catalog().description;
    assert!(source.catalog().tables.is_empty());
    let settings: Vec<(&str, &str)> =
        description.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        settings,
        [
            ("application_id", "1196444487"),
            ("auto_vacuum", "2"),
            ("encoding", "UTF-16be"),
            ("journal_mode", "wal"),
            ("page_size", "8192"),
            ("user_version", "-3"),
        ]
    );
    assert_eq!((description.engine.as_str(), description.name.as_str()), ("sqlite", "source.db"));
    assert_eq!(description.engine_version, rusqlite::version());
}

#[test]
fn rows_still_in_the_wal_are_read_and_the_wal_is_left_alone() {
    let database = Database::new("PRAGMA journal_mode = WAL; CREATE TABLE t(a); PRAGMA wal_checkpoint(TRUNCATE);");
    let writer = database.writer();
    writer.execute_batch("PRAGMA wal_autocheckpoint = 0; INSERT INTO t VALUES (1), (2)").unwrap();
    let wal = database.directory.path().join("source.db-wal");
    let before = (bytes_of(&database.path()), bytes_of(&wal));
    assert!(!before.1.is_empty());
    let source = database.source();
    assert_eq!(column(&source, "t", 1), [Value::Integer(1), Value::Integer(2)]);
    drop(source);
    assert_eq!((bytes_of(&database.path()), bytes_of(&wal)), before);
}

/// What a killed program leaves: a WAL with committed rows, and no other connection to recover it.
#[test]
fn a_wal_left_behind_by_a_killed_writer_is_read() {
    let database = Database::new("PRAGMA journal_mode = WAL; CREATE TABLE t(a);");
    let writer = database.writer();
    writer.execute_batch("PRAGMA wal_autocheckpoint = 0; INSERT INTO t VALUES (1)").unwrap();
    let left = tempfile::tempdir().unwrap();
    let copy = left.path().join("left.db");
    std::fs::copy(database.path(), &copy).unwrap();
    std::fs::copy(database.directory.path().join("source.db-wal"), left.path().join("left.db-wal")).unwrap();
    let before = bytes_of(&copy);
    assert_eq!(column(&SqliteSource::open(&copy).unwrap(), "t", 1), [Value::Integer(1)]);
    assert_eq!(bytes_of(&copy), before);
}

#[test]
fn a_wal_database_without_wal_and_shm_files_is_read() {
    let database = Database::new("PRAGMA journal_mode = WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1);");
    assert!(!database.directory.path().join("source.db-wal").exists());
    let before = bytes_of(&database.path());
    assert_eq!(column(&database.source(), "t", 1), [Value::Integer(1)]);
    assert_eq!(bytes_of(&database.path()), before);
}

/// As in a directory that may not be written to (which root may, so permissions cannot show it here).
#[test]
fn a_wal_database_whose_wal_cannot_be_opened_says_what_to_do() {
    let database = Database::new("PRAGMA journal_mode = WAL; CREATE TABLE t(a);");
    std::fs::create_dir(database.directory.path().join("source.db-wal")).unwrap();
    let error = refusal(&database.path());
    assert!(error.is_database() && error.message().contains("-wal"), "{error}");
    assert!(error.hint().unwrap().contains("copy the database together with its -wal"), "{error}");
}

#[test]
fn all_tables_come_from_one_instant_under_a_wal_writer() {
    let database = Database::new(
        "PRAGMA journal_mode = WAL; CREATE TABLE a(n); CREATE TABLE b(n);
         INSERT INTO a SELECT value FROM json_each('[1,2,3]'); INSERT INTO b SELECT n FROM a;",
    );
    let source = database.source();
    let writer = database.writer();
    let table_a = table(&source, "a");
    let mut seen = Vec::new();
    source
        .read_table(&table_a, &mut |cells: &[tabark::model::Cell<'_>]| {
            // Between any two rows someone else changes everything, the schema included, and checkpoints.
            let step = seen.len();
            writer
                .execute_batch(&format!(
                    "UPDATE a SET n = n + 100; DELETE FROM b; CREATE TABLE new_{step}(x);
                     ALTER TABLE b ADD COLUMN c{step}; PRAGMA wal_checkpoint;"
                ))
                .unwrap();
            seen.push(Value::of(&cells[1]));
            Ok(())
        })
        .unwrap();
    let expected = [1, 2, 3].map(Value::Integer);
    assert_eq!(seen, expected);
    assert_eq!(column(&source, "b", 1), expected);
    assert_eq!(column(&source, "a", 1), expected);
    drop(source);
    let after = database.source();
    assert_eq!(column(&after, "a", 1), [301, 302, 303].map(Value::Integer));
    assert!(rows(&after, "b").is_empty());
    assert_eq!(after.catalog().tables.len(), 5);
}

#[test]
fn a_rollback_journal_writer_cannot_commit_into_the_instant() {
    let database = Database::new("CREATE TABLE t(a); INSERT INTO t VALUES (1)");
    let source = database.source();
    let writer = database.writer();
    writer.busy_timeout(std::time::Duration::ZERO).unwrap();
    assert!(writer.execute("INSERT INTO t VALUES (2)", []).is_err(), "the reader holds no lock");
    assert_eq!(column(&source, "t", 1), [Value::Integer(1)]);
    drop(source);
    writer.execute("INSERT INTO t VALUES (2)", []).unwrap();
}

#[test]
fn a_hot_rollback_journal_is_a_clear_error_and_nothing_is_rolled_back_here() {
    let database = Database::new("CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(100000))");
    let writer = database.writer();
    // A cache too small for the transaction makes SQLite write into the database before the commit.
    writer
        .execute_batch(
            "PRAGMA cache_size = 2; PRAGMA cache_spill = 1; BEGIN;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
             INSERT INTO t SELECT zeroblob(5000) FROM n; UPDATE t SET a = randomblob(3000);",
        )
        .unwrap();
    let killed = tempfile::tempdir().unwrap();
    let (copy, journal) = (killed.path().join("killed.db"), killed.path().join("killed.db-journal"));
    std::fs::copy(database.path(), &copy).unwrap();
    std::fs::copy(database.directory.path().join("source.db-journal"), &journal).unwrap();
    let before = (bytes_of(&copy), bytes_of(&journal));
    let error = refusal(&copy);
    assert!(error.is_database() && error.message().contains("hot journal"), "{error}");
    assert!(error.hint().unwrap().contains("rolls the journal back"), "{error}");
    assert_eq!((bytes_of(&copy), bytes_of(&journal)), before, "the source was changed");
    // The journal was truly hot: a writer rolls it back, and then the database can be read.
    Connection::open(&copy).unwrap().query_row("SELECT count(*) FROM t", [], |_| Ok(())).unwrap();
    assert_eq!(rows(&SqliteSource::open(&copy).unwrap(), "t").len(), 1);
}

#[test]
fn a_sink_that_fails_ends_the_reading_with_its_own_error() {
    let database = Database::new("CREATE TABLE t(a); INSERT INTO t VALUES ('x'), ('y')");
    let source = database.source();
    let schema = table(&source, "t");
    let error =
        source.read_table(&schema, &mut |_: &[tabark::model::Cell<'_>]| Err(tabark::Error::interrupted())).unwrap_err();
    assert!(error.is_interrupted());
    assert_eq!(collect(|sink| source.read_table(&schema, sink)).unwrap()[1][1], text("y"));
}
