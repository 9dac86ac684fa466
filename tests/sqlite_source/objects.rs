//! The catalog: everything in `sqlite_schema` is kept, attached or named as not kept.

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tabark::model::{SchemaObject, Value};
use tabark::source::Source as _;

use super::{Database, collect, column, rows, table, text};

fn named(objects: &[SchemaObject]) -> Vec<String> {
    objects.iter().map(|object| format!("{} {} on {}", object.kind, object.name, object.table)).collect()
}

fn roles(database: &Database) -> Vec<String> {
    database.source().catalog().tables.iter().map(|table| format!("{} {}", table.role, table.name)).collect()
}

/// Editing the schema by hand, as repair tools and other libraries do.
fn edit_schema(database: &Database, sql: &str) {
    let writer = database.writer();
    writer.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).unwrap();
    writer.execute_batch(&format!("PRAGMA writable_schema = ON; {sql}")).unwrap();
}

#[test]
fn indexes_and_triggers_are_attached_and_views_stand_alone() {
    let database = Database::new(
        "CREATE TABLE Users(id INTEGER PRIMARY KEY, mail TEXT UNIQUE, n INT CHECK (n > 0));
         CREATE VIEW v AS SELECT mail FROM users; CREATE TABLE log(what);
         CREATE INDEX users_n ON USERS(n) WHERE n > 5; CREATE UNIQUE INDEX users_lower ON users(lower(mail));
         CREATE TRIGGER logged AFTER INSERT ON users BEGIN INSERT INTO log VALUES (new.mail); END;
         CREATE TRIGGER on_view INSTEAD OF INSERT ON V BEGIN SELECT 1; END;",
    );
    let source = database.source();
    let catalog = source.catalog();
    assert_eq!(catalog.tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["Users", "log"]);
    assert_eq!(
        named(&table(&source, "Users").attached),
        ["index users_n on Users", "index users_lower on Users", "trigger logged on Users"]
    );
    assert_eq!(named(&catalog.objects), ["view v on v", "trigger on_view on v"]);
    assert_eq!(catalog.objects[0].definition, "CREATE VIEW v AS SELECT mail FROM users");
    assert!(table(&source, "Users").definition.starts_with("CREATE TABLE Users(id"));
    assert!(catalog.omitted.is_empty(), "{:?}", catalog.omitted);
    // Positions are places in sqlite_schema; the index that UNIQUE made has the second.
    let mut statement = database.writer();
    let transaction = statement.transaction().unwrap();
    let mut names = transaction.prepare("SELECT name FROM sqlite_schema ORDER BY rowid").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for table in &catalog.tables {
        assert_eq!(names[table.position as usize], table.name);
        assert!(table.attached.iter().all(|object| names[object.position as usize] == object.name));
    }
    assert!(catalog.objects.iter().all(|object| names[object.position as usize] == object.name));
}

#[test]
fn shadow_tables_are_kept_with_content_and_virtual_rows_are_not_read() {
    let database = Database::new(
        "CREATE TABLE plain_data(x); CREATE VIRTUAL TABLE docs USING fts5(body);
         CREATE VIRTUAL TABLE docs_old USING fts4(body); CREATE VIRTUAL TABLE \"Map x\" USING rtree(id, a, b);
         INSERT INTO docs VALUES ('hello world'); INSERT INTO docs_old VALUES ('old'); INSERT INTO \"Map x\" VALUES (1, 2, 3);",
    );
    let source = database.source();
    assert_eq!(
        named(&source.catalog().objects),
        ["virtual table docs on docs", "virtual table docs_old on docs_old", "virtual table Map x on Map x"]
    );
    let shadows: Vec<String> = source
        .catalog()
        .tables
        .iter()
        .filter(|table| table.role == "shadow")
        .map(|table| format!("{} of {}", table.name, table.option("virtual_table").unwrap()))
        .collect();
    for expected in [
        "docs_content of docs",
        "docs_data of docs",
        "docs_old_content of docs_old",
        "Map x_node of Map x",
        "Map x_rowid of Map x",
    ] {
        assert!(shadows.iter().any(|shadow| shadow == expected), "{expected} in {shadows:?}");
    }
    assert_eq!(table(&source, "plain_data").role, "table");
    assert_eq!(rows(&source, "docs_content"), [vec![Value::Integer(1), text("hello world")]]);
    assert!(!rows(&source, "Map x_node").is_empty() && !rows(&source, "docs_data").is_empty());
}

#[test]
fn a_virtual_table_whose_module_is_not_here_keeps_declaration_and_storage() {
    let database =
        Database::new("CREATE TABLE gone_data(k INTEGER PRIMARY KEY, v); INSERT INTO gone_data VALUES (1, 'x')");
    edit_schema(
        &database,
        "INSERT INTO sqlite_schema VALUES ('table', 'gone', 'gone', 0, 'CREATE VIRTUAL TABLE gone USING no_such_module(a, b)')",
    );
    let source = database.source();
    assert_eq!(named(&source.catalog().objects), ["virtual table gone on gone"]);
    assert_eq!(column(&source, "gone_data", 1), [text("x")]);
    assert_eq!(table(&source, "gone_data").role, "table");
}

#[test]
fn broken_views_are_kept_and_stop_nothing() {
    let database = Database::new(
        "CREATE TABLE t(a); INSERT INTO t VALUES (1); CREATE VIEW broken AS SELECT x FROM nowhere;
         CREATE VIEW round1 AS SELECT * FROM round2; CREATE VIEW round2 AS SELECT * FROM round1;
         CREATE VIEW unknown AS SELECT no_such_function(a) FROM t;",
    );
    let source = database.source();
    assert_eq!(source.catalog().objects.len(), 4);
    assert_eq!(rows(&source, "t").len(), 1);
}

#[test]
fn internal_tables_are_read_for_chosen_tables_only() {
    let database = Database::new(
        "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, x); CREATE TABLE A_b(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
         CREATE INDEX a_x ON a(x); CREATE INDEX b_x ON a_b(x);
         INSERT INTO a(x) VALUES (1), (1), (2); INSERT INTO A_b(x) VALUES (5); ANALYZE;",
    );
    assert_eq!(
        roles(&database),
        ["table a", "internal sqlite_sequence", "table A_b", "internal sqlite_stat1", "internal sqlite_stat4"]
    );
    let source = database.source();
    let chosen = |internal: &str, names: &[&str]| {
        let schema = table(&source, internal);
        collect(|sink| source.read_internal(&schema, names, sink)).unwrap()
    };
    assert_eq!(chosen("sqlite_sequence", &["a"]), [vec![Value::Integer(1), text("a"), Value::Integer(3)]]);
    assert_eq!(chosen("sqlite_sequence", &["A_b"]), [vec![Value::Integer(2), text("A_b"), Value::Integer(1)]]);
    assert!(chosen("sqlite_sequence", &["A", "a_b", "%", ""]).is_empty());
    assert_eq!(chosen("sqlite_sequence", &["a", "A_b"]).len(), 2);
    let statistics = chosen("sqlite_stat1", &["a"]);
    assert_eq!(statistics.len(), 1);
    assert_eq!(statistics[0][1..3], [text("a"), text("a_x")]);
    let samples = chosen("sqlite_stat4", &["a"]);
    assert!(!samples.is_empty() && samples.len() < rows(&source, "sqlite_stat4").len());
    assert!(samples.iter().all(|row| row[1] == text("a")));
    assert_eq!(table(&source, "sqlite_sequence").definition, "CREATE TABLE sqlite_sequence(name,seq)");
}

#[test]
fn other_tables_of_sqlites_own_are_named_as_not_kept() {
    let database = Database::new("CREATE TABLE t(a); CREATE TABLE xqlite_stat3(tbl, idx)");
    edit_schema(
        &database,
        "UPDATE sqlite_schema SET name = 'sqlite_stat3', tbl_name = 'sqlite_stat3', sql = 'CREATE TABLE sqlite_stat3(tbl, idx)'
         WHERE name = 'xqlite_stat3'",
    );
    let source = database.source();
    assert_eq!(source.catalog().tables.len(), 1);
    assert_eq!(source.catalog().omitted[0].what, "table sqlite_stat3");
}

#[test]
fn odd_entries_of_the_schema_are_named_or_refused_and_never_lost() {
    // What SQLite accepts although it would not write it: another case, and names as blobs.
    let database = Database::new(
        "CREATE TABLE t(a); CREATE INDEX i ON t(a); CREATE TABLE blob_name(a); INSERT INTO t VALUES (1);",
    );
    edit_schema(
        &database,
        "UPDATE sqlite_schema SET type = 'TABLE' WHERE name = 't'; UPDATE sqlite_schema SET tbl_name = 'T' WHERE name = 'i';
         UPDATE sqlite_schema SET name = CAST(name AS BLOB) WHERE name = 'blob_name';",
    );
    let source = database.source();
    assert_eq!(rows(&source, "t"), [vec![Value::Integer(1), Value::Integer(1)]]);
    assert_eq!(named(&table(&source, "t").attached), ["index i on t"]);
    let [omission] = source.catalog().omitted.as_slice() else { panic!("{:?}", source.catalog()) };
    assert!(omission.what.starts_with("table ") && omission.reason.contains("name in sqlite_schema"), "{omission:?}");
    // What it does not accept makes the whole schema unreadable, and the error says where.
    for edit in [
        "UPDATE sqlite_schema SET type = 'thing' WHERE name = 't'",
        "UPDATE sqlite_schema SET sql = NULL WHERE name = 't'",
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE t(' WHERE name = 't'",
        "UPDATE sqlite_schema SET sql = 17 WHERE name = 't'",
        "UPDATE sqlite_schema SET rootpage = NULL WHERE name = 't'",
        "INSERT INTO sqlite_schema VALUES ('thing', 'x', 'x', 0, NULL)",
    ] {
        let database = Database::new("CREATE TABLE t(a); INSERT INTO t VALUES (1)");
        edit_schema(&database, edit);
        match tabark::source::sqlite::SqliteSource::open(&database.path()) {
            Ok(source) => panic!("{edit}: {:?}", source.catalog()),
            Err(error) => {
                assert!(error.is_database() && error.hint().is_some(), "{edit}: {error}");
                assert!(error.message().contains("malformed database schema"), "{edit}: {error}");
            }
        }
    }
}

#[test]
fn functions_that_are_absent_here_stop_no_table() {
    let database = Database::new("CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 2)");
    edit_schema(
        &database,
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a CHECK (ours(a) > 0), b DEFAULT (ours(1)), c AS (ours(a)), d AS (ours(b)) STORED)'
         WHERE name = 't'",
    );
    let writer = database.writer();
    register_ours(&writer);
    writer
        .execute_batch(
            "CREATE INDEX i ON t(ours(b)); CREATE INDEX p ON t(a) WHERE ours(a); INSERT INTO t VALUES (3, 4)",
        )
        .unwrap();
    drop(writer);
    let source = database.source();
    assert_eq!(table(&source, "t").generated, ["c", "d"]);
    assert_eq!(named(&table(&source, "t").attached), ["index i on t", "index p on t"]);
    assert_eq!(column(&source, "t", 1), [Value::Integer(1), Value::Integer(3)]);
}

fn register_ours(connection: &Connection) {
    use rusqlite::functions::FunctionFlags;
    connection
        .create_scalar_function(
            "ours",
            1,
            FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS,
            |context| context.get::<i64>(0),
        )
        .unwrap();
}

#[test]
fn collations_that_are_absent_here_stop_no_table() {
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        let database = Database::new(&format!("PRAGMA encoding = '{encoding}'"));
        let writer = database.writer();
        for name in ["backwards", "my \"coll\""] {
            writer.create_collation(name, |a: &str, b: &str| b.cmp(a)).unwrap();
        }
        writer
            .execute_batch(
                "CREATE TABLE keyed(a TEXT PRIMARY KEY COLLATE backwards, b) WITHOUT ROWID;
                 CREATE INDEX keyed_b ON keyed(b COLLATE \"my \"\"coll\"\"\");
                 CREATE TABLE odd(n, a, PRIMARY KEY(a COLLATE \"my \"\"coll\"\"\" DESC)) WITHOUT ROWID;
                 CREATE TABLE plain(a TEXT COLLATE backwards UNIQUE, g AS (a < 'x'));
                 INSERT INTO keyed VALUES ('a', 1), ('c', 2), ('b', 3); INSERT INTO odd SELECT b, a FROM keyed ORDER BY b;
                 INSERT INTO plain SELECT a FROM keyed ORDER BY b; ANALYZE;",
            )
            .unwrap();
        drop(writer);
        let source = database.source();
        assert_eq!(table(&source, "keyed").key[0].collation, "backwards");
        assert_eq!(table(&source, "odd").key[0].collation, "my \"coll\"");
        assert_eq!(column(&source, "keyed", 0), ["c", "b", "a"].map(text), "{encoding}");
        assert_eq!(column(&source, "odd", 1), ["a", "b", "c"].map(text), "{encoding}");
        assert_eq!(column(&source, "plain", 1), ["a", "c", "b"].map(text), "{encoding}");
    }
}
