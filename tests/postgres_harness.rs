//! What the tests with PostgreSQL stand on: servers start, die and leave nothing; the schema of everything loads on every
//! version and passes through `pg_dump`; the judges see what they must see.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

#[path = "common/note.rs"]
mod note;
#[path = "common/postgres.rs"]
mod postgres;
#[path = "common/tree.rs"]
mod tree;

use std::net::TcpStream;

use postgres::{
    Database, Options, Server, contents, load_everything, load_sql_ascii, load_wide, normalized_schema, oldest, server,
    servers,
};

/// A table that came to its parent later: `pg_dump` moves the columns that it shares with the parent to the front.
const MOVED: &str = "family.adopted";
/// Partitions by the hash of an enum: rows go elsewhere in a database where the values have other OIDs.
const HASHED_ANEW: &str = "parts.by_hash_of_mood_";

/// Copies a database as people do, with `pg_dump | psql`, into a new one.
fn copied<'s>(from: &Database<'s>, name: &str) -> Database<'s> {
    let to = from.server.database(name);
    to.psql(&from.pg_dump(&[]));
    to
}

#[test]
fn everything_loads_and_passes_through_pg_dump() {
    for server in servers() {
        let from = server.database("everything");
        let parts = load_everything(&from);
        load_wide(&from);
        assert!(parts.len() > 10, "{parts:?}");
        let to = copied(&from, "everything_copied");
        let (wanted, found) = (from.normalized_schema(), to.normalized_schema());
        let missing: Vec<&String> = wanted.iter().filter(|statement| !found.contains(statement)).collect();
        let known = missing.iter().all(|statement| statement.starts_with(&format!("CREATE TABLE {MOVED} ")));
        assert!(known, "{}: lost by pg_dump: {missing:#?}", server.major());
        assert_eq!(wanted.len(), found.len());
        let (wanted, found) = (contents(&from), contents(&to));
        let differs =
            |name: &&String| found.get(*name) != wanted.get(*name) && *name != MOVED && !name.starts_with(HASHED_ANEW);
        let differ: Vec<&String> = wanted.keys().filter(differs).collect();
        assert!(differ.is_empty(), "{}: {differ:#?}", server.major());
        assert_eq!(wanted.len(), found.len());
    }
}

#[test]
fn a_server_that_was_killed_recovers_what_was_committed() {
    let Some(server) = Server::start(oldest()) else { return };
    let database = server.database("crash");
    database.psql("CREATE TABLE kept (id integer); INSERT INTO kept SELECT generate_series(1, 1000);");
    server.kill_hard();
    assert!(database.try_psql("SELECT 1").is_err());
    server.restart();
    assert_eq!(database.psql("SELECT count(*) FROM kept").trim(), "1000");
    let folder = server.socket_folder().to_owned();
    drop(server);
    assert!(!folder.exists());
}

#[test]
fn a_server_of_its_own_has_settings_passwords_and_a_port() {
    for major in postgres::majors().iter().copied() {
        let access = ["host all all 127.0.0.1/32 scram-sha-256"];
        let settings = [("work_mem", "5MB"), ("password_encryption", "scram-sha-256")];
        let options = Options { settings: &settings, tcp: true, access: &access, files: &[("note", "text")] };
        let Some(server) = Server::start_with(major, &options) else { continue };
        let database = server.database("one, \"two\"/?&");
        assert_eq!(database.psql("SHOW work_mem; SELECT current_database();"), "5MB\none, \"two\"/?&\n");
        TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        assert!(server.tcp_url("postgres", "x").contains(&server.port().to_string()));
        assert!(database.psql("SHOW server_version").starts_with(&major.to_string()));
    }
}

#[test]
fn odd_defaults_change_what_a_careless_reader_reads() {
    let Some(server) = server(oldest()) else { return };
    let database = server.database("odd_defaults");
    database
        .psql("CREATE TABLE t (d date, f float8, b bytea); INSERT INTO t VALUES ('2026-01-31', 0.1 + 0.2, '\\x00');");
    let before = contents(&database);
    database.set_odd_defaults();
    assert_eq!(database.psql("SELECT * FROM t"), "31.01.2026|0.3|\\000\n");
    assert_eq!(contents(&database), before);
}

#[test]
fn sql_ascii_holds_any_bytes() {
    for server in servers() {
        let database = load_sql_ascii(server, "any_bytes");
        let hex = "SELECT encode(convert_to(word, 'SQL_ASCII'), 'hex') FROM bytes WHERE id = 1";
        assert_eq!(database.psql(hex).trim(), "fffe");
        assert_eq!(contents(&database).len(), 3);
    }
}

#[test]
fn contents_see_rows_sequences_and_the_lack_of_them() {
    let Some(server) = server(oldest()) else { return };
    let database = server.database("contents");
    database.psql(
        "CREATE TABLE \"a\n.b\" (t text); INSERT INTO \"a\n.b\" VALUES ('x'), (NULL);
        CREATE TABLE nothing (); CREATE SEQUENCE s; SELECT nextval('s');
        CREATE MATERIALIZED VIEW m AS SELECT 1 AS \"a row\"; CREATE VIEW v AS SELECT 2;",
    );
    let found = contents(&database);
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["public.\"a\n.b\"", "public.m", "public.nothing", "public.s"]);
    assert_eq!((found["public.nothing"].as_str(), found["public.s"].as_str()), ("0 -", "1 true"));
    database.psql("UPDATE \"a\n.b\" SET t = 'y' WHERE t = 'x'");
    let changed = contents(&database);
    assert!(found["public.\"a\n.b\""].starts_with("2 ") && changed["public.\"a\n.b\""].starts_with("2 "));
    assert_ne!(found["public.\"a\n.b\""], changed["public.\"a\n.b\""]);
}

#[test]
fn schema_texts_are_equal_without_what_changes_from_run_to_run() {
    let one = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET x = 1;\n\
        SELECT pg_catalog.set_config('search_path', '', false);\n\
        CREATE FUNCTION f() RETURNS text AS $_$ select ';'; -- kept\n $_$;\nCREATE TABLE a (b text DEFAULT 'it''s; --');\n\
        COMMENT ON TABLE a IS E'x\\';y';\nCREATE TABLE \"a;\"\" b\" ();\n\\unrestrict abc\n";
    let other = "\\restrict xyz\nCREATE TABLE \"a;\"\" b\"    ();\nCREATE TABLE a\n(b text DEFAULT 'it''s; --');\n\
        COMMENT ON TABLE a IS E'x\\';y'; CREATE FUNCTION f() RETURNS text AS $_$ select ';'; -- kept\n $_$;";
    let found = normalized_schema(one);
    assert_eq!(found.len(), 4);
    assert_eq!(found[1], "CREATE FUNCTION f() RETURNS text AS $_$ select ';'; -- kept\n $_$");
    assert_eq!(normalized_schema(&other.replace("a\n(b", "a (b")), found);
    let body = "CREATE FUNCTION g(a int) RETURNS int BEGIN ATOMIC\n SELECT CASE WHEN $1 > 0 THEN 1 ELSE 2 END;\nEND;\nSELECT 1;";
    assert_eq!(normalized_schema(body).len(), 2);
    assert_ne!(normalized_schema("CREATE TABLE a (b text)"), normalized_schema("CREATE TABLE a (c text)"));
}
