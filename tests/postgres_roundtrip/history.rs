//! Many snapshots of one database: small days cost little, differ by rows, and lose what is pruned or erased.

use tabark::archive::{Archive, SnapshotSelector, WriterOptions};
use tabark::compare::compare;
use tabark::diff::{self, RowChange, TableState};
use tabark::dump::dump;
use tabark::restore::foreign_keys;
use tabark::restore::postgres::PostgresRestoreOptions;
use tabark::rewrite::erase::{EraseRequest, KeyValue, erase};
use tabark::rewrite::{compact, prune};
use tabark::selection::Selection;
use tabark::source::postgres::{PostgresOptions, PostgresSource};
use tabark::source::sqlite::SqliteSource;

use super::postgres::{Database, contents, oldest, server};
use super::scene::{Kept, dump_options, settings};

const SHOP: &str = "
    CREATE TABLE users (id integer PRIMARY KEY, mail text UNIQUE, note text);
    CREATE TABLE orders (id integer PRIMARY KEY, buyer integer NOT NULL REFERENCES users ON DELETE CASCADE, about text);
    CREATE TABLE lines (order_id integer REFERENCES orders, n integer, what text, PRIMARY KEY (order_id, n));
    CREATE TABLE seen (at date, who text REFERENCES users (mail), what text) PARTITION BY RANGE (at);
    CREATE TABLE seen_24 PARTITION OF seen FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE seen_25 PARTITION OF seen FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    INSERT INTO users SELECT n, 'mail ' || n, 'note ' || md5(n::text) FROM generate_series(1, 4000) AS n;
    INSERT INTO orders SELECT n, n % 4000 + 1, md5(n::text) FROM generate_series(1, 20000) AS n;
    INSERT INTO lines SELECT n, k, 'line' FROM generate_series(1, 100) AS n, generate_series(1, 3) AS k;
    INSERT INTO seen SELECT date '2024-12-01' + n, 'mail ' || n % 40 + 1, 'page' FROM generate_series(1, 200) AS n;";

/// One day: some rows change, some come, some go.
fn day(n: u32) -> String {
    format!(
        "UPDATE orders SET about = 'day {n}' WHERE id % 997 = {n};
         INSERT INTO orders SELECT 100000 + {n} * 10 + k, 1, 'new' FROM generate_series(1, 5) AS k;
         DELETE FROM orders WHERE id = 15000 + {n};"
    )
}

#[test]
fn small_days_cost_little_and_tell_what_they_changed() {
    let Some(server) = server(oldest()) else { return };
    let from = server.database("days");
    from.psql(SHOP);
    let kept = Kept::new();
    let folder = tempfile::tempdir().unwrap();
    let (path, twin) = (folder.path().join("twin.sqlite"), folder.path().join("twin.tabark"));
    let sqlite = rusqlite::Connection::open(&path).unwrap();
    sqlite
        .execute_batch(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, buyer INTEGER NOT NULL, about TEXT);
             CREATE TABLE users (id INTEGER PRIMARY KEY, mail TEXT, note TEXT);",
        )
        .unwrap();
    for (table, columns) in [("orders", "id, buyer, about"), ("users", "id, mail, note")] {
        let told = from.psql(&format!("SELECT {columns} FROM {table}"));
        sqlite.execute_batch("BEGIN").unwrap();
        for line in told.lines() {
            let fields: Vec<&str> = line.split('|').collect();
            let sql = format!("INSERT INTO {table} VALUES (?, ?, ?)");
            sqlite.execute(&sql, rusqlite::params_from_iter(fields)).unwrap();
        }
        sqlite.execute_batch("COMMIT").unwrap();
    }
    let (mut added, mut twins) = (Vec::new(), Vec::new());
    for n in 0..10 {
        if n > 0 {
            from.psql(&day(n));
            let of_sqlite = day(n).replace(
                "FROM generate_series(1, 5) AS k",
                "FROM (SELECT 1 AS k UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5)",
            );
            sqlite.execute_batch(&of_sqlite).unwrap();
        }
        let tables = Selection::new(&["orders", "users"], &[]).unwrap();
        added.push(kept.dump(&from, &tables, 1).snapshot.bytes_added);
        let source = SqliteSource::open(&path).unwrap();
        twins.push(dump(&source, &twin, &dump_options(&[]), &()).unwrap().snapshot.bytes_added);
    }
    kept.verify();
    let (days, twin_days): (u64, u64) = (added[1..].iter().sum(), twins[1..].iter().sum());
    assert!(days * 10 < added[0], "{added:?}");
    assert!(days < twin_days * 3 / 2 + 9 * 2048, "{added:?}, of SQLite {twins:?}");

    let archive = kept.open();
    let at = |n| archive.select(&SnapshotSelector::Number(n)).unwrap();
    let mut told = Vec::new();
    let mut tell = |change: &RowChange<'_>| {
        told.push(format!("{change:?}"));
        Ok(())
    };
    let report = diff::diff(&at(9), &at(10), &Selection::everything(), Some(&mut tell), &()).unwrap();
    let orders = report.tables.iter().find(|table| table.name == "orders").unwrap();
    assert_eq!((orders.rows.added, orders.rows.removed), (5, 1));
    assert!(orders.rows.changed > 10 && told.len() as u64 == 6 + orders.rows.changed, "{orders:?}");
    assert!(report.tables.iter().all(|table| table.name == "orders" || table.state == TableState::Same));

    // The oldest and the newest state come back, and so they do when the days between are pruned and the file is compacted.
    let wanted = contents(&from);
    let check = |archive: &Archive, name: &str| {
        let to = server.database(name);
        let latest = archive.select(&SnapshotSelector::Latest).unwrap();
        tabark::restore::postgres::restore(&latest, &settings(&to), &PostgresRestoreOptions::default(), &()).unwrap();
        assert_eq!(contents(&to)["public.orders"], wanted["public.orders"]);
    };
    check(&archive, "day ten");
    drop(archive);
    let before = std::fs::metadata(kept.path()).unwrap().len();
    prune(&kept.path(), &[1, 10], WriterOptions::default(), &()).unwrap();
    compact(&kept.path(), WriterOptions::default().with_level(9), &()).unwrap();
    kept.verify();
    assert!(std::fs::metadata(kept.path()).unwrap().len() < before);
    check(&kept.open(), "day ten after pruning");
}

#[test]
fn erasing_follows_the_foreign_keys_of_postgresql() {
    let Some(server) = server(oldest()) else { return };
    let from = server.database("erasing");
    from.psql(SHOP);
    let kept = Kept::new();
    kept.dump(&from, &Selection::everything(), 1);
    from.psql("UPDATE users SET note = 'changed' WHERE id % 100 = 7; DELETE FROM lines WHERE n = 3");
    kept.dump(&from, &Selection::everything(), 1);
    let request = EraseRequest {
        table: "users".into(),
        columns: vec![],
        keys: vec![vec![KeyValue::Written("7".into())]],
        cascade: Some(&foreign_keys),
        keeps_indexes: false,
        reason: "asked for".into(),
        time: 1_764_000_000_000_001,
    };
    let mut rows = Vec::new();
    let planned = &mut |plan: &tabark::rewrite::erase::ErasePlan| {
        rows = plan.rows();
        Ok(())
    };
    erase(&kept.path(), &request, WriterOptions::default(), planned, &()).unwrap().unwrap();
    let names: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["lines", "orders", "seen_24", "seen_25", "users"], "{rows:?}");
    kept.verify();
    // What PostgreSQL itself takes out is the same.
    from.psql(
        "DELETE FROM seen WHERE who = 'mail 7'; DELETE FROM lines WHERE order_id IN (SELECT id FROM orders WHERE buyer = 7);
         DELETE FROM users WHERE id = 7",
    );
    let to = server.database("erased");
    kept.restore(&to, &PostgresRestoreOptions::default()).unwrap();
    assert_eq!(contents(&to), contents(&from));

    // What only the server can compare is refused by name, with nothing changed.
    from.psql(
        "CREATE TABLE prices (price numeric PRIMARY KEY);
         CREATE TABLE bids (id integer PRIMARY KEY, price numeric CONSTRAINT \"bid's price\" REFERENCES prices)",
    );
    let other = Kept::new();
    other.dump(&from, &Selection::everything(), 1);
    let before = std::fs::read(other.path()).unwrap();
    let error = erase(&other.path(), &request, WriterOptions::default(), &mut |_| Ok(()), &()).unwrap_err();
    assert!(error.to_string().contains("\"bid's price\"") && error.to_string().contains("numeric"), "{error}");
    assert!(error.hint().unwrap().contains("--cascade"));
    assert_eq!(std::fs::read(other.path()).unwrap(), before);
}

/// What a comparison of the newest snapshot with a database says: whether nothing differs, and all that does.
fn compared(kept: &Kept, database: &Database<'_>) -> (bool, String) {
    let archive = kept.open();
    let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
    let (tables, objects) = (&snapshot.catalog().tables, &snapshot.catalog().objects);
    let names = tables.iter().map(|entry| entry.name.clone());
    let names: Vec<String> = names.chain(objects.iter().map(|object| object.name.clone())).collect();
    let source = &snapshot.manifest().source;
    let source =
        PostgresSource::open_like(&settings(database), source, &names, PostgresOptions::default(), &()).unwrap();
    let report = compare(&snapshot, &source, &Selection::everything(), None, &()).unwrap();
    (report.is_same(), format!("{report:?}"))
}

#[test]
fn a_comparison_says_what_differs_from_the_database() {
    let Some(server) = server(oldest()) else { return };
    let from = server.database("comparing");
    from.psql(SHOP);
    from.psql(
        "CREATE FUNCTION unrelated() RETURNS integer LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touched();
         CREATE VIEW names AS SELECT mail FROM users;",
    );
    let kept = Kept::new();
    kept.dump(&from, &Selection::everything(), 1);
    let to = server.database("compared");
    kept.restore(&to, &PostgresRestoreOptions::default()).unwrap();
    for database in [&from, &to] {
        let (is_same, told) = compared(&kept, database);
        assert!(is_same, "{told}");
    }
    let cases = [
        ("UPDATE users SET note = 'x' WHERE id = 5", "changed: 1"),
        ("ALTER TABLE users ADD COLUMN age integer", "age"),
        ("DROP FUNCTION unrelated()", "unrelated"),
        ("CREATE TABLE another (id integer)", "another"),
    ];
    for (sql, words) in cases {
        to.psql(sql);
        let (is_same, told) = compared(&kept, &to);
        assert!(!is_same && told.contains(words), "{sql}: {told}");
    }

    // A snapshot of chosen tables is compared with those.
    let some = Kept::new();
    some.dump(&from, &Selection::new(&["users"], &[]).unwrap(), 1);
    let (is_same, told) = compared(&some, &from);
    assert!(is_same, "{told}");
    from.psql("DROP FUNCTION unrelated(); DROP VIEW names; UPDATE orders SET about = 'x'");
    assert!(compared(&some, &from).0);
    from.psql("DROP TRIGGER touch ON users");
    let (is_same, told) = compared(&some, &from);
    assert!(!is_same && told.contains("touch"), "{told}");
}
