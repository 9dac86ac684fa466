//! Indexes, views and triggers.

use super::*;

#[test]
fn indexes_views_and_triggers_come_back_to_the_letter() {
    let case = Case::new(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE UNIQUE, b);
         CREATE TABLE log(what);
         CREATE UNIQUE INDEX partial ON t(b DESC, a COLLATE RTRIM) WHERE b > 0;
         CREATE INDEX expression ON t(lower(a), abs(b)); /* not kept */
         CREATE VIEW v(x, y) AS SELECT a, b FROM t -- comment
           WHERE a <> 'x;y';
         CREATE VIEW broken AS SELECT * FROM nowhere;
         CREATE TRIGGER on_insert AFTER INSERT ON t WHEN new.b > 0 BEGIN
           INSERT INTO log VALUES ('insert ' || new.a); DELETE FROM log WHERE what = ';';
         END;
         CREATE TRIGGER through INSTEAD OF INSERT ON v BEGIN INSERT INTO t(a, b) VALUES (new.x, new.y); END;
         CREATE TRIGGER unknown AFTER DELETE ON t BEGIN SELECT not_a_function(old.a); END;
         INSERT INTO t VALUES (1, 'one', 1), (2, 'two', NULL); INSERT INTO v VALUES ('three', 3);",
    );
    let report = case.round_trip();
    let kinds: Vec<&str> = report.plan.objects.iter().map(|object| object.kind.as_str()).collect();
    assert_eq!(kinds, ["index", "index", "view", "view", "trigger", "trigger", "trigger"]);
    let target = case.open_target();
    assert_eq!(number(&target, "SELECT count(*) FROM log"), 2, "a trigger fired while rows were restored");
    target.execute_batch("INSERT INTO v VALUES ('four', 4)").unwrap();
    assert_eq!(number(&target, "SELECT count(*) FROM log WHERE what = 'insert four'"), 1);
}

#[test]
fn indexes_and_triggers_go_with_their_table_and_views_by_name() {
    let case = Case::new(
        "CREATE TABLE a(x); CREATE INDEX a_x ON a(x); CREATE TRIGGER a_t AFTER INSERT ON a BEGIN SELECT 1; END;
         CREATE TABLE b(x); CREATE INDEX b_x ON b(x); CREATE VIEW v AS SELECT 1;
         CREATE TRIGGER v_t INSTEAD OF INSERT ON v BEGIN SELECT 1; END; INSERT INTO a VALUES (1); INSERT INTO b VALUES (2);",
    );
    case.restore(RestoreMode::Create, &["a"]).unwrap();
    let names = "SELECT group_concat(name, ' ' ORDER BY name) FROM sqlite_schema";
    let found = |case: &Case| case.open_target().query_row(names, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(found(&case), "a a_t a_x");
    case.restore(RestoreMode::Create, &["v"]).unwrap();
    assert_eq!(found(&case), "a a_t a_x v v_t");
    let error = case.refused(RestoreMode::Create, &["tabel"]);
    assert!(error.is_request() && error.message().contains("tabel"), "{error}");
    let error = case.refused(RestoreMode::Create, &["A"]);
    assert!(error.hint().is_some_and(|hint| hint.contains("\"a\"")), "{error}");
}

/// A collation or function of the application: a table that needs it is refused by name, the others are restored.
#[test]
fn missing_collations_and_functions_are_named() {
    let case = Case::made(|connection| {
        connection.create_collation("german", |a: &str, b: &str| a.cmp(b)).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE column_collation(a TEXT COLLATE german); INSERT INTO column_collation VALUES ('x');
                 CREATE TABLE indexed(a); CREATE INDEX i ON indexed(a COLLATE german); INSERT INTO indexed VALUES ('x');
                 CREATE TABLE fine(a); INSERT INTO fine VALUES (1);
                 CREATE VIEW v AS SELECT a FROM fine ORDER BY a COLLATE german;
                 CREATE TABLE with_function(a); INSERT INTO with_function VALUES (1);
                 PRAGMA writable_schema = ON;
                 UPDATE sqlite_schema SET sql = 'CREATE TABLE with_function(a CHECK (application_function(a)))'
                   WHERE name = 'with_function';",
            )
            .unwrap();
    });
    for (table, missing) in
        [("column_collation", "german"), ("indexed", "german"), ("with_function", "application_function")]
    {
        let error = case.refused(RestoreMode::Create, &[table]);
        assert!(error.is_database() && error.message().contains(missing), "{error}");
        assert_eq!(error.table(), Some(table));
        assert!(error.hint().unwrap().contains("application"), "{error}");
    }
    case.restore(RestoreMode::Create, &["fine", "v"]).unwrap();
    assert_eq!(number(&case.open_target(), "SELECT a FROM fine"), 1);
}
