//! Databases that exist: create, replace, append, all or nothing.

use super::*;

const SOURCE: &str = "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT UNIQUE ON CONFLICT REPLACE); CREATE INDEX users_name ON users(name);
    CREATE TRIGGER users_t AFTER INSERT ON users BEGIN INSERT INTO log VALUES ('snapshot'); END;
    CREATE TABLE log(what); CREATE TABLE pairs(a TEXT, b, PRIMARY KEY (a, b)) WITHOUT ROWID;
    CREATE VIEW v AS SELECT name FROM users;
    INSERT INTO users VALUES (1, 'one'), (3, 'three'); DELETE FROM log; INSERT INTO log VALUES ('kept');
    INSERT INTO pairs VALUES ('x', 1), ('y', 2);";

const TARGET: &str = "CREATE TABLE fired(n); CREATE TABLE untouched(a); INSERT INTO untouched VALUES (1), (2);
    CREATE VIEW other_view AS SELECT * FROM users; ";

#[test]
fn create_adds_to_what_is_there() {
    let case = Case::new(SOURCE);
    drop(case.make_target(TARGET));
    let report = case.restore(RestoreMode::Create, &[]).unwrap();
    assert!(!report.plan.new_file && report.plan.settings.is_empty());
    let (source, target) = (reading::read_tables(&case.source()), reading::read_tables(&case.target()));
    for (name, rows) in &source {
        if name != "definitions" {
            assert_eq!(target.get(name), Some(rows), "{name}");
        }
    }
    assert!(source["definitions"].iter().all(|definition| target["definitions"].contains(definition)));
    assert_eq!(target["definitions"].len(), source["definitions"].len() + 3);
    assert_eq!(target["table untouched"].len(), 2);
}

#[test]
fn create_refuses_any_name_that_is_taken() {
    for taken in [
        "CREATE TABLE USERS(a)",
        "CREATE VIEW users AS SELECT 1",
        "CREATE TABLE t(a); CREATE INDEX users_name ON t(a)",
        "CREATE TABLE t(a); CREATE TRIGGER users_t AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE TABLE v(a)",
        "CREATE VIRTUAL TABLE users USING fts5(a)",
    ] {
        let case = Case::new(SOURCE);
        drop(case.make_target(taken));
        let error = case.refused(RestoreMode::Create, &[]);
        assert!(error.is_request() && error.message().contains("already"), "{taken}: {error}");
        assert!(case.plan(RestoreMode::Create, &[]).unwrap_err().is_request());
    }
}

#[test]
fn replace_makes_the_chosen_tables_anew_and_nothing_else() {
    let case = Case::new(SOURCE);
    drop(case.make_target(&format!(
        "{TARGET} CREATE TABLE users(id INTEGER PRIMARY KEY, other); INSERT INTO users VALUES (9, 9);
         CREATE INDEX users_other ON users(other); CREATE TRIGGER users_own AFTER INSERT ON users BEGIN SELECT 1; END;
         CREATE TABLE log(different); INSERT INTO log VALUES ('target');
         CREATE TRIGGER log_t AFTER INSERT ON untouched BEGIN INSERT INTO users VALUES (1, 2); END;"
    )));
    let planned = case.plan(RestoreMode::Replace, &["users", "pairs"]).unwrap();
    let report = case.restore(RestoreMode::Replace, &["users", "pairs"]).unwrap();
    assert_eq!(report.plan, planned);
    let actions: Vec<_> = planned.tables.iter().map(|table| (table.name.as_str(), table.action)).collect();
    use tabark::restore::TableAction::{CreateTable, ReplaceTable};
    assert_eq!(actions, [("users", ReplaceTable), ("pairs", CreateTable)]);
    for gone in ["users_other", "users_own"] {
        assert!(planned.warnings.iter().any(|warning| warning.contains(gone)), "{:?}", planned.warnings);
    }
    let target = case.open_target();
    assert_eq!(reading::table(&target, "users"), reading::table(&Connection::open(case.source()).unwrap(), "users"));
    let names: String = target
        .query_row("SELECT group_concat(name, ' ' ORDER BY name) FROM sqlite_schema WHERE sql NOTNULL", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(names, "fired log log_t other_view pairs untouched users users_name users_t");
    assert_eq!(number(&target, "SELECT count(*) FROM log WHERE different = 'target'"), 1);
    // And once more, over its own result.
    drop(target);
    case.restore(RestoreMode::Replace, &[]).unwrap();
    assert_eq!(number(&case.open_target(), "SELECT what = 'kept' FROM log"), 1);
}

#[test]
fn replace_refuses_what_is_something_else() {
    for taken in [
        "CREATE VIEW users AS SELECT 1",
        "CREATE VIRTUAL TABLE users USING fts5(a)",
        "CREATE TABLE t(a); CREATE INDEX users_name ON t(a)",
        "CREATE TABLE t(a); CREATE TRIGGER users_t AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE TABLE v(a)",
    ] {
        let case = Case::new(SOURCE);
        drop(case.make_target(taken));
        assert!(case.refused(RestoreMode::Replace, &[]).is_request(), "{taken}");
    }
}

#[test]
fn append_adds_exactly_the_rows_and_fires_no_trigger() {
    let case = Case::new(SOURCE);
    drop(case.make_target(&format!(
        "{TARGET} CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, CHECK (length(name) < 99)); INSERT INTO users VALUES (2, 'two'), (9, 'nine');
         CREATE TABLE log(what); INSERT INTO log(rowid, what) VALUES (40, 'target'), (-3, 'old');
         CREATE TABLE pairs(a TEXT, b, PRIMARY KEY (b, a)); INSERT INTO pairs VALUES ('z', 1);
         CREATE TRIGGER fires AFTER INSERT ON users BEGIN INSERT INTO fired VALUES (new.id); END;"
    )));
    let definitions = reading::read_tables(&case.target())["definitions"].clone();
    let report = case.restore(RestoreMode::Append, &["users", "log", "pairs"]).unwrap();
    assert!(report.plan.warnings.iter().any(|warning| warning.contains("fires")), "{:?}", report.plan.warnings);
    assert!(report.tables.iter().all(|table| table.proved));
    let target = case.open_target();
    let all = |sql: &str| target.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(all("SELECT group_concat(id || name, ' ' ORDER BY id) FROM users"), "1one 2two 3three 9nine");
    assert_eq!(all("SELECT group_concat(rowid || what, ' ' ORDER BY rowid) FROM log"), "-3old 40target 41kept");
    assert_eq!(number(&target, "SELECT count(*) FROM pairs"), 3);
    assert_eq!(number(&target, "SELECT count(*) FROM fired"), 0);
    assert_eq!(reading::read_tables(&case.target())["definitions"], definitions);
    target.execute_batch("INSERT INTO users VALUES (10, 'ten')").unwrap();
    assert_eq!(number(&target, "SELECT n FROM fired"), 10, "the trigger is still there");
}

#[test]
fn append_raises_sequences_and_never_lowers_them() {
    let case = Case::new(
        "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO a VALUES (1), (500); DELETE FROM a WHERE id = 500;
         CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO b VALUES (1);",
    );
    drop(case.make_target(
        "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO a VALUES (2);
         CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO b VALUES (900);",
    ));
    case.restore(RestoreMode::Append, &[]).unwrap();
    let target = case.open_target();
    assert_eq!(number(&target, "SELECT seq FROM sqlite_sequence WHERE name = 'a'"), 500);
    assert_eq!(number(&target, "SELECT seq FROM sqlite_sequence WHERE name = 'b'"), 900);
}

/// `ON CONFLICT REPLACE` and `IGNORE` in the target's definition would lose rows in silence.
#[test]
fn append_refuses_conflicts_whatever_the_table_says() {
    for definition in [
        "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)",
        "CREATE TABLE users(id INTEGER PRIMARY KEY ON CONFLICT REPLACE, name TEXT)",
        "CREATE TABLE users(id INTEGER PRIMARY KEY ON CONFLICT IGNORE, name TEXT)",
    ] {
        let case = Case::new(SOURCE);
        drop(case.make_target(&format!("{definition}; INSERT INTO users VALUES (3, 'mine')")));
        let error = case.refused(RestoreMode::Append, &["users"]);
        assert!(error.is_database() && error.message().contains("UNIQUE") && error.table() == Some("users"), "{error}");
        assert_eq!(number(&case.open_target(), "SELECT name = 'mine' FROM users"), 1);
    }
}

/// The snapshot's rows are right by the snapshot's definition; the live table's application relies on its own.
#[test]
fn append_refuses_rows_that_break_the_targets_check() {
    for definition in [
        "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT CHECK (length(name) < 4))",
        "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, CONSTRAINT short CHECK (length(name) < 4) ON CONFLICT IGNORE)",
    ] {
        let case = Case::new(SOURCE);
        drop(case.make_target(&format!("{definition}; INSERT INTO users VALUES (9, 'my'); CREATE TABLE log(what)")));
        let error = case.refused(RestoreMode::Append, &["log", "users"]);
        assert!(error.is_database() && error.message().contains("CHECK") && error.table() == Some("users"), "{error}");
        assert!(error.hint().unwrap().contains("does not allow"), "{error}");
        let target = case.open_target();
        assert_eq!(number(&target, "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM log)"), 1);
    }
}

/// Rows that broke the target's CHECK before are not the restore's, and are not said to be the snapshot's.
#[test]
fn append_does_not_say_that_the_snapshot_breaks_the_targets_check() {
    let case = Case::new(SOURCE);
    drop(case.make_target(
        "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT CHECK (length(name) < 9)); PRAGMA ignore_check_constraints = ON;
         INSERT INTO users VALUES (9, 'much too long'); CREATE TABLE log(what)",
    ));
    let report = case.restore(RestoreMode::Append, &["log", "users"]).unwrap();
    assert!(
        matches!(&report.warnings[..], [one] if one.contains("\"users\"") && one.contains("before")),
        "{:?}",
        report.warnings
    );
    assert_eq!(number(&case.open_target(), "SELECT count(*) FROM users"), 3);
}

/// Reading a key by a collation of the application stands another one in for it, by which no row may be added.
#[test]
fn append_refuses_a_key_whose_collation_is_not_here() {
    let case = Case::new("CREATE TABLE t(a TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO t VALUES ('b');");
    let target = Connection::open(case.target()).unwrap();
    target.create_collation("backwards", |a: &str, b: &str| b.cmp(a)).unwrap();
    target
        .execute_batch(
            "CREATE TABLE t(a TEXT PRIMARY KEY COLLATE backwards) WITHOUT ROWID; INSERT INTO t VALUES ('a'), ('c');
             CREATE TABLE other(a); CREATE INDEX i ON other(a COLLATE backwards);",
        )
        .unwrap();
    drop(target);
    let error = case.refused(RestoreMode::Append, &["t"]);
    assert!(error.is_database() && error.message().contains("backwards"), "{error}");
    let case = Case { directory: case.directory };
    std::fs::remove_file(case.archive()).unwrap();
    Connection::open(case.source())
        .unwrap()
        .execute_batch("CREATE TABLE other(a); INSERT INTO other VALUES (1)")
        .unwrap();
    case.dump(Selection::everything());
    let error = case.refused(RestoreMode::Append, &["other"]);
    assert!(error.is_database() && error.message().contains("backwards"), "{error}");
}

/// The source's type was edited by hand; the target's was not, and converts what is written.
#[test]
fn append_notices_values_that_are_converted() {
    for (definition, row) in [
        ("CREATE TABLE t(a INTEGER)", "'12'"),
        ("CREATE TABLE t(a INTEGER, k INTEGER PRIMARY KEY)", "'12', 5"),
        ("CREATE TABLE t(a INTEGER, k TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID", "'12', 'x'"),
    ] {
        let case = Case::made(|connection| {
            connection.execute_batch(&definition.replace("a INTEGER", "a TEXT")).unwrap();
            connection.execute_batch(&format!("INSERT INTO t VALUES ({row}); PRAGMA writable_schema = ON")).unwrap();
            connection.execute("UPDATE sqlite_schema SET sql = ?1 WHERE name = 't'", [definition]).unwrap();
        });
        drop(case.make_target(definition));
        let error = case.refused(RestoreMode::Append, &["t"]);
        assert!(error.is_not_proven() && error.table() == Some("t"), "{definition}: {error}");
    }
}

/// What a killed program left in its log is still only there after a refusal.
#[test]
fn a_log_that_was_left_is_not_moved_by_a_refusal() {
    let case = Case::new(SOURCE);
    let other = case.make_target("PRAGMA journal_mode = WAL; CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)");
    other.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    other.execute_batch("INSERT INTO users VALUES (1, 'in the log')").unwrap();
    drop(other);
    let log = bytes(&case.file("target.db-wal"));
    assert!(!log.is_empty());
    assert!(case.refused(RestoreMode::Create, &[]).is_request());
    assert!(case.refused(RestoreMode::Append, &["users"]).is_database());
    assert!(bytes(&case.file("target.db-wal")).starts_with(&log));
    case.restore(RestoreMode::Replace, &["users"]).unwrap();
    assert_eq!(number(&case.open_target(), "SELECT count(*) FROM users"), 2);
    assert_eq!(files(case.directory.path()), ["archive.tabark", "source.db", "target.db"]);
}

#[test]
fn append_refuses_when_row_ids_are_used_up() {
    let case = Case::new("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2);");
    for last in [i64::MAX, i64::MAX - 1] {
        drop(case.make_target(&format!(
            "DROP TABLE IF EXISTS t; CREATE TABLE t(a); INSERT INTO t(rowid, a) VALUES ({last}, 'mine')"
        )));
        let error = case.refused(RestoreMode::Append, &[]);
        assert!(error.is_database() && error.message().contains("used up"), "{error}");
    }
}

/// Schema drift: found before anything changes, and the difference is named.
#[test]
fn append_names_the_column_that_differs() {
    for (definition, named) in [
        ("CREATE TABLE other(a)", "no table"),
        ("CREATE VIEW users AS SELECT 1", "no table"),
        ("CREATE TABLE users(id INTEGER PRIMARY KEY)", "no column \"name\""),
        ("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, more)", "\"more\""),
        ("CREATE TABLE users(name TEXT, id INTEGER PRIMARY KEY)", "\"name\" where"),
        ("CREATE TABLE users(id INTEGER PRIMARY KEY, name INT)", "\"INT\""),
        ("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL)", "may not be null"),
        ("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, g AS (id + 1))", "generated"),
    ] {
        let case = Case::new(SOURCE);
        drop(case.make_target(definition));
        let error = case.refused(RestoreMode::Append, &["users"]);
        assert!(error.is_request() && error.message().contains(named), "{definition}: {error}");
    }
}

#[test]
fn a_target_of_another_encoding() {
    for (from, lone, into) in [
        ("UTF-8", "ff", "UTF-16le"),
        ("UTF-16le", "00d8", "UTF-8"),
        ("UTF-16be", "d800", "UTF-16le"),
        ("UTF-8", "c3", "UTF-16be"),
    ] {
        let case = Case::new(&format!(
            "PRAGMA encoding = '{from}';
             CREATE TABLE t(a TEXT PRIMARY KEY, b) WITHOUT ROWID;
             INSERT INTO t VALUES ('a', 1), ('é', 2), (char(0xfffd), 3), (char(0xfffe), 4), ('𝄞', 5), ('Ā', 6), ('z' || char(0), 'x');
             CREATE TABLE u(a); INSERT INTO u VALUES ('𝄞é'), (char(0xffff)), (char(0xfeff) || 'x');
             CREATE TABLE raw(a); INSERT INTO raw VALUES ('fine'), (CAST(x'{lone}' AS TEXT));"
        ));
        drop(case.make_target(&format!(
            "PRAGMA encoding = '{into}'; CREATE TABLE t(a TEXT PRIMARY KEY, b) WITHOUT ROWID; INSERT INTO t VALUES ('mine', 0)"
        )));
        case.restore(RestoreMode::Append, &["t"]).unwrap();
        assert_eq!(number(&case.open_target(), "SELECT count(*) FROM t"), 8);
        case.restore(RestoreMode::Replace, &["t", "u"]).unwrap();
        let target = case.open_target();
        let found: String = target
            .query_row("SELECT group_concat(hex(CAST(a AS BLOB)), ' ' ORDER BY rowid) FROM u", [], |row| row.get(0))
            .unwrap();
        let expected = match into {
            "UTF-8" => "F09D849EC3A9 EFBFBF EFBBBF78",
            "UTF-16le" => "34D81EDDE900 FFFF FFFE7800",
            _ => "D834DD1E00E9 FFFF FEFF0078",
        };
        assert_eq!(found, expected, "{from} {into}");
        let sum = "SELECT sum(b * unicode(a)) + count(*) FROM t WHERE typeof(b) = 'integer'";
        assert_eq!(number(&target, sum), 97 + 2 * 0xe9 + 3 * 0xfffd + 4 * 0xfffe + 5 * 0x1d11e + 6 * 0x100 + 6);
        drop(target);
        let error = case.refused(RestoreMode::Create, &["raw"]);
        assert!(error.message().contains("encoding") && error.table() == Some("raw"), "{from} {into}: {error}");
    }
}

#[test]
fn wal_mode_and_a_log_that_is_in_use() {
    let case = Case::new(SOURCE);
    let other = case.make_target(&format!("PRAGMA journal_mode = WAL; {TARGET}"));
    other.execute_batch("PRAGMA wal_autocheckpoint = 0; INSERT INTO untouched VALUES (3)").unwrap();
    case.refused(RestoreMode::Append, &["users"]);
    case.restore(RestoreMode::Create, &[]).unwrap();
    assert_eq!(number(&other, "SELECT count(*) FROM users"), 2);
    assert_eq!(number(&other, "SELECT count(*) FROM untouched"), 3);
    drop(other);
    assert_eq!(files(case.directory.path()), ["archive.tabark", "source.db", "target.db"]);
}

#[test]
fn a_locked_target_is_a_bounded_wait_and_an_error() {
    let case = Case::new(SOURCE);
    let other = case.make_target(TARGET);
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO untouched VALUES (3)").unwrap();
    let started = std::time::Instant::now();
    let error = case.restore(RestoreMode::Create, &[]).unwrap_err();
    assert!(error.is_database() && error.message().contains("locked"), "{error}");
    assert!(error.hint().unwrap().contains("another program") && started.elapsed().as_secs() < 40);
    other.execute_batch("COMMIT").unwrap();
    case.restore(RestoreMode::Create, &[]).unwrap();
}
