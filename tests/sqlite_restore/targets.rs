//! What may stand where the target is to be.

use super::*;

const SMALL: &str =
    "PRAGMA page_size = 2048; PRAGMA encoding = 'UTF-16be'; PRAGMA auto_vacuum = FULL; PRAGMA journal_mode = WAL;
    PRAGMA user_version = 9; CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT, b); INSERT INTO t VALUES (5, 'x');";

#[test]
fn stale_logs_and_journals_are_never_applied() {
    for (side, content) in [("-wal", &b"stale"[..]), ("-shm", b""), ("-journal", b"x")] {
        for empty in [false, true] {
            let case = Case::new(SMALL);
            if empty {
                std::fs::write(case.target(), b"").unwrap();
            }
            let stale = case.file(&format!("target.db{side}"));
            std::fs::write(&stale, content).unwrap();
            let error = case.refused(RestoreMode::Create, &[]);
            assert!(error.is_request() && error.message().contains(side), "{error}");
            assert!(case.plan(RestoreMode::Create, &[]).unwrap_err().message().contains(side));
            assert_eq!(bytes(&stale), content);
        }
    }
}

#[test]
fn an_empty_file_becomes_the_snapshot() {
    let case = Case::new(SMALL);
    std::fs::write(case.target(), b"").unwrap();
    let planned = case.plan(RestoreMode::Create, &[]).unwrap();
    assert!(!planned.new_file && planned.settings.contains(&("page_size".into(), "2048".into())));
    assert_eq!(bytes(&case.target()), b"");
    case.restore(RestoreMode::Create, &[]).unwrap();
    assert_eq!(read_everything(&case.target()), read_everything(&case.source()));
    assert_eq!(files(case.directory.path()), ["archive.tabark", "source.db", "target.db"]);
}

#[test]
fn an_empty_file_stays_empty_when_the_restore_fails() {
    let case = Case::new("CREATE TABLE t(a TEXT); INSERT INTO t VALUES ('12');
         PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a INTEGER)'; PRAGMA writable_schema = RESET;");
    std::fs::write(case.target(), b"").unwrap();
    assert!(case.refused(RestoreMode::Create, &[]).is_not_proven());
    assert_eq!(bytes(&case.target()), b"");
}

#[test]
fn what_is_no_database_is_refused() {
    let case = Case::new(SMALL);
    std::fs::write(
        case.target(),
        b"this is a letter, and long enough to be read as the header of a database file, which it is not. ......",
    )
    .unwrap();
    assert!(case.refused(RestoreMode::Replace, &[]).is_database());
    std::fs::remove_file(case.target()).unwrap();
    std::fs::copy(case.archive(), case.target()).unwrap();
    assert!(case.refused(RestoreMode::Create, &[]).is_database());
    std::fs::remove_file(case.target()).unwrap();
    std::fs::create_dir(case.target()).unwrap();
    let error = case.restore(RestoreMode::Create, &[]).unwrap_err();
    assert!(error.is_request() && error.message().contains("not a file"), "{error}");
    std::fs::remove_dir(case.target()).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(case.file("nowhere"), case.target()).unwrap();
        assert!(case.restore(RestoreMode::Create, &[]).unwrap_err().message().contains("leads nowhere"));
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let case = Case::new(SMALL);
    let archive = Archive::open(&case.archive()).unwrap();
    let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
    let error = restore(&snapshot, &case.file("no/target.db"), &RestoreOptions::default(), &()).unwrap_err();
    assert!(error.is_io() && error.hint().is_some(), "{error}");
}

#[test]
fn a_plan_changes_nothing_and_says_what_happens() {
    let case = Case::new(SMALL);
    let planned = case.plan(RestoreMode::Create, &[]).unwrap();
    assert!(planned.new_file && planned.target == case.target());
    assert_eq!((planned.tables[0].name.as_str(), planned.tables[0].rows), ("t", 1));
    assert!(planned.tables[0].stored_bytes > 0);
    assert_eq!(files(case.directory.path()), ["archive.tabark", "source.db"]);
    drop(case.make_target("PRAGMA journal_mode = WAL; CREATE TABLE other(a)"));
    let before = bytes(&case.target());
    case.plan(RestoreMode::Create, &[]).unwrap();
    assert_eq!(bytes(&case.target()), before);
    assert_eq!(files(case.directory.path()), ["archive.tabark", "source.db", "target.db"]);
    let error = case.plan(RestoreMode::Append, &[]).unwrap_err();
    assert!(error.is_request() && error.message().contains("no table \"t\""), "{error}");
}

/// Every file of a folder, with its content.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    files(folder).into_iter().map(|name| (name.clone(), bytes(&folder.join(name)))).collect()
}

/// Makes `database` with a log that a killed program left: its last row is only there.
fn leave_log(database: &Path) {
    let other = Connection::open(database).unwrap();
    other.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT, b)").unwrap();
    other.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    other.execute_batch("INSERT INTO t VALUES (5, 'in the log')").unwrap();
}

/// SQLite keeps its files beside what the link leads to, not beside the link.
#[cfg(unix)]
#[test]
fn a_log_beside_what_a_link_leads_to_is_not_moved_by_a_plan_or_a_refusal() {
    let case = Case::new(SMALL);
    std::fs::create_dir(case.file("real")).unwrap();
    leave_log(&case.file("real/file.db"));
    std::os::unix::fs::symlink("real/file.db", case.target()).unwrap();
    let state = || ["real/file.db", "real/file.db-wal"].map(|name| bytes(&case.file(name)));
    let before = state();
    assert!(before[1].len() > 4096);
    assert!(case.plan(RestoreMode::Create, &[]).unwrap_err().message().contains("already"));
    case.plan(RestoreMode::Append, &[]).unwrap();
    assert!(state() == before, "a plan moved the log");
    assert!(case.restore(RestoreMode::Create, &[]).unwrap_err().is_request());
    assert!(state() == before, "a refusal moved the log");
    let error = case.restore(RestoreMode::Append, &[]).unwrap_err();
    assert!(error.is_database() && error.message().contains("UNIQUE"), "{error}");
    let after = state();
    assert!(after[0] == before[0] && after[1].starts_with(&before[1]), "a failure moved the log");
    case.restore(RestoreMode::Replace, &[]).unwrap();
    assert_eq!(files(&case.file("real")), ["file.db"]);
    assert!(case.target().is_symlink());
}

#[cfg(unix)]
#[test]
fn a_stale_log_beside_what_a_link_leads_to_is_refused() {
    let case = Case::new(SMALL);
    std::fs::create_dir(case.file("real")).unwrap();
    std::fs::write(case.file("real/file.db"), b"").unwrap();
    std::fs::write(case.file("real/file.db-wal"), b"stale").unwrap();
    std::os::unix::fs::symlink("real/file.db", case.target()).unwrap();
    let error = case.restore(RestoreMode::Create, &[]).unwrap_err();
    assert!(error.is_request() && error.message().contains("file.db-wal"), "{error}");
    assert_eq!(bytes(&case.file("real/file.db-wal")), b"stale");
}

#[test]
fn a_plan_leaves_no_index_beside_a_log() {
    let case = Case::new(SMALL);
    leave_log(&case.target());
    std::fs::remove_file(case.file("target.db-shm")).unwrap();
    let before = contents(case.directory.path());
    let planned = case.plan(RestoreMode::Append, &[]).unwrap();
    assert_eq!(planned.tables.len(), 1, "the table is only in the log");
    assert!(case.plan(RestoreMode::Create, &[]).unwrap_err().is_request());
    assert!(contents(case.directory.path()) == before, "{:?}", files(case.directory.path()));
}

/// Makes `database` as a writer leaves it that is killed with half of its transaction in the file: to be rolled back.
fn leave_hot_journal(case: &Case, database: &Path) {
    let made = case.file("writer.db");
    let writer = Connection::open(&made).unwrap();
    writer
        .execute_batch(
            "CREATE TABLE other(a); INSERT INTO other VALUES (zeroblob(100000)); PRAGMA cache_size = 1; BEGIN;
             UPDATE other SET a = randomblob(100000); INSERT INTO other VALUES (randomblob(100000));",
        )
        .unwrap();
    let beside = |path: &Path| PathBuf::from(format!("{}-journal", path.display()));
    std::fs::copy(&made, database).unwrap();
    std::fs::copy(beside(&made), beside(database)).unwrap();
    drop(writer);
    std::fs::remove_file(made).unwrap();
}

#[test]
fn a_plan_rolls_no_journal_back() {
    let case = Case::new(SMALL);
    leave_hot_journal(&case, &case.target());
    let before = contents(case.directory.path());
    let error = case.plan(RestoreMode::Create, &[]).unwrap_err();
    assert!(error.is_request() && error.message().contains("target.db-journal"), "{error}");
    assert!(error.hint().unwrap().contains("sqlite3"), "{error}");
    assert!(contents(case.directory.path()) == before, "{:?}", files(case.directory.path()));
    #[cfg(unix)]
    {
        let link = Case::new(SMALL);
        std::os::unix::fs::symlink(case.target(), link.target()).unwrap();
        assert!(link.plan(RestoreMode::Create, &[]).unwrap_err().message().contains("target.db-journal"));
        assert!(contents(case.directory.path()) == before, "{:?}", files(case.directory.path()));
    }
    // What is restored for good has SQLite roll back first.
    case.restore(RestoreMode::Create, &[]).unwrap();
    let target = case.open_target();
    assert_eq!(number(&target, "SELECT count(*) FROM other WHERE a = zeroblob(100000)"), 1);
    assert_eq!(number(&target, "SELECT count(*) FROM other"), 1);
    assert_eq!(number(&target, "SELECT count(*) FROM t"), 1);
}

#[test]
fn a_journal_that_is_kept_for_later_writes_does_not_matter() {
    let case = Case::new(SMALL);
    drop(case.make_target("PRAGMA journal_mode = PERSIST; CREATE TABLE other(a); INSERT INTO other VALUES (1)"));
    assert!(!bytes(&case.file("target.db-journal")).is_empty());
    let before = contents(case.directory.path());
    case.plan(RestoreMode::Create, &[]).unwrap();
    assert!(contents(case.directory.path()) == before);
}

#[test]
fn nothing_chosen_is_no_restore() {
    let case = Case::new(SMALL);
    let options = RestoreOptions::default().tables(Selection::new::<&str>(&[], &["*"]).unwrap());
    assert!(case.restore_with(&options, &()).unwrap_err().is_request());
    assert!(!case.target().exists());
}
