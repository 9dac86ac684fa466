//! The schemas that hold every kind of object.

use std::time::{Duration, Instant};

use super::super::{RelationKind, discover, read};
use super::judged::{connect, inventory, judge, judge_in, try_making};
use super::postgres::{load_everything, samples, servers};
use crate::selection::Selection;

#[test]
fn a_database_of_plain_tables_is_made_again() {
    for server in servers() {
        let original = server.database("plain");
        original.psql(
            "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
             CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL DEFAULT 'x', mood mood,
                                 parent int REFERENCES users, CHECK (id > 0));
             CREATE INDEX users_by_name ON users (lower(name)) WHERE mood <> 'sad';
             CREATE DOMAIN positive AS int CHECK (VALUE > 0) NOT NULL;
             CREATE TABLE posts (id bigint GENERATED ALWAYS AS IDENTITY, author int REFERENCES users ON DELETE CASCADE,
                                 votes positive, title varchar(20) COLLATE \"C\" UNIQUE);
             SELECT nextval('users_id_seq'), nextval('users_id_seq');",
        );
        let found = judge(server, &original);
        assert_eq!(found.catalog.tables.len(), 2);
        assert_eq!(found.catalog.omitted, []);
        assert_eq!(inventory(&original, &["posts"], &[]).catalog.tables.len(), 1);
    }
}

/// Statements of `pg_dump` about what is named as not kept.
pub(super) fn is_not_kept(statement: &str) -> bool {
    let words = [
        "EVENT TRIGGER",
        "PUBLICATION",
        "SUBSCRIPTION",
        "FOREIGN DATA WRAPPER",
        "SERVER",
        "USER MAPPING",
        "FOREIGN TABLE",
        "CONVERSION",
        "TRANSFORM",
        "ACCESS METHOD",
        "LARGE OBJECT",
        "LANGUAGE",
    ];
    let about = |word: &str| {
        ["CREATE", "ALTER", "COMMENT ON"].iter().any(|verb| statement.starts_with(&format!("{verb} {word} ")))
            || statement.contains(&format!(" ON {word} "))
            || statement.contains("far_away")
            || statement.contains("far_part")
    };
    words.iter().any(|word| about(word))
        || statement.starts_with("SELECT pg_catalog.lo_")
        || statement.ends_with("SET SESSION AUTHORIZATION")
}

#[test]
fn everything_is_made_again() {
    for server in servers() {
        let original = server.database("everything");
        load_everything(&original);
        let made = server.database("everything made again");
        made.psql("CREATE ACCESS METHOD tbk_method TYPE TABLE HANDLER heap_tableam_handler");
        judge_in(&original, &made);
    }
}

#[test]
fn each_table_stands_with_what_it_needs() {
    for server in servers() {
        let original = server.database("one by one");
        load_everything(&original);
        let empty = server.database("empty");
        empty.psql("CREATE ACCESS METHOD tbk_method TYPE TABLE HANDLER heap_tableam_handler");
        let (mut from, mut to) = (connect(&original), connect(&empty));
        let relations = discover(&mut from, &Selection::everything()).unwrap();
        let mut failures = Vec::new();
        for relation in relations.iter().filter(|relation| relation.kind != RelationKind::ForeignTable) {
            let outcome = match read(&mut from, std::slice::from_ref(relation), false) {
                Ok(found) => try_making(&mut to, &found),
                // The rows of another table are values of this one.
                Err(error) if error.is_request() && relation.name == "rows_as_values" => Ok(()),
                Err(error) => Err(format!("{error:?}")),
            };
            failures.extend(outcome.err().map(|error| format!("{}: {error}", relation.archive_name())));
        }
        assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
    }
}

#[test]
fn a_child_whose_parent_is_left_out_stands_alone() {
    for server in servers() {
        let original = server.database("families");
        original.psql(
            "CREATE TABLE parent (id int PRIMARY KEY, name text DEFAULT 'x');
             CREATE TABLE child (toy text) INHERITS (parent);
             CREATE TABLE split (id int PRIMARY KEY) PARTITION BY LIST (id);
             CREATE TABLE split_1 PARTITION OF split FOR VALUES IN (1);
             CREATE TABLE refers (id int REFERENCES split (id));",
        );
        let empty = server.database("no families");
        let names = |include: &[&str], exclude: &[&str]| {
            let found = inventory(&original, include, exclude);
            assert_eq!(try_making(&mut connect(&empty), &found), Ok(()));
            let omitted = found.catalog.omitted.iter().map(|omission| omission.what.clone()).collect::<Vec<_>>();
            (found.catalog.tables.into_iter().map(|table| table.name).collect::<Vec<_>>(), omitted)
        };
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&["child"], &[]), (owned(&["parent", "child"]), owned(&[])));
        let alone = names(&["child"], &["parent"]);
        assert_eq!(alone, (owned(&["child"]), owned(&["table \"child\" as child of \"parent\""])));
        assert_eq!(names(&["split"], &[]), (owned(&["split_1"]), owned(&[])));
        let alone = names(&["split_1"], &[]);
        assert_eq!(alone, (owned(&["split_1"]), owned(&["table \"split_1\" as partition of \"split\""])));
        let alone = names(&["refers"], &[]);
        assert_eq!(alone, (owned(&["refers"]), owned(&["foreign key \"refers_id_fkey\" of \"refers\""])));
    }
}

#[test]
fn thousands_of_tables_take_few_round_trips() {
    for server in servers() {
        let original = server.database("thousands");
        original.psql(
            "DO $$ BEGIN FOR n IN 1..2000 LOOP
                 EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, word text NOT NULL CHECK (length(word) > 0))', n);
                 IF n % 100 = 0 THEN COMMIT; END IF;
             END LOOP; END $$",
        );
        let start = Instant::now();
        let found = inventory(&original, &[], &[]);
        assert_eq!(found.catalog.tables.len(), 2000);
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    }
}

#[test]
fn samples_are_made_again() {
    for (name, sql) in samples() {
        for server in servers() {
            let original = server.database(&name);
            original.psql(&sql);
            judge(server, &original);
        }
    }
}
