//! The schemas that hold every kind of object.

use super::super::{RelationKind, discover, read};
use super::judged::{connect, inventory, judge, judge_in, statements, try_making};
use super::postgres::{load_everything, servers};
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
        "EVENT TRIGGER", "PUBLICATION", "SUBSCRIPTION", "FOREIGN DATA WRAPPER", "SERVER", "USER MAPPING", "FOREIGN TABLE",
        "CONVERSION", "TRANSFORM", "ACCESS METHOD", "LARGE OBJECT", "LANGUAGE",
    ];
    let about = |word: &&str| {
        ["CREATE", "ALTER", "COMMENT ON"].iter().any(|verb| statement.starts_with(&format!("{verb} {word} ")))
            || statement.contains(&format!(" ON {word} "))
            || statement.contains("far_away")
            || statement.contains("far_part")
    };
    words.iter().any(|word| about(&word)) || statement.starts_with("SELECT pg_catalog.lo_")
        || statement.ends_with("SET SESSION AUTHORIZATION")
}

#[test]
fn everything_is_made_again() {
    for server in servers() {
        let original = server.database("everything");
        load_everything(&original);
        let made = server.database("everything made again");
        made.psql("CREATE ACCESS METHOD tbk_method TYPE TABLE HANDLER heap_tableam_handler");
        let found = judge_in(&original, &made);
        std::fs::write(format!("/tmp/everything.{}", server.major()), format!("{:#?}", statements(&found))).unwrap();
        std::fs::write(format!("/tmp/omitted.{}", server.major()), format!("{:#?}", found.catalog.omitted)).unwrap();
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
fn samples_are_made_again() {
    for server in servers() {
        for sample in ["pagila", "chinook"] {
            let original = server.database(sample);
            original.psql_file(std::path::Path::new(&format!("/tmp/{sample}.sql")));
            let start = std::time::Instant::now();
            let _ = inventory(&original, &[], &[]);
            let once = start.elapsed();
            let mut client = connect(&original);
            let start = std::time::Instant::now();
            let relations = discover(&mut client, &Selection::everything()).unwrap();
            read(&mut client, &relations, true).unwrap();
            eprintln!("{} {sample}: {once:?} with connecting, {:?} cold", server.major(), start.elapsed());
            let start = std::time::Instant::now();
            read(&mut client, &relations, true).unwrap();
            eprintln!("{} {sample}: {:?} again", server.major(), start.elapsed());
            judge(server, &original);
        }
    }
}
