//! Tables and indexes that are written as b-tree pages: SQLite must find nothing wrong with them, and the same in them as
//! in those that it writes itself.

use rusqlite::types::Value;

use super::*;

/// Restores into a new file, has SQLite look at all of it, and compares every index, entry by entry, with one that SQLite
/// made: that of the source.
fn sound(case: &Case) -> RestoreReport {
    let report = case.round_trip();
    assert_eq!(problems(&case.open_target()), ["ok"]);
    let (target, source) = (case.open_target(), Connection::open(case.source()).unwrap());
    for ((name, found), (wanted_name, wanted)) in indexes(&target).iter().zip(&indexes(&source)) {
        assert!(name == wanted_name && found == wanted, "index {name}");
    }
    let in_order = "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type = 'index' AND sql NOT NULL ORDER BY rowid)";
    let names =
        |connection: &Connection| connection.query_row(in_order, [], |row| row.get::<_, Option<String>>(0)).unwrap();
    assert_eq!(names(&target), names(&source));
    report
}

fn problems(connection: &Connection) -> Vec<String> {
    let mut statement = connection.prepare("PRAGMA integrity_check").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The names of all indexes, and what each holds, in its own order.
fn indexes(connection: &Connection) -> Vec<(String, Vec<Vec<Value>>)> {
    let sql = "SELECT i.name, t.name, t.sql FROM sqlite_schema AS i JOIN sqlite_schema AS t ON t.name = i.tbl_name
               WHERE i.type = 'index' AND t.type = 'table' ORDER BY i.name";
    let mut statement = connection.prepare(sql).unwrap();
    let found: Vec<(String, String, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    found
        .into_iter()
        .map(|(name, table, definition)| {
            let columns = connection
                .prepare(&format!("PRAGMA index_xinfo(\"{name}\")"))
                .unwrap()
                .query_map([], |row| row.get::<_, Option<String>>(2))
                .unwrap()
                .filter_map(|column| column.unwrap())
                .map(|column| format!("\"{column}\""))
                .collect::<Vec<_>>()
                .join(", ");
            let row_id = if definition.contains("WITHOUT ROWID") { "" } else { ", rowid" };
            let partial = connection
                .query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [&name], |row| {
                    row.get::<_, Option<String>>(0)
                })
                .unwrap()
                .and_then(|sql| sql.split_once(" WHERE ").map(|(_, condition)| format!(" WHERE {condition}")))
                .unwrap_or_default();
            let columns = if columns.is_empty() { "1".to_owned() } else { columns };
            let sql = format!("SELECT {columns}{row_id} FROM \"{table}\" INDEXED BY \"{name}\"{partial}");
            let mut statement = connection.prepare(&sql).unwrap();
            let count = statement.column_count();
            let rows = statement
                .query_map([], |row| (0..count).map(|column| row.get(column)).collect::<Result<Vec<Value>, _>>())
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            (name, rows)
        })
        .collect()
}

/// Rows around every length at which a cell's payload no longer fits: of a row, of a key, and of what fills the last
/// overflow page.
#[test]
fn payloads_of_every_length_around_the_limits() {
    for page_size in [512_i64, 1024, 4096, 16_384, 65_536] {
        let usable = page_size;
        let largest_key = (usable - 12) * 64 / 255 - 23;
        let least = (usable - 12) * 32 / 255 - 23;
        let edges = [usable - 35, largest_key, least, least + usable - 4, largest_key + usable - 4, usable, 3 * usable];
        let case = Case::made(|connection| {
            connection
                .execute_batch(&format!(
                    "PRAGMA page_size = {page_size};
                     CREATE TABLE by_id(a TEXT, b INT); CREATE INDEX by_a ON by_id(a); CREATE INDEX by_b ON by_id(b, a);
                     CREATE TABLE by_key(a TEXT, b, PRIMARY KEY (a, b)) WITHOUT ROWID; CREATE INDEX by_key_b ON by_key(b);
                     BEGIN"
                ))
                .unwrap();
            let mut number = 0_i64;
            for edge in edges {
                for length in edge - 14..=edge + 3 {
                    let text = "x".repeat(usize::try_from(length.max(0)).unwrap());
                    number += 1;
                    connection.execute("INSERT INTO by_id VALUES (?1, ?2)", (&text, -number)).unwrap();
                    connection.execute("INSERT INTO by_key VALUES (?1, ?2)", (&text, number * 1000)).unwrap();
                }
            }
            connection.execute_batch("COMMIT").unwrap();
        });
        sound(&case);
        assert_eq!(number(&case.open_target(), "PRAGMA page_size"), page_size);
    }
}

/// From no row to some pages, one more at a time: the last page of each level is full, has one cell, or would have none.
#[test]
fn trees_of_every_small_size() {
    for (rows, wide) in (0..40).map(|rows| (rows, true)).chain((0..800).step_by(53).map(|rows| (rows, false))) {
        let case = Case::new(&format!(
            "PRAGMA page_size = 512; CREATE TABLE t(a); CREATE INDEX i ON t(a);
             CREATE TABLE w(a PRIMARY KEY) WITHOUT ROWID; CREATE TABLE small(a PRIMARY KEY) WITHOUT ROWID;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             INSERT INTO t SELECT {} FROM n WHERE {rows} > 0;
             INSERT INTO w SELECT a FROM t; INSERT INTO small SELECT rowid FROM t;",
            if wide { "printf('%0*d', 97 + i % 3, i)" } else { "i" },
        ));
        sound(&case);
    }
}

#[test]
fn three_levels_of_both_kinds() {
    let case = Case::new(
        "PRAGMA page_size = 512; CREATE TABLE t(a TEXT, b INT); CREATE INDEX i ON t(a); CREATE UNIQUE INDEX d ON t(b DESC);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
         INSERT INTO t SELECT printf('%0*d', i % 80, i * 7919 % 50000), i FROM n;",
    );
    sound(&case);
}

#[test]
fn row_ids_at_their_extremes() {
    let case = Case::new(
        "CREATE TABLE k(id INTEGER PRIMARY KEY, a); CREATE INDEX k_a ON k(a); CREATE INDEX k_id ON k(id DESC);
         INSERT INTO k VALUES (-9223372036854775808, 1), (-1, NULL), (0, 1), (1, 'a'), (4294967296, 1), (9223372036854775807, x'00');
         CREATE TABLE h(a); INSERT INTO h(rowid, a) SELECT id, id FROM k; CREATE INDEX h_a ON h(a);
         CREATE TABLE none(a); CREATE INDEX none_a ON none(a); CREATE TABLE one(a UNIQUE); INSERT INTO one VALUES (1);",
    );
    sound(&case);
}

/// Integers and reals that are close or the same, in every affinity, ascending and descending.
#[test]
fn numbers_of_both_kinds_in_one_index() {
    let numbers = "0, -0.0, 1, 1.0, 1.5, -1.5, -1, 255, 256, 9007199254740992, 9007199254740993, 9007199254740992.0, 9007199254740994.0,
        9223372036854775807, 9223372036854775808.0, -9223372036854775808, -9223372036854775808.0, 9e999, -9e999, 4.9e-324, 1e300,
        140737488355327.0, 140737488355328.0, -140737488355329.0, NULL, 'text', x'626c6f62'";
    let rows: Vec<String> =
        numbers.split(',').map(|number| format!("({n}, {n}, {n}, {n})", n = number.trim())).collect();
    let case = Case::new(&format!(
        "CREATE TABLE t(a, b REAL, c INTEGER, d NUMERIC); INSERT INTO t VALUES {};
         CREATE INDEX a ON t(a); CREATE INDEX b ON t(b DESC); CREATE INDEX c ON t(c); CREATE INDEX d ON t(d, a DESC);
         CREATE TABLE w(a, b REAL, n, PRIMARY KEY (a DESC, n)) WITHOUT ROWID;
         INSERT INTO w SELECT a, b, rowid FROM t WHERE a IS NOT NULL; CREATE INDEX w_b ON w(b);",
        rows.join(", ")
    ));
    sound(&case);
}

#[test]
fn collations_directions_and_encodings() {
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        let case = Case::new(&format!(
            "PRAGMA encoding = '{encoding}';
             CREATE TABLE t(a TEXT COLLATE NOCASE, b TEXT COLLATE RTRIM, c TEXT, d, UNIQUE (c, d));
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700)
             INSERT INTO t SELECT char(60 + i % 70, 64 + i % 37) || iif(i % 9, '', char(0) || i), substr('ab   ', 1, i % 6),
                 char(0xff00 + i, 0x1f600 + i, i), i FROM n;
             CREATE INDEX a ON t(a); CREATE INDEX b ON t(b DESC, a); CREATE INDEX c ON t(c DESC); CREATE INDEX both ON t(a COLLATE BINARY DESC, c);
             CREATE TABLE w(a TEXT COLLATE NOCASE, b TEXT COLLATE RTRIM, c, PRIMARY KEY (c, a DESC, b)) WITHOUT ROWID;
             INSERT OR IGNORE INTO w SELECT a, b, d FROM t; CREATE INDEX w_b ON w(b); CREATE UNIQUE INDEX w_c ON w(c DESC);"
        ));
        // How texts that are stored as UTF-16 compare by their UTF-8 is left to SQLite.
        let as_pages: Vec<bool> = sound(&case).tables.iter().map(|table| table.as_pages).collect();
        assert_eq!(as_pages, [true, encoding == "UTF-8"]);
    }
}

#[test]
fn nulls_do_not_make_keys_the_same() {
    let case = Case::new(
        "CREATE TABLE t(a, b, UNIQUE (a, b)); INSERT INTO t VALUES (1, NULL), (1, NULL), (NULL, NULL), (NULL, 1), (NULL, 1), (1, 2);
         CREATE UNIQUE INDEX u ON t(b, a);",
    );
    sound(&case);
}

/// An index that was made UNIQUE by hand, over rows that are not.
#[test]
fn rows_that_break_a_unique_index_are_refused() {
    for kind in ["WITHOUT ROWID", ""] {
        let case = Case::new(&format!(
            "CREATE TABLE t(a, b COLLATE NOCASE, k PRIMARY KEY) {kind}; INSERT INTO t VALUES (1, 'x', 1), (1.0, 'X', 2), (3, 'y', 3);
             CREATE INDEX i ON t(a, b);
             PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = 'CREATE UNIQUE INDEX i ON t(a, b)' WHERE name = 'i';
             PRAGMA writable_schema = RESET;"
        ));
        let error = case.refused(RestoreMode::Create, &[]);
        assert!(error.is_database() && error.table() == Some("t"), "{error}");
        assert!(error.message().contains("UNIQUE constraint failed: t.a, t.b"), "{error}");
        assert!(error.hint().unwrap().contains("conflict"));
    }
}

/// What the page writer leaves to SQLite stands beside what it writes, in the schema's order.
#[test]
fn other_indexes_and_tables_are_left_to_sqlite() {
    let case = Case::new(
        "CREATE TABLE t(a, b TEXT, c AS (a + 1)); CREATE TABLE p(a, b TEXT); CREATE TABLE q(a PRIMARY KEY, b) WITHOUT ROWID;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO p SELECT i * 7 % 1000, 'n' || i FROM n;
         INSERT INTO t SELECT a, b FROM p; INSERT INTO q SELECT rowid, b FROM p;
         CREATE INDEX p_part ON p(a) WHERE a > 500; CREATE INDEX p_a ON p(a); CREATE INDEX p_expr ON p(lower(b), a);
         CREATE INDEX q_b ON q(b); CREATE INDEX t_c ON t(c); CREATE UNIQUE INDEX q_part ON q(b) WHERE a < 9; CREATE INDEX q_a ON q(a, b DESC);",
    );
    let as_pages: Vec<bool> = sound(&case).tables.iter().map(|table| table.as_pages).collect();
    assert_eq!(as_pages, [false, true, true]);
    for mode in ["FULL", "INCREMENTAL"] {
        let case = Case::new(&format!(
            "PRAGMA auto_vacuum = {mode}; CREATE TABLE t(a, b); CREATE INDEX i ON t(b);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO t SELECT i, hex(zeroblob(i % 90)) || i FROM n;"
        ));
        assert!(!sound(&case).tables[0].as_pages);
    }
}

#[test]
fn a_real_zero_keeps_its_sign() {
    // As SQLite kept it before it took whole reals for integers: bytes that no INSERT of today makes.
    let case = Case::new(
        "CREATE TABLE t(a, b REAL); INSERT INTO t VALUES (-0.0, 0.5), (0.0, -1.0); CREATE INDEX i ON t(a);
         CREATE TABLE u(a BLOB); INSERT INTO u VALUES (-0.0);",
    );
    sound(&case);
    let sign = "SELECT printf('%+.1f', a) FROM u";
    let found: String = case.open_target().query_row(sign, [], |row| row.get(0)).unwrap();
    assert!(found.starts_with('-') || found == "+0.0");
}

/// More keys than are sorted in memory at once would take minutes here; so many keys of an index that is not in order, of
/// several row groups, and a table whose keys come in order.
#[test]
fn many_keys_over_several_row_groups() {
    let case = Case::new(
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b INT, c TEXT); CREATE INDEX b ON t(b, c); CREATE UNIQUE INDEX c ON t(c, a);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120000)
         INSERT INTO t SELECT i * 3, i * 7919 % 4000, 'row ' || (i * 31 % 997) FROM n;",
    );
    sound(&case);
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'o>(&mut self, of: &[&'o str]) -> &'o str {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()]
    }

    /// A table with rows and indexes of all kinds.
    fn table(&mut self, name: &str) -> String {
        let columns = 1 + self.roll(6);
        let types = [
            "",
            "INTEGER",
            "TEXT",
            "REAL",
            "NUMERIC",
            "BLOB",
            "TEXT COLLATE NOCASE",
            "VARCHAR(9) COLLATE RTRIM",
            "DATE",
        ];
        let mut declared: Vec<String> = (0..columns).map(|column| format!("c{column} {}", self.pick(&types))).collect();
        let key = self.pick(&["", "", "id INTEGER PRIMARY KEY", "id PRIMARY KEY", "id TEXT", "id INTEGER"]);
        let without_row_id = key == "id PRIMARY KEY" && self.roll(2) == 0;
        if !key.is_empty() {
            declared.insert(usize::try_from(self.roll(columns)).unwrap(), key.to_owned());
        }
        let options = if without_row_id { " WITHOUT ROWID" } else { "" };
        let mut script = format!("CREATE TABLE {name}({}){options};\n", declared.join(", "));
        let index_of = |dice: &mut Self, number: u64| {
            let parts: Vec<String> = (0..1 + dice.roll(3))
                .map(|_| {
                    let collation = dice.pick(&["", "", "", " COLLATE BINARY", " COLLATE NOCASE", " COLLATE RTRIM"]);
                    format!("c{}{collation}{}", dice.roll(columns), dice.pick(&["", " ASC", " DESC"]))
                })
                .collect();
            format!("CREATE INDEX {name}_{number} ON {name}({});\n", parts.join(", "))
        };
        for number in 0..self.roll(4) {
            script += &index_of(self, number);
        }
        let value = |dice: &mut Self| match dice.roll(12) {
            0 => "NULL".to_owned(),
            1 => format!("{}", dice.roll(3)),
            2 => format!("-{}", dice.roll(1 << 31)),
            3 => format!("{}", dice.roll(1 << 31) << dice.roll(31)),
            4 => format!("{}.{}", dice.roll(100), dice.roll(4)),
            5 => format!("'{}'", dice.roll(20)),
            6 => format!("'{}'", dice.pick(&["a", "A", "a ", "Ab", "aB  ", "", "é", "日", "1e5", " 1"])),
            7 => format!("hex(zeroblob({}))", dice.roll(60)),
            8 => format!("hex(zeroblob({}))", dice.roll(3000)),
            9 => format!("zeroblob({})", dice.roll(700)),
            10 => format!("x'{:02x}00'", dice.roll(256)),
            _ => format!("'a' || char({}, 0, 65)", 1 + dice.roll(200)),
        };
        for row in 0..self.roll(300) {
            let mut values: Vec<String> = (0..columns).map(|_| value(self)).collect();
            if !key.is_empty() {
                let at = declared.iter().position(|column| column == key).unwrap();
                let id = if key == "id TEXT" {
                    format!("'{row}x'")
                } else {
                    format!("{}", (row << self.roll(3)) * 8 + row % 8)
                };
                values.insert(at, id);
            }
            script += &format!("INSERT OR IGNORE INTO {name} VALUES ({});\n", values.join(", "));
        }
        script
    }
}

/// Arbitrary tables and indexes, written as pages and by statements: the same rows, and indexes that hold the same.
#[test]
fn pages_hold_what_statements_write() {
    for seed in 0..24 {
        let mut dice = Dice(seed);
        let page_size = dice.pick(&["512", "1024", "4096", "65536"]);
        let encoding = dice.pick(&["UTF-8", "UTF-8", "UTF-16le", "UTF-16be"]);
        let mut script = format!("PRAGMA page_size = {page_size}; PRAGMA encoding = '{encoding}'; BEGIN;\n");
        (0..1 + dice.roll(3)).for_each(|number| script += &dice.table(&format!("t{number}")));
        let case = Case::new(&(script + "COMMIT"));
        sound(&case);
        let by_pages = (read_everything(&case.target()), indexes(&case.open_target()));
        // An empty file is a database to SQLite, into which rows are inserted.
        std::fs::write(case.target(), b"").unwrap();
        case.restore(RestoreMode::Create, &[]).unwrap();
        assert!(by_pages == (read_everything(&case.target()), indexes(&case.open_target())), "seed {seed}");
    }
}
