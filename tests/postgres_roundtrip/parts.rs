//! Parts of a database, under other names, without some of it, and large tables in ranges over connections.

use std::num::NonZero;

use tabark::model::{Expire, Filter};
use tabark::restore::RestoreMode;
use tabark::restore::postgres::{Part, PostgresRestoreOptions};
use tabark::selection::Selection;

use super::postgres::{Database, contents, load_everything, oldest, server, servers};
use super::scene::{Kept, catalog};

const APP: &str = "
    CREATE SCHEMA audit;
    CREATE TYPE mood AS ENUM ('sad', 'fine');
    CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.seen := now(); RETURN NEW; END';
    CREATE SEQUENCE shared_numbers INCREMENT 5;
    CREATE TABLE users (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL CHECK (name <> ''), mood mood, seen timestamptz,
        number integer DEFAULT nextval('shared_numbers'), upper_name text GENERATED ALWAYS AS (upper(name)) STORED
    );
    CREATE TABLE orders (id serial PRIMARY KEY, buyer bigint REFERENCES users, price numeric(12, 2), at timestamp);
    CREATE TABLE audit.log (id uuid PRIMARY KEY, order_id integer REFERENCES orders, what jsonb);
    CREATE INDEX orders_by_price ON orders (price DESC) WHERE price > 10;
    CREATE TRIGGER stamped BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION stamp();
    CREATE VIEW rich AS SELECT u.name, sum(o.price) AS spent FROM users AS u JOIN orders AS o ON o.buyer = u.id GROUP BY u.id;
    CREATE MATERIALIZED VIEW richest AS SELECT name FROM rich WHERE spent > 100;
    COMMENT ON TABLE users IS 'people'; COMMENT ON COLUMN users.mood IS 'today';
    INSERT INTO users (name, mood, seen)
        SELECT 'name ' || n, CASE WHEN n % 3 = 0 THEN 'fine'::mood END, timestamptz '2025-01-01 00:00Z' + n * interval '1 hour'
        FROM generate_series(1, 500) AS n;
    INSERT INTO orders (buyer, price, at) SELECT n % 500 + 1, n / 7.0, timestamp '2025-01-01' + n * interval '1 minute' FROM generate_series(1, 2000) AS n;
    INSERT INTO audit.log SELECT md5(n::text)::uuid, n, jsonb_build_object('n', n) FROM generate_series(1, 50) AS n;
    REFRESH MATERIALIZED VIEW richest;
    SELECT nextval('shared_numbers');";

fn chosen(patterns: &[&str]) -> PostgresRestoreOptions {
    PostgresRestoreOptions::default().tables(Selection::new(patterns, &[]).unwrap())
}

fn digest(database: &Database<'_>, relation: &str) -> String {
    database.psql(&format!(
        "SELECT count(*), md5(string_agg(t::text, '/' ORDER BY t::text COLLATE \"C\")) FROM {relation} AS t"
    ))
}

#[test]
fn tables_go_into_another_schema_and_get_other_names() {
    for server in servers() {
        let from = server.database("app");
        from.psql(APP);
        let kept = Kept::new();
        kept.dump(&from, &Selection::everything(), 1);
        let to = server.database("app elsewhere");
        let mut options = PostgresRestoreOptions::default();
        options.into_schema = Some("old state".into());
        kept.restore(&to, &options).unwrap();
        for table in ["users", "orders", "log", "rich", "richest"] {
            let source = if table == "log" { "audit.log".to_owned() } else { format!("public.{table}") };
            assert_eq!(digest(&to, &format!("\"old state\".{table}")), digest(&from, &source), "{table}");
        }
        let left =
            "SELECT count(*) FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'audit'::regnamespace)";
        assert_eq!(to.psql(left).trim(), "0");
        let added = "INSERT INTO \"old state\".users (name) VALUES ('x') RETURNING id, number; UPDATE \"old state\".users SET name = 'y' WHERE id = 1";
        assert_eq!(to.psql(added).trim(), "501|2506");

        // Beside what is there, and with its view on it.
        let beside = server.database("app beside");
        beside.psql(APP);
        options.into_schema = Some("copy".into());
        kept.restore(&beside, &options).unwrap();
        assert_eq!(contents(&beside)["public.users"], contents(&from)["public.users"]);
        assert_eq!(digest(&beside, "copy.rich"), digest(&from, "rich"));

        let renamed = server.database("app renamed");
        let mut options = chosen(&["users", "orders"]);
        options.rename = vec![("users".into(), "people".into())];
        kept.restore(&renamed, &options).unwrap();
        assert_eq!(digest(&renamed, "people"), digest(&from, "users"));
        let words = renamed.psql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f'");
        assert_eq!(words.trim(), "FOREIGN KEY (buyer) REFERENCES people(id)");
    }
}

#[test]
fn definitions_alone_then_rows_alone_are_the_whole() {
    for server in servers() {
        let from = server.database("halves");
        from.psql(APP);
        let kept = Kept::new();
        kept.dump(&from, &Selection::everything(), 1);
        let to = server.database("halves back");
        let mut options = PostgresRestoreOptions::default();
        options.part = Part::Schema;
        kept.restore(&to, &options).unwrap();
        assert_eq!(to.normalized_schema(), from.normalized_schema());
        assert_eq!(
            to.psql("SELECT (SELECT count(*) FROM users) + (SELECT last_value FROM shared_numbers)").trim(),
            "1"
        );
        options.part = Part::Data;
        options.mode = RestoreMode::Append;
        // Rows come after those that they refer to.
        for tables in [["users"], ["orders"], ["audit.log"]] {
            options.tables = Selection::new(&tables, &[]).unwrap();
            kept.restore(&to, &options).unwrap();
        }
        for table in ["users", "orders", "audit.log"] {
            assert_eq!(digest(&to, table), digest(&from, table));
        }
        assert_eq!(to.psql("INSERT INTO users (name) VALUES ('x') RETURNING id").trim(), "501");
    }
}

#[test]
fn owners_and_privileges_are_left_out_when_asked() {
    let Some(server) = server(oldest()) else { return };
    let from = server.database("owned");
    from.psql(
        "CREATE ROLE rt_owner; CREATE ROLE rt_reader;
         CREATE TABLE t (id integer); ALTER TABLE t OWNER TO rt_owner; GRANT SELECT ON t TO rt_reader;",
    );
    let kept = Kept::new();
    kept.dump(&from, &Selection::everything(), 1);
    let told = |name: &str, owners: bool, privileges: bool| {
        let to = server.database(name);
        let mut options = PostgresRestoreOptions::default();
        (options.owners, options.privileges) = (owners, privileges);
        kept.restore(&to, &options).unwrap();
        to.psql("SELECT relowner::regrole, has_table_privilege('rt_reader', 't', 'SELECT') FROM pg_class WHERE relname = 't'")
    };
    assert_eq!(told("owned 1", true, true), "rt_owner|t\n");
    assert_eq!(told("owned 2", false, true), "postgres|t\n");
    assert_eq!(told("owned 3", true, false), "rt_owner|f\n");
    assert_eq!(told("owned 4", false, false), "postgres|f\n");
    // Roles that are not there are named.
    let Some(other) = super::postgres::Server::start(oldest()) else { return };
    let report = kept.restore(&other.database("no roles"), &PostgresRestoreOptions::default()).unwrap();
    assert!(report.plan.warnings.iter().any(|warning| warning.contains("rt_owner")), "{:?}", report.plan.warnings);
}

#[test]
fn every_table_alone_is_restored_or_refused_by_name() {
    let Some(server) = server(oldest()) else { return };
    let from = server.database("one by one");
    load_everything(&from);
    let kept = Kept::new();
    kept.dump(&from, &Selection::everything(), 1);
    let whole = kept.fingerprints();
    let names: Vec<String> = whole.keys().cloned().collect();
    let (mut restored, mut refused, mut named) = (0, Vec::new(), Vec::new());
    let alone = server.database("alone");
    // Many go into the same database, one after the other: what they share is there already then.
    let shared = server.database("one after the other");
    for (at, name) in names.into_iter().enumerate() {
        let escape = |c: char| if "*?[]".contains(c) { format!("[{c}]") } else { c.to_string() };
        let options = chosen(&[name.chars().map(escape).collect::<String>().as_str()]);
        let targets = [&alone, &shared];
        for target in targets.into_iter().take(if at % 6 == 0 { 2 } else { 1 }) {
            match kept.restore(target, &options) {
                Ok(report) => {
                    restored += 1;
                    assert!(report.tables.iter().all(|table| table.proved));
                }
                // It names what is missing, or the target has what it brings along.
                Err(error) if error.is_request() && error.to_string().contains(" needs ") => {
                    named.push(format!("{name}: {error}"));
                }
                Err(error) if error.is_request() && target.name == shared.name => {
                    assert!(error.to_string().contains("the target has a"), "{name}: {error}");
                }
                // Sequences of other tables, and what values name, the server misses by name.
                Err(error) if ["sequences.sharing_2", "more_types.of_the_system"].contains(&name.as_str()) => {
                    assert!(error.to_string().contains("does not exist"), "{error}");
                }
                Err(error) if name == "left_out.by_own_method" => assert!(error.to_string().contains("access method")),
                Err(error) => refused.push(format!("{name} in {}: {error} {:?}", target.name, error.hint())),
            }
        }
        if alone.try_psql(EMPTIED).is_err() {
            server.existing_database("postgres").psql("DROP DATABASE alone WITH (FORCE)");
            server.database("alone");
        }
    }
    assert!(refused.is_empty(), "{restored} restored, {} refused:\n{}", refused.len(), refused.join("\n"));
    assert!(restored > 80 && named.len() < 12, "{restored} restored; what is missing was named: {named:#?}");
}

/// Takes all out of a database that a restore may have put there.
const EMPTIED: &str = "DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' LOOP EXECUTE format('DROP EXTENSION %I CASCADE', name); END LOOP;
    FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END LOOP;
    CREATE SCHEMA public;
END $$";

#[test]
fn rows_are_left_out_by_rules_and_the_rest_is_proved() {
    let Some(server) = server(oldest()) else { return };
    let from = server.database("ruled");
    from.psql(APP);
    let kept = Kept::new();
    let hour = 3_600_000_000;
    // The time of the dump is fixed: 2025-11-24T16:00:00Z.
    let rules = [
        ("users", Filter::Where { expression: "name <> 'name 7' AND id <> 9".into() }),
        (
            "orders",
            Filter::Expire(Expire { column: "at".into(), age: 24 * 327 * hour, instant: 1_764_000_000_000_000 }),
        ),
    ];
    let report = kept.dump_filtered(&from, &Selection::new(&["users", "orders"], &[]).unwrap(), 2, &rules);
    let rows = |name: &str| report.tables.iter().find(|table| table.name == name).unwrap().rows;
    assert_eq!(rows("users"), 498);
    assert!(rows("orders") > 0 && rows("orders") < 2000, "{}", rows("orders"));
    kept.verify();
    let to = server.database("ruled back");
    let error = kept.restore(&to, &PostgresRestoreOptions::default()).unwrap_err();
    assert!(error.to_string().contains("orders_buyer_fkey"), "rows refer to rows that were left out: {error}");
    kept.restore(&to, &chosen(&["users"])).unwrap();
    assert_eq!(to.psql("SELECT count(*) FROM users").trim(), "498");
}

const LARGE: &str = "
    CREATE TABLE by_integer (id bigint PRIMARY KEY, w text);
    INSERT INTO by_integer SELECT (n - 60000) * 3, repeat(md5(n::text), 8) FROM generate_series(1, 120000) AS n;
    DELETE FROM by_integer WHERE id % 2 = 0 AND id > 0;
    CREATE TABLE by_uuid (id uuid PRIMARY KEY, w text);
    INSERT INTO by_uuid SELECT md5(n::text)::uuid, repeat(md5(n::text), 8) FROM generate_series(1, 60000) AS n;
    CREATE TABLE by_text (id text PRIMARY KEY, w text);
    INSERT INTO by_text SELECT md5(n::text) || 'é', repeat(md5(n::text), 8) FROM generate_series(1, 60000) AS n;
    CREATE TABLE by_two (a integer, b date, w text, PRIMARY KEY (a, b));
    INSERT INTO by_two SELECT n % 7, date '2000-01-01' + n / 7, repeat(md5(n::text), 8) FROM generate_series(1, 60000) AS n;
    CREATE TABLE by_nothing (w text, n integer);
    INSERT INTO by_nothing SELECT repeat(md5(n::text), 8), n FROM generate_series(1, 60000) AS n;
    DELETE FROM by_nothing WHERE n BETWEEN 20000 AND 30000;
    CREATE TABLE nothing_left (id integer PRIMARY KEY, w text);
    INSERT INTO nothing_left SELECT n, repeat('x', 300) FROM generate_series(1, 30000) AS n;
    DELETE FROM nothing_left;";

#[test]
fn any_number_of_connections_gives_the_same_snapshot() {
    let Some(server) = server(oldest()) else { return };
    let from = server.database("large");
    from.psql(LARGE);
    from.set_odd_defaults();
    from.psql("ALTER DATABASE large SET default_transaction_read_only = on");
    let tables = Selection::everything();
    let mut found = Vec::new();
    // Without statistics, then with them: they say where ranges could begin.
    for analyzed in [false, true] {
        if analyzed {
            from.psql("SET default_transaction_read_only = off; ANALYZE");
        }
        for connections in [1, 2, 4] {
            let kept = Kept::new();
            kept.dump(&from, &tables, connections);
            found.push((kept.fingerprints(), kept));
        }
    }
    let first = &found[0].0;
    assert!(first.len() == 6 && found.iter().all(|(fingerprints, _)| fingerprints == first));
    let to = server.database("large back");
    let mut options = PostgresRestoreOptions::default();
    options.connections = NonZero::new(2).unwrap();
    found[5].1.restore(&to, &options).unwrap();
    assert_eq!(contents(&to), contents(&from));
    let (mut wanted, mut is) = (catalog(&from), catalog(&to));
    wanted.omitted.clear();
    is.omitted.clear();
    super::scene::assert_same_catalog(&wanted, &is);
}
