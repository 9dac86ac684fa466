//! Rows of partitions that go through the partitioned table: where a row belongs is the target's to say.

use std::collections::BTreeSet;
use std::num::NonZero;

use tabark::model::{Expire, Filter};
use tabark::restore::RestoreMode;
use tabark::restore::postgres::{Part, PostgresReport, PostgresRestoreOptions};
use tabark::selection::Selection;

use super::postgres::{Database, contents, oldest, server, servers};
use super::scene::Kept;

/// Partitions by the hash of what has other numbers in every database, on two levels and with columns in other orders.
const HASHED: &str = "
    CREATE TYPE mood AS ENUM ('worst', 'sad', 'so-so', 'fine', 'best', 'none', 'any', 'all');
    CREATE DOMAIN temper AS mood;
    CREATE TABLE days (mood mood, at date, n integer NOT NULL, note text) PARTITION BY HASH (mood);
    CREATE TABLE days_0 PARTITION OF days FOR VALUES WITH (MODULUS 3, REMAINDER 0);
    CREATE TABLE days_1 (note text, gone integer, n integer NOT NULL, at date, mood mood);
    ALTER TABLE days_1 DROP COLUMN gone;
    ALTER TABLE days ATTACH PARTITION days_1 FOR VALUES WITH (MODULUS 3, REMAINDER 1);
    CREATE TABLE days_2 PARTITION OF days FOR VALUES WITH (MODULUS 3, REMAINDER 2) PARTITION BY RANGE (at);
    CREATE TABLE days_2_old PARTITION OF days_2 FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
    CREATE TABLE days_2_new PARTITION OF days_2 DEFAULT;
    CREATE INDEX days_by_n ON days (n);
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
    INSERT INTO days SELECT (enum_range(NULL::mood))[1 + n % 8], date '2024-12-01' + n % 90, n, md5(n::text) FROM generate_series(1, 4000) AS n;
    INSERT INTO days SELECT * FROM days LIMIT 3; INSERT INTO days VALUES (NULL, NULL, 0, NULL);
    CREATE TRIGGER fails BEFORE INSERT ON days FOR EACH ROW EXECUTE FUNCTION fail();
    CREATE TRIGGER fails_at_all BEFORE INSERT ON days EXECUTE FUNCTION fail();
    CREATE TABLE moods (region integer, mood temper, n integer) PARTITION BY LIST (region);
    CREATE TABLE moods_1 PARTITION OF moods FOR VALUES IN (1) PARTITION BY HASH (mood);
    CREATE TABLE moods_1_a PARTITION OF moods_1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE moods_1_b PARTITION OF moods_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE moods_2 PARTITION OF moods DEFAULT;
    INSERT INTO moods SELECT n % 3, (enum_range(NULL::mood))[1 + n % 8], n FROM generate_series(1, 500) AS n;
    CREATE TABLE plain (id bigint PRIMARY KEY, name text) PARTITION BY HASH (id);
    CREATE TABLE plain_0 PARTITION OF plain FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE plain_1 PARTITION OF plain FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO plain SELECT n, md5(n::text) FROM generate_series(1, 500) AS n;";

/// Types before it have moved the numbers of the values, as in any database with a history.
const HISTORY: &str = "CREATE TYPE earlier AS ENUM ('a', 'b', 'c', 'd', 'e'); DROP TYPE earlier;";

fn whole(database: &Database<'_>, table: &str) -> String {
    database.psql(&format!(
        "SELECT count(*), md5(string_agg(t::text, '/' ORDER BY t::text COLLATE \"C\")) FROM {table} AS t"
    ))
}

fn counts(database: &Database<'_>, leaves: &[&str]) -> Vec<String> {
    leaves.iter().map(|leaf| database.psql(&format!("SELECT count(*) FROM {leaf}"))).collect()
}

const DAYS: [&str; 4] = ["days_0", "days_1", "days_2_old", "days_2_new"];

fn same_rows(from: &Database<'_>, to: &Database<'_>) {
    for table in ["days", "moods", "moods_1", "moods_2", "plain", "plain_0", "plain_1"] {
        assert_eq!(whole(to, table), whole(from, table), "{table}");
    }
}

fn told(report: &PostgresReport) -> String {
    report.plan.by_root.join("; ")
}

#[test]
fn rows_go_where_the_hash_of_the_target_says() {
    for server in servers() {
        let from = server.database("hashed");
        from.psql(HASHED);
        let kept = Kept::new();
        kept.dump(&from, &Selection::everything(), 1);
        for connections in [1, 2] {
            let to = server.database(&format!("hashed back {connections}"));
            to.psql(HISTORY);
            let mut options = PostgresRestoreOptions::default();
            options.connections = NonZero::new(connections).unwrap();
            let report = kept.restore(&to, &options).unwrap();
            same_rows(&from, &to);
            let leaves = |database| DAYS.map(|leaf| whole(database, leaf));
            assert_ne!(leaves(&to), leaves(&from), "the rows are where they were, which proves nothing");
            assert!(report.tables.iter().all(|table| table.proved));
            let told = told(&report);
            assert!(
                told.contains("restored by the root \"days\": \"days_0\", \"days_1\", \"days_2_new\", \"days_2_old\""),
                "{told}"
            );
            assert!(told.contains("restored by the root \"moods_1\": \"moods_1_a\", \"moods_1_b\""), "{told}");
            assert!(!told.contains("plain"), "{told}");
            assert_eq!(to.normalized_schema(), from.normalized_schema());
            let refused = to.try_psql("INSERT INTO days VALUES ('sad', NULL, 1, NULL)").unwrap_err();
            assert!(refused.contains("fired"), "{refused}");
        }
    }
}

#[test]
fn partitions_are_replaced_with_their_root() {
    for server in servers() {
        let from = server.database("hashed replaced");
        from.psql(HASHED);
        let kept = Kept::new();
        kept.dump(&from, &Selection::everything(), 1);
        let to = server.database("hashed replaced there");
        to.psql(HISTORY);
        kept.restore(&to, &PostgresRestoreOptions::default()).unwrap();
        let good = (contents(&to), to.normalized_schema());
        to.psql("UPDATE days SET n = -1 WHERE n % 2 = 0; DELETE FROM moods WHERE n > 7");
        let mut options = PostgresRestoreOptions::default().mode(RestoreMode::Replace);
        options.tables = Selection::new(&["days", "moods"], &[]).unwrap();
        kept.restore(&to, &options).unwrap();
        assert_eq!((contents(&to), to.normalized_schema()), good);
    }
}

#[test]
fn all_partitions_of_a_root_are_chosen_or_none() {
    let Some(server) = server(oldest()) else { return };
    let from = server.database("hashed in parts");
    from.psql(HASHED);
    let kept = Kept::new();
    kept.dump(&from, &Selection::everything(), 1);
    let to = server.database("hashed in parts back");
    to.psql(HISTORY);
    let restore = |taken: &[&str], left: &[&str], mode: RestoreMode| {
        let tables = Selection::new(taken, left).unwrap();
        kept.restore(&to, &PostgresRestoreOptions::default().tables(tables).mode(mode))
    };
    let error = restore(&["days"], &["days_1"], RestoreMode::Create).unwrap_err();
    assert!(error.is_request() && error.to_string().contains("\"days_1\" is left out"), "{error}");
    let error = restore(&["days"], &["days_2_old"], RestoreMode::Create).unwrap_err();
    assert!(error.is_request() && error.to_string().contains("\"days_2_old\" is left out"), "{error}");
    // Without the root it is a table like any other.
    restore(&["days_1"], &[], RestoreMode::Create).unwrap();
    assert_eq!(whole(&to, "days_1"), whole(&from, "days_1"));
    to.psql("DROP TABLE days_1");
    restore(&["days"], &[], RestoreMode::Create).unwrap();
    // Numbers of an enum's values are drawn by the server: one time in twenty, all rows of a partition hash to it again.
    let moods = |database: &Database<'_>| -> BTreeSet<String> {
        database.psql("SELECT DISTINCT mood FROM days_0").lines().map(str::to_owned).collect()
    };
    while moods(&from).is_subset(&moods(&to)) {
        to.psql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
        restore(&["days"], &[], RestoreMode::Create).unwrap();
    }
    let before = (contents(&to), to.normalized_schema());
    // Rows of one partition alone are let in where they belong to it, and nowhere else.
    let error = restore(&["days_0"], &[], RestoreMode::Replace).unwrap_err();
    assert!(error.to_string().contains("tabark_partition_bound"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("all of its partitions")), "{error:?}");
    to.psql("DROP TABLE days_0");
    let error = restore(&["days_0"], &[], RestoreMode::Create).unwrap_err();
    assert!(error.to_string().contains("is violated by some row"), "{error}");
    to.psql("CREATE TABLE days_0 PARTITION OF days FOR VALUES WITH (MODULUS 3, REMAINDER 0)");
    let after = (contents(&to), to.normalized_schema());
    assert_eq!(after.1, before.1);
    restore(&["days"], &[], RestoreMode::Replace).unwrap();
    assert_eq!((contents(&to), to.normalized_schema()), before);
}

#[test]
fn a_proof_over_partitions_together_sees_every_change() {
    let Some(server) = server(oldest()) else { return };
    let from = server.database("hashed proof");
    from.psql(HASHED);
    let kept = Kept::new();
    kept.dump(&from, &Selection::everything(), 1);
    for (at, (change, result)) in [
        ("NEW.n := NEW.n + 1", "NEW"),
        ("IF NEW.n = 7 THEN NEW.note := NEW.note || ' '; END IF", "NEW"),
        ("IF NEW.n = 8 THEN INSERT INTO public.days VALUES (NEW.mood, NEW.at, -8, NEW.note); END IF", "NEW"),
    ]
    .iter()
    .enumerate()
    {
        // What a trigger of the database does to tables as they are made is what a faulty server or a clever rule would do.
        let to = server.database(&format!("hashed proof {at}"));
        to.psql(&format!(
            "CREATE FUNCTION public.meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {change}; RETURN {result}; END $$;
             CREATE FUNCTION public.on_table() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'meddles') AND EXISTS (SELECT FROM pg_class WHERE relname = 'days') THEN
                     CREATE TRIGGER meddles BEFORE INSERT ON public.days FOR EACH ROW EXECUTE FUNCTION public.meddle();
                 END IF; END $$;
             CREATE EVENT TRIGGER meddling ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.on_table()"
        ));
        let error = kept.restore(&to, &PostgresRestoreOptions::default()).unwrap_err();
        assert!(error.is_not_proven() || error.to_string().contains("rows were sent"), "{change}: {error}");
        assert_eq!(to.psql("SELECT count(*) FROM pg_class WHERE relname LIKE 'days%'").trim(), "0", "{change}");
    }
}

#[test]
fn texts_of_a_range_go_where_another_collation_says() {
    // Databases have ICU's collations since 15.
    if let Some(server) = server(oldest())
        && server.major() >= 15
    {
        let from = server.database_with("ranged", "TEMPLATE template0 LOCALE 'C' ENCODING 'UTF8'");
        from.psql(
            "CREATE TABLE names (name text, n integer) PARTITION BY RANGE (name);
             CREATE TABLE names_1 PARTITION OF names FOR VALUES FROM (MINVALUE) TO ('a');
             CREATE TABLE names_2 PARTITION OF names FOR VALUES FROM ('a') TO (MAXVALUE);
             INSERT INTO names VALUES ('Zoe', 1), ('adam', 2), ('Bo', 3), ('é', 4), ('0', 5);",
        );
        let kept = Kept::new();
        kept.dump(&from, &Selection::everything(), 1);
        let icu = "TEMPLATE template0 LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en' ENCODING 'UTF8'";
        let to = server.database_with("ranged back", icu);
        let error = kept.restore(&to, &PostgresRestoreOptions::default()).unwrap_err();
        assert!(error.is_database() && error.to_string().contains("violates partition constraint"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("--by-root")), "{error:?}");
        let mut options = PostgresRestoreOptions::default();
        options.by_root = true;
        let report = kept.restore(&to, &options).unwrap();
        assert!(
            told(&report).contains("restored by the root \"names\": \"names_1\", \"names_2\""),
            "{}",
            told(&report)
        );
        assert_eq!(whole(&to, "names"), whole(&from, "names"));
        assert_eq!(counts(&to, &["names_1", "names_2"]), ["1\n", "4\n"]);
        options.mode = RestoreMode::Append;
        assert!(kept.restore(&to, &options).unwrap_err().is_request());
    }
}

#[test]
fn rows_that_are_too_old_are_left_out_of_every_partition() {
    let Some(server) = server(oldest()) else { return };
    let from = server.database("hashed ruled");
    from.psql(HASHED);
    let kept = Kept::new();
    let filter = Filter::Where { expression: "n % 5 <> 0".into() };
    kept.dump_filtered(&from, &Selection::everything(), 1, &[("days_0", filter.clone()), ("days_1", filter)]);
    let to = server.database("hashed ruled back");
    to.psql(HISTORY);
    let mut options = PostgresRestoreOptions::default();
    let rule = Expire { column: "at".into(), age: 24 * 3_600_000_000 * 320, instant: 1_764_000_000_000_000 };
    options.expire = ["days_0", "days_1"].map(|name| (name.to_owned(), rule.clone())).into();
    let report = kept.restore(&to, &options).unwrap();
    assert!(report.tables.iter().any(|table| table.expired > 0));
    let wanted: u64 = report.tables.iter().filter(|table| table.name.starts_with("days")).map(|table| table.rows).sum();
    assert_eq!(to.psql("SELECT count(*) FROM days").trim(), wanted.to_string());
    assert!(wanted < 3500 && wanted > 100, "{wanted}");
}

#[test]
fn definitions_alone_ask_for_no_root() {
    let Some(server) = server(oldest()) else { return };
    let from = server.database("hashed schema");
    from.psql(HASHED);
    let kept = Kept::new();
    kept.dump(&from, &Selection::everything(), 1);
    let to = server.database("hashed schema back");
    let mut options = PostgresRestoreOptions::default();
    options.part = Part::Schema;
    let report = kept.restore(&to, &options).unwrap();
    assert!(report.plan.by_root.is_empty());
    assert_eq!(to.normalized_schema(), from.normalized_schema());
}
