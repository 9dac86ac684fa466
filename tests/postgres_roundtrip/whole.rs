//! Whole databases: everything that there is, from each version into its own and into newer ones.

use tabark::restore::postgres::PostgresRestoreOptions;
use tabark::selection::Selection;
use tabark::source::postgres::{PostgresOptions, PostgresSource};

use super::note::note;
use super::postgres::{
    Database, Server, contents, load_everything, load_everything_that_fits, load_sql_ascii, load_wide, oldest, server,
    servers,
};
use super::scene::{Kept, assert_same_catalog, catalog, settings};

/// Partitions by the hash of an enum: rows go elsewhere in a database where the values have other OIDs.
const HASHED_ANEW: &str = "parts.by_hash_of_mood_";

/// Statements of `pg_dump` about what a dump names as not kept.
fn is_not_kept(statement: &str) -> bool {
    let kinds = [
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
    let is_about = |kind: &&str| {
        ["CREATE", "ALTER", "COMMENT ON"].iter().any(|verb| statement.starts_with(&format!("{verb} {kind} ")))
            || statement.contains(&format!(" ON {kind} "))
            || statement.contains("far_away")
            || statement.contains("far_part")
    };
    kinds.iter().any(is_about)
        || statement.starts_with("SELECT pg_catalog.lo_")
        || statement.ends_with("SET SESSION AUTHORIZATION")
}

/// The schema as `pg_dump` says it, without what is not kept; options of storage in the order of their names.
fn schema(database: &Database<'_>) -> Vec<String> {
    let mut schema = database.normalized_schema();
    schema.retain(|statement| !is_not_kept(statement));
    schema.iter().map(|statement| with_sorted_options(statement)).collect()
}

fn with_sorted_options(statement: &str) -> String {
    let Some((start, rest)) = statement.rsplit_once(" WITH (") else { return statement.to_owned() };
    let Some((options, end)) = rest.split_once(')') else { return statement.to_owned() };
    let mut options: Vec<&str> = options.split(", ").collect();
    options.sort_by_key(|option| (option.starts_with("toast."), *option));
    format!("{start} WITH ({}){end}", options.join(", "))
}

/// `pg_dump` and SQL find the same in both.
pub(crate) fn assert_same(from: &Database<'_>, to: &Database<'_>) {
    assert_same_schema(from, to, &[]);
    assert_same_contents(from, to);
}

/// `pg_dump` finds the same, but for statements that begin so.
fn assert_same_schema(from: &Database<'_>, to: &Database<'_>, but: &[&str]) {
    let (mut wanted, mut found) = (schema(from), schema(to));
    for statements in [&mut wanted, &mut found] {
        statements.retain(|statement| !but.iter().any(|start| statement.starts_with(start)));
    }
    let lost: Vec<&String> = wanted.iter().filter(|statement| !found.contains(statement)).collect();
    let new: Vec<&String> = found.iter().filter(|statement| !wanted.contains(statement)).collect();
    assert!(lost.is_empty() && new.is_empty(), "{}: lost {lost:#?}\nnew: {new:#?}", to.name);
}

fn assert_same_contents(from: &Database<'_>, to: &Database<'_>) {
    let (wanted, found) = (contents(from), contents(to));
    let differ: Vec<_> = wanted
        .iter()
        .filter(|(name, what)| found.get(*name) != Some(*what) && !name.starts_with(HASHED_ANEW))
        .map(|(name, what)| (name, what, found.get(name)))
        .collect();
    assert!(differ.is_empty(), "{}: {differ:#?}", to.name);
    assert_eq!(wanted.len(), found.len());
}

/// There and back: every judge finds the same, and what was restored is dumped as the same.
pub(crate) fn round_trip(from: &Database<'_>, to: &Database<'_>) -> Kept {
    let kept = Kept::new();
    kept.dump(from, &Selection::everything(), 1);
    kept.verify();
    let report = kept.restore(to, &PostgresRestoreOptions::default()).unwrap_or_else(|error| fail(from, &error));
    assert!(report.tables.iter().all(|table| table.proved), "{:?}", report.tables);
    assert_same(from, to);
    let again = Kept::new();
    again.dump(to, &Selection::everything(), 1);
    let (mut wanted, mut found) = (kept.fingerprints(), again.fingerprints());
    wanted.retain(|name, _| !name.starts_with(HASHED_ANEW));
    found.retain(|name, _| !name.starts_with(HASHED_ANEW));
    assert_eq!(wanted, found);
    kept
}

#[expect(clippy::panic, reason = "tests")]
fn fail<T>(database: &Database<'_>, error: &tabark::Error) -> T {
    panic!("{}: {error:?}", database.name)
}

/// A database with nothing in it but what a dump of everything says it must have.
pub(crate) fn empty<'s>(server: &'s Server, name: &str) -> Database<'s> {
    let database = server.database(name);
    database.psql("CREATE ACCESS METHOD tbk_method TYPE TABLE HANDLER heap_tableam_handler");
    database
}

#[test]
fn everything_comes_back_on_every_version() {
    for server in servers() {
        let from = server.database("everything");
        load_everything(&from);
        load_wide(&from);
        from.set_odd_defaults();
        let to = empty(server, "everything back");
        to.set_odd_defaults();
        round_trip(&from, &to);
        assert_same_catalog(&catalog(&from), &catalog(&to));
    }
}

#[test]
fn archives_of_a_version_go_into_newer_ones() {
    for server in servers() {
        for newer in servers().filter(|newer| newer.major() > server.major()) {
            let from = server.database(&format!("everything for {}", newer.major()));
            let to = empty(newer, &format!("everything of {}", server.major()));
            load_everything_that_fits(&from, &[&to]);
            // Values that name roles need them.
            for role in ["tbk_owner", "tbk_reader", "tbk_writer", "\"tbk \"\"quoted\"\" role\"", "\"tbk_Über.role\""] {
                let _ = to.try_psql(&format!("CREATE ROLE {role}"));
            }
            let kept = Kept::new();
            kept.dump(&from, &Selection::everything(), 2);
            let report = kept.restore(&to, &PostgresRestoreOptions::default());
            report.unwrap_or_else(|error| fail(&to, &error));
            // Newer servers print definitions in other words: what `pg_dump` brings over is the measure.
            let brought = newer.database(&format!("everything brought from {}", server.major()));
            brought.psql(&from.pg_dump(&[]));
            let mut but = vec!["CREATE TABLE family.adopted "];
            if server.major() < 15 && newer.major() >= 15 {
                // Until 15 everybody could make tables in `public`. What a server does by itself is the target's affair.
                but.extend(["GRANT ALL ON SCHEMA public TO PUBLIC", "REVOKE USAGE ON SCHEMA public FROM PUBLIC"]);
            }
            if server.major() < 17 && newer.major() >= 17 {
                // A newer `pg_dump` than the server's takes single privileges from an owner, who keeps one that 17 brought.
                but.push("GRANT MAINTAIN ON TABLE granted.owner_may_not TO tbk_owner");
            }
            assert_same_schema(&brought, &to, &but);
            assert_same_contents(&from, &to);
        }
    }
}

#[test]
fn sql_ascii_databases_come_back_byte_by_byte() {
    for server in servers() {
        let from = load_sql_ascii(server, "any bytes");
        // Rows may hold any bytes; names and definitions may not, and what has such a one is named.
        let refused = |tables: &Selection| {
            PostgresSource::open(&settings(&from), tables, PostgresOptions::default(), &()).err().unwrap().to_string()
        };
        let told = refused(&Selection::everything());
        assert!(told.contains("no UTF-8"), "{told}");
        let told = refused(&Selection::new::<&str>(&[], &["?t?"]).unwrap());
        assert!(told.contains("\"keys\"") && told.contains("column"), "{told}");
        from.psql(
            r#"DO $$ BEGIN EXECUTE E'DROP TABLE "\xe9t\xe9"'; EXECUTE E'ALTER TABLE keys DROP COLUMN "caf\xe9"'; END $$"#,
        );
        let to = server.database_with("any bytes back", "TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
        round_trip(&from, &to);
        assert_same_catalog(&catalog(&from), &catalog(&to));
    }
}

#[test]
fn real_databases_come_back() {
    let Some(folder) = std::env::var_os("TABARK_CORPUS") else {
        note("skipped: real databases, as TABARK_CORPUS does not say where they are; tests/run sets it");
        return;
    };
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(name) = name.strip_suffix(".pg.sql.zst") else { continue };
        let sql = String::from_utf8(zstd::decode_all(std::fs::File::open(&path).unwrap()).unwrap()).unwrap();
        for server in servers() {
            let from = server.database(name);
            from.psql(&sql);
            let to = server.database(&format!("{name} back"));
            round_trip(&from, &to);
            assert_same_catalog(&catalog(&from), &catalog(&to));
        }
    }
}

#[test]
fn a_restored_database_lives_on() {
    let Some(server) = server(oldest()) else { return };
    let from = server.database("lives");
    from.psql("CREATE TABLE t (id serial PRIMARY KEY, w text); INSERT INTO t (w) VALUES ('a'), ('b');");
    let to = server.database("lives on");
    round_trip(&from, &to);
    assert_eq!(to.psql("INSERT INTO t (w) VALUES ('c') RETURNING id").trim(), "3");
}
