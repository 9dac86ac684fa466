//! Traps of `traps.rs` that lie in values: none of them comes back as something else.

use tabark::restore::RestoreMode;
use tabark::restore::postgres::PostgresRestoreOptions;
use tabark::selection::Selection;

use super::postgres::{contents, servers};
use super::scene::Kept;
use super::traps::{assert_answers, comes_back};
use super::whole::round_trip;

#[test]
fn numbers_that_are_none_and_numbers_of_a_hundred_thousand_digits() {
    let script = "
        CREATE TABLE t (id integer PRIMARY KEY, n numeric, d double precision, r real);
        INSERT INTO t VALUES (1, 'NaN', 'NaN', 'NaN'), (2, NULL, 'Infinity', 'Infinity'), (3, NULL, '-Infinity', '-Infinity'),
            (4, 0, '-0', '-0'), (5, repeat('9', 131072)::numeric, '4.9406564584124654e-324', '1e-45'),
            (6, ('-0.' || repeat('1', 16383))::numeric, '1.7976931348623157e308', '3.4028235e38'), (7, 1.10, 0.1, 0.1);
        DO $$ BEGIN
            IF current_setting('server_version_num')::integer >= 140000 THEN UPDATE t SET n = d::numeric WHERE id IN (2, 3); END IF;
        END $$;";
    comes_back("digits", script, |from, to, _| {
        assert_answers(
            from,
            to,
            "SELECT id, length(n::text), float8send(d), float4send(r), scale(n) FROM t ORDER BY id",
        );
    });
}

#[test]
fn times_and_money_do_not_depend_on_settings() {
    let script = "
        CREATE TABLE t (d date, t timestamp, z timestamptz, i interval, c timetz, m money, b bytea, f float8);
        INSERT INTO t VALUES ('infinity', '-infinity', 'infinity', '1 mon -1 day 00:00:01', '24:00-15:59', '-1.05', '\\x00ff', 0.1),
            ('0044-03-15 BC', '4713-11-24 00:00 BC', '0001-01-01 00:00+00 BC', '-178000000 years', '00:00+05:45', '92233720368547758.07', '', 1e-310),
            ('2026-02-01', '2026-02-01 01:02:03.000001', '2026-10-25 01:30+02', '1.5 hours', '12:00:00.000001+00', '0', '\\x5c', '-0');";
    for server in servers() {
        let (from, to) = (server.database("settings"), server.database("settings back"));
        from.psql(script);
        let plain = Kept::new();
        plain.dump(&from, &Selection::everything(), 1);
        from.set_odd_defaults();
        to.set_odd_defaults();
        let odd = round_trip(&from, &to);
        assert_eq!(odd.fingerprints(), plain.fingerprints());
    }
}

#[test]
fn types_are_known_by_name_and_enums_keep_their_order() {
    let script = "
        CREATE TYPE mood AS ENUM ('fine', 'bad'); ALTER TYPE mood ADD VALUE 'worst' BEFORE 'fine';
        CREATE TYPE pair AS (a mood, b mood[]); CREATE DOMAIN short AS varchar(5) CHECK (VALUE <> '');
        CREATE TABLE t (id integer PRIMARY KEY, m mood, ms mood[], p pair, ps pair[], s short, ss short[]);
        INSERT INTO t VALUES (1, 'bad', '{worst,fine,NULL}', '(fine,\"{bad,NULL}\")', ARRAY['(,)']::pair[], 'abc', '{a,NULL}');
        CREATE INDEX by_mood ON t (m);";
    comes_back("named types", script, |from, to, kept| {
        let numbers = "SELECT string_agg(oid::text, ' ' ORDER BY typname) FROM pg_type WHERE typname IN ('mood', 'pair', 'short')";
        assert_ne!(from.psql(numbers), to.psql(numbers));
        assert_eq!(to.psql("SELECT enum_range(NULL::mood); SELECT 'worst'::mood < 'fine'"), "{worst,fine,bad}\nt\n");
        // Into a table that is there, with types of other numbers yet again.
        let other = to.server.database("named types again");
        let script = script
            .replace("INSERT", "--")
            .replace("CREATE TYPE mood AS", "CREATE TYPE zero AS ENUM (); CREATE TYPE mood AS");
        other.psql(&script);
        kept.restore(&other, &PostgresRestoreOptions::default().mode(RestoreMode::Append)).unwrap();
        assert_eq!(contents(&other), contents(from));
    });
}

#[test]
fn arrays_keep_dimensions_bounds_and_nulls() {
    let script = r#"
        CREATE TABLE t (id integer PRIMARY KEY, n integer[], w text[], r int4range[], j jsonb[]);
        INSERT INTO t VALUES (1, '[-2:0]={1,NULL,3}', '{"NULL",NULL,"","a,b","{}"}', '{empty,"(,5)",NULL}', '{"{\"a\": null}",NULL}'),
            (2, '[0:1][5:6][-1:-1]={{{1},{2}},{{3},{NULL}}}', '{}', '{}', '{}'), (3, '{{1,2},{3,4}}', '[5:5]={x}', NULL, NULL);
        DO $$ BEGIN
            IF current_setting('server_version_num')::integer >= 140000 THEN
                ALTER TABLE t ADD m int4multirange;
                UPDATE t SET m = CASE id WHEN 1 THEN '{[1,3),[5,)}' WHEN 2 THEN '{}' END::int4multirange;
            END IF;
        END $$;"#;
    comes_back("bounds", script, |from, to, _| {
        assert_answers(from, to, "SELECT array_dims(n), t::text FROM t ORDER BY id");
        assert_eq!(to.psql("SELECT n[-1] IS NULL, n[0], array_ndims(n) FROM t WHERE id = 1"), "t|3|1\n");
    });
}

#[test]
fn large_values_come_back() {
    let script = "
        CREATE TABLE t (id integer PRIMARY KEY, b bytea, w text);
        INSERT INTO t SELECT n, decode(repeat('005c27ff', 2500000 * n), 'hex'), repeat(md5(n::text) || E'\\\\', 200000) FROM generate_series(1, 2) AS n;";
    comes_back("large values", script, |from, to, _| {
        assert_answers(from, to, "SELECT id, length(b), md5(b), length(w), md5(w) FROM t ORDER BY id");
    });
}
