//! Into tables that are there, under other names and without what is too old: as within one engine.

use std::path::Path;

use rusqlite::Connection;
use tabark::archive::{Archive, SnapshotSelector};
use tabark::model::Expire;
use tabark::restore::postgres::{PostgresReport, PostgresRestoreOptions, restore as restore_into_postgres};
use tabark::restore::{RestoreMode, RestoreOptions, RestoreReport, restore};
use tabark::selection::Selection;

use crate::from_sqlite::dumped;
use crate::postgres::{Database, contents, oldest, server, servers};
use crate::{assert_sound, dump_postgres, in_folder, into_postgres, into_sqlite, rows, settings};

const OF_POSTGRES: &str = "
    CREATE SCHEMA audit;
    CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL UNIQUE, price numeric(10,2), seen timestamptz);
    CREATE TABLE audit.log (\"user\" integer REFERENCES users, n integer, what jsonb, PRIMARY KEY (\"user\", n));
    INSERT INTO users SELECT n, 'name ' || n, n / 4.0, timestamptz '2026-01-01 00:00Z' + n * interval '1 day' FROM generate_series(1, 300) AS n;
    INSERT INTO users VALUES (1000, 'always', NULL, '-infinity'), (1001, 'late', NULL, '20000-01-01 00:00Z'), (1002, 'unknown', NULL, NULL);
    INSERT INTO audit.log SELECT n, k, jsonb_build_object('n', n) FROM generate_series(1, 100) AS n, generate_series(1, 2) AS k;";

const OF_SQLITE: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, price REAL, seen TEXT);
    CREATE TABLE log (user INTEGER REFERENCES users(id), n INTEGER, what BLOB, PRIMARY KEY (user, n)) WITHOUT ROWID;
    WITH RECURSIVE all_of(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM all_of WHERE n < 300)
        INSERT INTO users SELECT n, 'name ' || n, n / 4.0 + 0.1, datetime('2026-01-01', n || ' days') FROM all_of;
    INSERT INTO users VALUES (1000, 'no time', NULL, 'soon'), (1001, 'unknown', NULL, NULL);
    INSERT INTO log SELECT id, k.n, CAST(id AS BLOB) FROM users, (SELECT 1 AS n UNION SELECT 2) AS k WHERE id <= 100;";

/// What is written before 2026-03-02T00:00:00Z.
fn too_old(table: &str) -> Vec<(String, Expire)> {
    let day = 86_400_000_000_u64;
    vec![(
        table.to_owned(),
        Expire { column: "seen".into(), age: 60 * day, instant: 1_767_225_600_000_000 + 120 * 86_400_000_000 },
    )]
}

fn in_sqlite(archive: &Path, target: &Path, options: &RestoreOptions) -> tabark::Result<RestoreReport> {
    let archive = Archive::open(archive)?;
    restore(&archive.select(&SnapshotSelector::Latest)?, target, options, &())
}

fn in_postgres(
    archive: &Path,
    database: &Database<'_>,
    options: &PostgresRestoreOptions,
) -> tabark::Result<PostgresReport> {
    let archive = Archive::open(archive)?;
    restore_into_postgres(&archive.select(&SnapshotSelector::Latest)?, &settings(database), options, &())
}

const ALL: [&str; 2] = ["SELECT * FROM users ORDER BY id", "SELECT * FROM \"audit.log\" ORDER BY user, n"];

#[test]
fn postgresqls_rows_go_into_tables_of_sqlite_that_are_there() {
    for server in servers() {
        let database = server.database("modes_into_sqlite");
        database.psql(OF_POSTGRES);
        let folder = tempfile::tempdir().unwrap();
        let (archive, target) = (in_folder(&folder, "a.tabark"), in_folder(&folder, "a.sqlite"));
        dump_postgres(&database, &archive);
        into_sqlite(&archive, &target).unwrap();
        let state = || {
            let connection = Connection::open(&target).unwrap();
            [ALL[0], ALL[1], "SELECT type, name, sql FROM sqlite_schema ORDER BY name"]
                .map(|sql| rows(&connection, sql))
        };
        let run = |sql: &str| Connection::open(&target).unwrap().execute_batch(sql).unwrap();
        let restored = |mode, tables: &[&str]| {
            let tables = Selection::new(tables, &[]).unwrap();
            in_sqlite(&archive, &target, &RestoreOptions::default().tables(tables).mode(mode))
        };
        let (good, everything) = (state(), ["users", "audit.log"]);
        assert_eq!((good[0].len(), good[1].len()), (303, 200));

        run(
            "CREATE TABLE mine (id INTEGER PRIMARY KEY); INSERT INTO mine VALUES (1); UPDATE users SET name = 'x' || id; DELETE FROM users WHERE id > 900",
        );
        let error = restored(RestoreMode::Create, &everything).unwrap_err();
        assert!(error.is_request() && error.to_string().contains("already"), "{error}");
        let report = restored(RestoreMode::Replace, &everything).unwrap();
        assert!(report.tables.iter().all(|table| table.proved));
        assert_eq!(rows(&Connection::open(&target).unwrap(), "SELECT id FROM mine"), ["Integer(1)"]);
        run("DROP TABLE mine");
        assert_eq!(state(), good);

        // One row is there already: nothing is added.
        run("DELETE FROM \"audit.log\"; DELETE FROM users WHERE id <> 7");
        let before = state();
        let error = restored(RestoreMode::Append, &everything).unwrap_err();
        assert!(error.to_string().contains("UNIQUE") || error.is_request(), "{error}");
        assert_eq!(state(), before);
        run("DELETE FROM users WHERE id = 7");
        restored(RestoreMode::Append, &everything).unwrap();
        assert_eq!(state(), good);

        // A table that has changed since is refused before it is touched.
        run("ALTER TABLE users RENAME COLUMN price TO cost; DELETE FROM \"audit.log\"; DELETE FROM users");
        let error = restored(RestoreMode::Append, &["users"]).unwrap_err();
        assert!(error.is_request() && error.to_string().contains("price"), "{error}");
        let error = restored(RestoreMode::Upsert, &["users"]).unwrap_err();
        assert!(error.is_request(), "{error}");
        assert_sound(&target);
    }
}

#[test]
fn postgresqls_rows_that_are_too_old_stay_away_from_sqlite() {
    for server in servers() {
        let database = server.database("expire_into_sqlite");
        database.psql(OF_POSTGRES);
        let folder = tempfile::tempdir().unwrap();
        let (archive, target) = (in_folder(&folder, "a.tabark"), in_folder(&folder, "a.sqlite"));
        dump_postgres(&database, &archive);
        let mut options = RestoreOptions::default().tables(Selection::new(&["users"], &[]).unwrap());
        options.expire = too_old("users");
        in_sqlite(&archive, &target, &options).unwrap();
        let ids = rows(&Connection::open(&target).unwrap(), "SELECT min(id), count(*), sum(id > 900) FROM users");
        // What is no time of SQLite's is kept: before all times, after the year 9999, unknown.
        assert_eq!(ids, ["Integer(60) Integer(244) Integer(3)"]);
        options.expire = too_old("nobody");
        let error = in_sqlite(&archive, &in_folder(&folder, "b.sqlite"), &options).unwrap_err();
        assert!(error.is_request() && error.to_string().contains("nobody"), "{error}");
    }
}

#[test]
fn sqlites_rows_go_into_tables_of_postgresql_that_are_there() {
    for server in servers() {
        let (_folder, archive) = dumped(OF_SQLITE);
        let database = server.database("modes_into_postgres");
        into_postgres(&archive, &database).unwrap();
        database.psql("CREATE VIEW dear AS SELECT name FROM users WHERE price > 50; GRANT SELECT ON users TO PUBLIC");
        let state = || (contents(&database), database.normalized_schema());
        let restored = |mode, tables: &[&str]| {
            let tables = Selection::new(tables, &[]).unwrap();
            in_postgres(&archive, &database, &PostgresRestoreOptions::default().tables(tables).mode(mode))
        };
        let (good, everything) = (state(), ["users", "log"]);
        assert!(good.0["public.users"].starts_with("302 ") && good.0["public.log"].starts_with("200 "));

        database.psql("UPDATE users SET name = 'x' || id; DELETE FROM log WHERE n = 2; ALTER TABLE users DROP seen");
        let error = restored(RestoreMode::Create, &everything).unwrap_err();
        assert!(error.is_request() && error.to_string().contains("users"), "{error}");
        assert!(restored(RestoreMode::Replace, &everything).unwrap().tables.iter().all(|table| table.proved));
        assert_eq!(state(), good);

        database.psql("DELETE FROM log; DELETE FROM users WHERE id <> 7");
        let before = state();
        let error = restored(RestoreMode::Append, &everything).unwrap_err();
        assert!(error.to_string().contains("users_pkey"), "{error}");
        assert_eq!(state(), before);
        database.psql("UPDATE users SET name = 'changed', price = 1; INSERT INTO users VALUES (5000, 'new')");
        restored(RestoreMode::Upsert, &everything).unwrap();
        assert_eq!(database.psql("DELETE FROM users WHERE id = 5000 RETURNING name"), "new\n");
        assert_eq!(state(), good);
        database.psql("DELETE FROM log; DELETE FROM users");
        restored(RestoreMode::Append, &everything).unwrap();
        assert_eq!(state(), good);

        // Rows that refer to nothing there, and a column of another type.
        database.psql("DELETE FROM log; DELETE FROM users WHERE id = 5");
        let before = state();
        let error = restored(RestoreMode::Append, &["log"]).unwrap_err();
        assert!(error.to_string().contains("log_user_fkey"), "{error}");
        assert_eq!(state(), before);
        database.psql("ALTER TABLE log ALTER what TYPE text USING ''");
        let error = restored(RestoreMode::Upsert, &["log"]).unwrap_err();
        assert!(error.is_request() && error.to_string().contains("\"what\""), "{error}");
    }
}

#[test]
fn sqlites_tables_get_other_names_and_places_and_lose_what_is_too_old() {
    for server in servers() {
        let (_folder, archive) = dumped(OF_SQLITE);
        let database = server.database("names_into_postgres");
        let mut options = PostgresRestoreOptions::default();
        options.into_schema = Some("old state".into());
        options.rename = vec![("users".into(), "people".into())];
        in_postgres(&archive, &database, &options).unwrap();
        let told = "SELECT count(*) FROM \"old state\".people; SELECT count(*) FROM \"old state\".log;
                    SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f'";
        let key = "FOREIGN KEY (\"user\") REFERENCES \"old state\".people(id)";
        assert_eq!(database.psql(told), format!("302\n200\n{key}\n"));
        assert_eq!(database.psql("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"), "0\n");
        // Beside it, in its usual place, without what is too old.
        let mut options = PostgresRestoreOptions::default().tables(Selection::new(&["users"], &[]).unwrap());
        options.expire = too_old("users");
        in_postgres(&archive, &database, &options).unwrap();
        assert_eq!(
            database.psql("SELECT min(id), count(*), count(*) FILTER (WHERE id > 900) FROM users"),
            "60|243|2\n"
        );
        // The name in the snapshot is the one that is said.
        options.rename = vec![("people".into(), "x".into())];
        let error = in_postgres(&archive, &database, &options).unwrap_err();
        assert!(error.is_request() && error.to_string().contains("people"), "{error}");
    }
}

#[test]
fn rows_that_refer_to_nothing_are_restored_and_counted() {
    let script = "
        PRAGMA foreign_keys = OFF;
        CREATE TABLE parents (id INTEGER PRIMARY KEY, a TEXT, b REAL, UNIQUE (a, b));
        CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents ON DELETE CASCADE, a TEXT, b REAL,
            up INTEGER REFERENCES children, FOREIGN KEY (a, b) REFERENCES parents (a, b));
        INSERT INTO parents VALUES (1, 'x', 0.0), (2, 'y', 1.5);
        INSERT INTO children VALUES (1, 1, 'x', -0.0, NULL), (2, 9, 'y', 1.5, 1), (3, NULL, 'y', 0.0, 2), (4, 8, NULL, 7.5, 3), (5, 2, 'z', NULL, 5);";
    for server in servers() {
        let (folder, archive) = dumped(script);
        let database = server.database("orphans");
        let report = into_postgres(&archive, &database).unwrap();
        assert!(report.tables.iter().all(|table| table.proved));
        let told = report.plan.warnings.join("\n");
        let one = "foreign key of \"children\" to \"parents\": 2 rows refer to nothing, which SQLite lets be; it is NOT VALID";
        let other = "foreign key of \"children\" to \"parents\": 1 row refers to nothing";
        assert!(told.contains(one) && told.contains(other) && !told.contains("to \"children\""), "{told}");
        let keys = "SELECT conname, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1";
        assert_eq!(database.psql(keys), "children_a_b_fkey|f\nchildren_parent_fkey|f\nchildren_up_fkey|t\n");
        assert_eq!(database.psql("SELECT count(*) FROM children"), "5\n");
        // Rows to come are checked, and what refers to a row goes with it.
        let refused = database.try_psql("INSERT INTO children (id, parent) VALUES (6, 9)").unwrap_err();
        assert!(refused.contains("children_parent_fkey"), "{refused}");
        assert_eq!(
            database.psql("UPDATE children SET b = NULL WHERE id = 2; DELETE FROM parents WHERE id = 2; SELECT count(*) FROM children WHERE parent = 2"),
            "0\n"
        );
        // And back, where SQLite lets them be again.
        let database = server.database("orphans");
        into_postgres(&archive, &database).unwrap();
        let (again, target) = (in_folder(&folder, "b.tabark"), in_folder(&folder, "b.sqlite"));
        dump_postgres(&database, &again);
        let report = into_sqlite(&again, &target).unwrap();
        assert!(
            report.plan.warnings.iter().chain(&report.warnings).any(|told| told.contains("\"children\"")),
            "{report:?}"
        );
        let sql = "SELECT * FROM children ORDER BY id";
        let before = Connection::open(in_folder(&folder, "a.sqlite")).unwrap();
        assert_eq!(rows(&Connection::open(target).unwrap(), sql), rows(&before, sql));
        // Into tables that are there with keys that hold, they are not let in.
        let strict = server.database("orphans refused");
        strict.psql(
            "CREATE TABLE parents (id bigint PRIMARY KEY, a text, b float8, UNIQUE (a, b));
             CREATE TABLE children (id bigint PRIMARY KEY, parent bigint REFERENCES parents, a text, b float8, up bigint)",
        );
        let state = contents(&strict);
        let error =
            in_postgres(&archive, &strict, &PostgresRestoreOptions::default().mode(RestoreMode::Append)).unwrap_err();
        assert!(error.to_string().contains("children_parent_fkey"), "{error}");
        assert_eq!(contents(&strict), state);
    }
}

/// Several connections restore a translation as they do a snapshot.
#[test]
fn sqlites_tables_go_into_postgresql_over_several_connections() {
    let Some(server) = server(oldest()) else { return };
    let (_folder, archive) = dumped(OF_SQLITE);
    let (one, four) = (server.database("over one"), server.database("over four"));
    into_postgres(&archive, &one).unwrap();
    let mut options = PostgresRestoreOptions::default();
    options.connections = std::num::NonZero::new(4).unwrap();
    in_postgres(&archive, &four, &options).unwrap();
    assert_eq!(contents(&four), contents(&one));
    assert_eq!(four.normalized_schema(), one.normalized_schema());
}
