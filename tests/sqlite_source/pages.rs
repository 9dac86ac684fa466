//! Reading by pages gives what SQL gives, cell by cell, whatever the layout of the pages; and each of these tables is read
//! by pages.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use tabark::model::Value;
use tabark::source::Source as _;
use tabark::source::sqlite::{Reading, SqliteSource};

use super::{Database, bytes_of, collect, column, is_identical, rows, table, text};

/// Tables of every kind that has its own layout, with values of every size around those at which records leave their page.
const SCRIPT: &str = "
    CREATE TABLE hidden(a, b TEXT, c BLOB, r REAL, n NUMERIC, i INTEGER);
    CREATE TABLE alias(a, id INTEGER PRIMARY KEY, r DOUBLE PRECISION);
    CREATE TABLE by_constraint(a, id INTEGER, PRIMARY KEY(id DESC));
    CREATE TABLE no_alias(id INTEGER PRIMARY KEY DESC, a);
    CREATE TABLE unreachable(rowid, oid, _rowid_);
    CREATE TABLE empty(a, b);
    CREATE TABLE empty_keyed(a PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE one(a); INSERT INTO one VALUES (zeroblob(200000));
    CREATE TABLE generated(v AS (a || 'v'), a, s AS (a || 's') STORED, id INTEGER PRIMARY KEY, w AS (1), r REAL);
    CREATE TABLE keyed(x, k TEXT, d REAL, s AS (x) STORED, v AS (x), y, PRIMARY KEY(d DESC, k COLLATE NOCASE)) WITHOUT ROWID;
    CREATE TABLE twice(a, b, c, PRIMARY KEY(c COLLATE NOCASE, a, c, a)) WITHOUT ROWID;
    CREATE TABLE big_keys(k PRIMARY KEY, v) WITHOUT ROWID;
    CREATE TABLE strict(i INT, r REAL, t TEXT, b BLOB, a ANY) STRICT;
    CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, a);
    CREATE TABLE numbers(a);
    INSERT INTO numbers VALUES (0), (1), (-1), (2), (127), (128), (-128), (-129), (32767), (32768), (-32768), (-32769), (8388607),
        (8388608), (-8388608), (-8388609), (2147483647), (2147483648), (-2147483648), (-2147483649), (140737488355327),
        (140737488355328), (-140737488355328), (-140737488355329), (9223372036854775807), (-9223372036854775808), (0.0), (-0.0),
        (1.0), (4.9e-324), (1e999), (-1e999), (1.5), (NULL), (''), (x''), ('a' || char(0) || 'b'), (CAST(x'ff' AS TEXT)),
        (CAST(x'00d8' AS TEXT)), (CAST(x'610062' AS TEXT)), ('\u{e9}\u{20ac}\u{1d11e}');
    WITH RECURSIVE n(i) AS (SELECT -3 UNION ALL SELECT i + 1 FROM n WHERE i < 700)
    INSERT INTO hidden(rowid, a, b, c, r, n, i)
        SELECT i * 1000003, CASE i % 5 WHEN 0 THEN i WHEN 1 THEN i / 7.0 WHEN 2 THEN 't' || i WHEN 3 THEN NULL ELSE zeroblob(i) END,
               substr(printf('%0*d', max(i, 0), i), 1, i), zeroblob((i * 37) % 3001), i, i, i FROM n;
    INSERT INTO alias SELECT a, rowid, rowid FROM hidden; INSERT INTO alias VALUES (1, 9223372036854775807, 1);
    INSERT INTO alias VALUES (1, -9223372036854775808, 9007199254740993);
    INSERT INTO by_constraint SELECT a, rowid FROM hidden; INSERT INTO no_alias SELECT rowid, a FROM hidden;
    INSERT INTO unreachable SELECT a, b, c FROM hidden;
    INSERT INTO generated(a, id, r) SELECT b, i, i FROM hidden;
    INSERT INTO keyed(x, k, d, y) SELECT a, b, i, c FROM hidden;
    INSERT INTO twice SELECT a, c, ifnull(b, '') || i FROM hidden WHERE a IS NOT NULL;
    INSERT INTO big_keys SELECT b || zeroblob(i % 200) || i, c FROM hidden WHERE i > 0;
    INSERT INTO strict SELECT i, i, b, c, a FROM hidden;
    INSERT INTO counted(a) SELECT b FROM hidden;
    CREATE VIRTUAL TABLE words USING fts5(body); INSERT INTO words SELECT 'some word ' || b FROM hidden WHERE length(b) < 300;
    CREATE TABLE altered(a, gone, b REAL); INSERT INTO altered SELECT i, i, i FROM hidden LIMIT 300;
    ALTER TABLE altered ADD COLUMN plain; INSERT INTO altered SELECT i, i, i, i FROM hidden LIMIT 50;
    ALTER TABLE altered ADD COLUMN r REAL DEFAULT 5; ALTER TABLE altered ADD COLUMN t TEXT NOT NULL DEFAULT 7;
    INSERT INTO altered SELECT i, i, i, i, i, i FROM hidden LIMIT 50;
    ALTER TABLE altered ADD COLUMN x DEFAULT x'00ff'; ALTER TABLE altered ADD COLUMN n INTEGER DEFAULT -3;
    ALTER TABLE altered ADD COLUMN v AS (a) VIRTUAL; ALTER TABLE altered ADD COLUMN z;
    INSERT INTO altered(a) VALUES (1); ALTER TABLE altered DROP COLUMN gone; ALTER TABLE altered RENAME COLUMN t TO \"a text\";
    CREATE TABLE added(id INTEGER PRIMARY KEY); INSERT INTO added SELECT i FROM hidden WHERE i > 0;
    ALTER TABLE added ADD COLUMN late TEXT DEFAULT '\u{e9}t\u{e9}'; ALTER TABLE added ADD COLUMN none;
    CREATE TABLE added_keyed(k TEXT PRIMARY KEY, a) WITHOUT ROWID; INSERT INTO added_keyed SELECT 'k' || i, b FROM hidden;
    ALTER TABLE added_keyed ADD COLUMN late DEFAULT 2.5; INSERT INTO added_keyed VALUES ('a', 1, 2), ('z', 3, 4);
";

/// Compares all tables, and says how many rows there were.
fn compare(source: &SqliteSource<'_>, what: &str) -> usize {
    assert_eq!(source.reading(), Reading::Pages);
    let mut all = 0;
    for schema in &source.catalog().tables {
        let reading = source.reading_of(schema);
        assert_eq!(reading, Reading::Pages, "{what}: {} is not read by its pages", schema.name);
        all += rows(source, &schema.name).len();
    }
    all
}

#[test]
fn every_layout_in_pages_of_every_size() {
    for (encoding, size, vacuum) in [
        ("UTF-8", 512, 0),
        ("UTF-8", 4096, 1),
        ("UTF-8", 65536, 2),
        ("UTF-16le", 1024, 1),
        ("UTF-16be", 4096, 0),
        ("UTF-16be", 512, 2),
    ] {
        let what = format!("{encoding}, pages of {size}, auto_vacuum {vacuum}");
        let settings =
            format!("PRAGMA encoding = '{encoding}'; PRAGMA page_size = {size}; PRAGMA auto_vacuum = {vacuum};");
        let database = Database::new(&format!("{settings} BEGIN; {SCRIPT} COMMIT"));
        assert!(compare(&database.source(), &what) > 8000, "{what}");
    }
}

/// What a page ends with, for checksums and ciphers. No statement sets it: the header of a database without tables does.
#[test]
fn bytes_reserved_in_every_page() {
    for (size, reserved) in [(512_u16, 32_u8), (1024, 255), (4096, 8)] {
        let database = Database::new(&format!("PRAGMA page_size = {size}; PRAGMA user_version = 1"));
        let mut bytes = bytes_of(&database.path());
        bytes[20] = reserved;
        bytes[105..107].copy_from_slice(&(size - u16::from(reserved)).to_be_bytes());
        std::fs::write(database.path(), bytes).unwrap();
        let writer = database.writer();
        writer.execute_batch(&format!("BEGIN; {SCRIPT} COMMIT")).unwrap();
        let whole: String = writer.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!((whole.as_str(), bytes_of(&database.path())[20]), ("ok", reserved));
        compare(&database.source(), &format!("{reserved} of {size} bytes reserved"));
    }
}

#[test]
fn a_b_tree_of_many_levels() {
    let database = Database::new(
        "PRAGMA page_size = 512; CREATE TABLE deep(id INTEGER PRIMARY KEY, a); CREATE TABLE keyed(k PRIMARY KEY) WITHOUT ROWID;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         INSERT INTO deep SELECT i, printf('%0200d', i) FROM n; INSERT INTO keyed SELECT a FROM deep;
         DELETE FROM deep WHERE id % 7 < 3; DELETE FROM keyed WHERE rtrim(k, '0123456') = k;",
    );
    assert!(compare(&database.source(), "many levels") > 20_000);
}

#[test]
fn defaults_of_columns_added_later_are_sqlites() {
    let database = Database::new(
        "CREATE TABLE t(a); INSERT INTO t VALUES (1); ALTER TABLE t ADD COLUMN r REAL DEFAULT 5; ALTER TABLE t ADD COLUMN n;
         ALTER TABLE t ADD COLUMN t TEXT DEFAULT 7",
    );
    let source = database.source();
    let expected = [Value::Integer(1), Value::Integer(1), Value::Real(5.0), Value::Null, text("7")];
    assert_eq!(rows(&source, "t"), [expected]);
    assert_eq!(source.reading_of(&table(&source, "t")), Reading::Pages);
}

/// SQLite stores no NaN; where other hands wrote one, it gives NULL.
#[test]
fn a_stored_nan_is_null() {
    let database = Database::new("CREATE TABLE t(a); INSERT INTO t VALUES (1e999)");
    let mut bytes = bytes_of(&database.path());
    let place = bytes.windows(8).rposition(|bytes| bytes == f64::INFINITY.to_be_bytes()).unwrap();
    bytes[place..place + 8].copy_from_slice(&f64::NAN.to_be_bytes());
    std::fs::write(database.path(), bytes).unwrap();
    assert_eq!(column(&database.source(), "t", 1), [Value::Null]);
}

/// What the connection wrote and did not commit, and what it moved: in a database with auto_vacuum, dropping a table gives
/// its root page to another one.
#[test]
fn pages_of_an_unfinished_transaction() {
    let database =
        Database::new("PRAGMA auto_vacuum = FULL; PRAGMA page_size = 512; CREATE TABLE first(a); CREATE TABLE t(a)");
    let writer = database.writer();
    writer.execute_batch(&format!("PRAGMA cache_size = 10; BEGIN; INSERT INTO t VALUES (1), (2); {SCRIPT}")).unwrap();
    compare(&SqliteSource::over(&writer).unwrap(), "uncommitted");
    let source = SqliteSource::over(&writer).unwrap();
    writer
        .execute_batch(
            "DROP TABLE first; DELETE FROM hidden WHERE i % 3 = 0; UPDATE keyed SET x = zeroblob(900) WHERE d > 600",
        )
        .unwrap();
    let keyed = rows(&source, "keyed");
    assert!(keyed.iter().any(|row| row.contains(&Value::Bytes(vec![0; 900]))));
    assert_eq!(column(&source, "t", 1), [Value::Integer(1), Value::Integer(2)]);
    compare(&SqliteSource::over(&writer).unwrap(), "after a table was dropped");
    writer.execute_batch("ROLLBACK").unwrap();
    compare(&database.source(), "rolled back");
}

#[test]
fn pages_are_of_the_transaction_under_a_writer_that_commits() {
    let database = Database::new(
        "PRAGMA journal_mode = WAL; PRAGMA page_size = 1024; CREATE TABLE t(id INTEGER PRIMARY KEY, a, sum);
         CREATE TABLE k(a PRIMARY KEY, b) WITHOUT ROWID;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO t SELECT i, zeroblob(i % 1500), 0 FROM n; INSERT INTO k SELECT printf('%0100d', id), id FROM t",
    );
    let (stop, commits) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let writer = database.writer();
            writer.execute_batch("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 50").unwrap();
            while !stop.load(Ordering::Relaxed) {
                let number = commits.fetch_add(1, Ordering::Relaxed);
                let script = format!(
                    "BEGIN; UPDATE t SET sum = {number}, a = zeroblob((id * 7 + {number}) % 1500) WHERE id % 11 = {number} % 11;
                     DELETE FROM t WHERE id = {number} % 2999 + 1; INSERT INTO t(a, sum) VALUES (zeroblob(3000), {number});
                     UPDATE k SET a = a || 'x' WHERE b % 50 = {number} % 50; COMMIT"
                );
                writer.execute_batch(&script).unwrap();
            }
        });
        for _ in 0..15 {
            let (source, before) = (database.source(), commits.load(Ordering::Relaxed));
            let mut by_pages = Vec::new();
            for name in ["t", "k"] {
                let schema = table(&source, name);
                assert_eq!(source.reading_of(&schema), Reading::Pages);
                by_pages.push(collect(|sink| source.read_table(&schema, sink)).unwrap());
                // The writer goes on between the two ways of reading.
                while commits.load(Ordering::Relaxed) < before + 3 {
                    std::thread::yield_now();
                }
            }
            for (name, by_pages) in ["t", "k"].into_iter().zip(by_pages) {
                let schema = table(&source, name);
                let by_sql = collect(|sink| source.with_reading(Reading::Sql).read_table(&schema, sink)).unwrap();
                assert!(by_sql.len() > 2000 && is_identical(&by_pages, &by_sql), "{name}");
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn sql_reads_where_pages_cannot_be_trusted_to_hold_the_table() {
    let database = Database::new("CREATE TABLE t(a); INSERT INTO t VALUES (1)");
    let source = database.source();
    assert_eq!(source.with_reading(Reading::Sql).reading(), Reading::Sql);
    assert_eq!(source.with_reading(Reading::Sql).reading_of(&table(&source, "t")), Reading::Sql);
    drop(source);
    // Two entries of one name: which root page is the table's is SQLite's to know.
    database
        .writer()
        .execute_batch(
            "PRAGMA writable_schema = ON;
             INSERT INTO sqlite_schema SELECT type, 'T', tbl_name, rootpage, sql FROM sqlite_schema WHERE name = 't'",
        )
        .unwrap();
    let writer = database.writer();
    writer.execute_batch("BEGIN").unwrap();
    if let Ok(source) = SqliteSource::over(&writer) {
        assert!(source.catalog().tables.iter().all(|table| source.reading_of(table) == Reading::Sql));
    }
    // A transaction that the caller ended is no instant; SQL gives what it gives.
    let ended = Database::new("CREATE TABLE t(a); INSERT INTO t VALUES (1)");
    let caller = ended.writer();
    caller.execute_batch("BEGIN").unwrap();
    let source = SqliteSource::over(&caller).unwrap();
    assert_eq!(source.reading_of(&table(&source, "t")), Reading::Pages);
    caller.execute_batch("COMMIT").unwrap();
    assert_eq!(source.reading_of(&table(&source, "t")), Reading::Sql);
    assert_eq!(column(&source, "t", 1), [Value::Integer(1)]);
}

/// As on a SQLite that was compiled without the virtual table: here an authorizer hides it.
#[test]
fn without_the_table_of_pages_sql_reads_and_says_so() {
    let database = Database::new("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2)");
    let mut connection = database.writer();
    let hide = |context: AuthContext<'_>| match context.action {
        AuthAction::Read { table_name: "sqlite_dbpage", .. } => Authorization::Deny,
        _ => Authorization::Allow,
    };
    connection.authorizer(Some(hide)).unwrap();
    connection.execute_batch("BEGIN").unwrap();
    let source = SqliteSource::over(&connection).unwrap();
    assert_eq!(source.reading(), Reading::Sql);
    assert_eq!(source.reading_of(&table(&source, "t")), Reading::Sql);
    assert_eq!(column(&source, "t", 1), [Value::Integer(1), Value::Integer(2)]);
}

#[test]
fn an_interrupt_ends_the_reading_with_an_error_that_names_the_table() {
    let database = Database::new("PRAGMA page_size = 512; CREATE TABLE t(a)");
    let connection = database.writer();
    connection
        .execute_batch(
            "BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
             INSERT INTO t SELECT zeroblob(100) FROM n",
        )
        .unwrap();
    for reading in [Reading::Pages, Reading::Sql] {
        let source = SqliteSource::over(&connection).unwrap();
        let schema = table(&source, "t");
        let handle = connection.get_interrupt_handle();
        let mut seen = 0;
        let mut sink = |_: &[tabark::model::Cell<'_>]| {
            seen += 1;
            handle.interrupt();
            Ok(())
        };
        let error = source.with_reading(reading).read_table(&schema, &mut sink).unwrap_err();
        assert!(error.is_database() && error.table() == Some("t"), "{error}");
        assert!(error.message().contains("interrupted") && seen < 1000, "{error}, {seen} rows");
        assert_eq!(rows(&source, "t").len(), 3000);
    }
}
