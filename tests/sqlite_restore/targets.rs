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

#[test]
fn nothing_chosen_is_no_restore() {
    let case = Case::new(SMALL);
    let options = RestoreOptions::default().tables(Selection::new::<&str>(&[], &["*"]).unwrap());
    assert!(case.restore_with(&options, &()).unwrap_err().is_request());
    assert!(!case.target().exists());
}
