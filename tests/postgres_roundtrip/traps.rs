//! What dumps and restores of other tools got wrong: each trap is a test of that name, here or where this says.
//!
//! | trap | test |
//! |---|---|
//! | connections that read different instants | `any_number_of_connections_gives_the_same_snapshot`, `writers_during_a_dump_move_money_and_none_is_lost` |
//! | a dump that waits for ever, or stands in the way of those who wait | `a_lock_that_somebody_holds_is_named_when_dumping`, `who_waits_behind_the_dump_does_not_stop_its_other_connections` |
//! | a table that becomes a view in the middle of a dump (CVE-2024-7348) | `tables_that_change_between_discovery_and_lock` |
//! | functions and operators that stand in for the system's (CVE-2018-1058) | `names_that_others_put_into_a_schema_are_not_called` |
//! | names that begin lines, or end quotes (CVE-2025-8714) | `names_that_are_statements_stay_names` |
//! | rows that a policy hides | `a_role_that_sees_less_is_refused_never_dumped_silently` |
//! | numbers given out twice, or refused by an identity | `sequences_that_descend_cycle_or_are_exhausted_go_on_as_before`, `identities_take_the_numbers_of_the_snapshot` |
//! | generated columns that are written | `generated_columns_are_computed_again` |
//! | columns that were dropped, tables without columns and of 1,600 | `dropped_columns_no_columns_and_too_many_columns` |
//! | rows of a child that are read with those of its parent, too | `parents_are_read_without_their_children` |
//! | unlogged, foreign and temporary tables | `unlogged_tables_are_kept_foreign_ones_named_and_temporary_ones_nobody_elses` |
//! | materialized views that are filled before what they read | `materialized_views_are_filled_after_what_they_read` |
//! | numbers that are none, or too long | `numbers_that_are_none_and_numbers_of_a_hundred_thousand_digits` |
//! | dates without end, and values whose form a setting decides | `times_and_money_do_not_depend_on_settings`, `defaults_of_the_role_change_no_byte` |
//! | enums in the order of their making, and types by their numbers | `types_are_known_by_name_and_enums_keep_their_order` |
//! | arrays with bounds of their own and nulls | `arrays_keep_dimensions_bounds_and_nulls` |
//! | types of extensions, and what users put into their tables | `everything_comes_back_on_every_version`, `rows_of_users_in_tables_of_extensions_are_kept` |
//! | bytes that COPY as text doubles | `large_values_come_back` |
//! | columns of COPY BINARY that have no names | `columns_in_another_order_are_filled_by_name`, `drift_is_found_before_anything_is_touched` |
//! | foreign keys in a circle, not valid or deferred | `foreign_keys_in_a_circle_not_valid_and_deferred` |
//! | triggers that stay disabled after an interrupt | `an_interrupt_leaves_archive_and_target_as_they_were`, `triggers_do_not_fire_and_are_as_they_were_after_it` |
//! | databases that hold any bytes | `sql_ascii_databases_come_back_byte_by_byte` |
//! | collations that sort otherwise elsewhere | `the_order_of_a_collation_decides_nothing` |
//! | what is left out in silence | `what_is_not_kept_is_named` |
//! | code that a restore brings along unseen | `code_that_will_run_is_told_before_it_does` |
//! | a long snapshot that holds back vacuum unseen | `how_long_a_dump_held_back_vacuum_is_told` |
//! | an archive cut short that passes for a backup | `a_cut_at_any_length_leaves_the_last_commit_or_is_reported`, `a_new_archive_is_there_whole_or_not_at_all` |
//! | damage found after the target was changed, in definitions too | `a_damaged_archive_is_refused_before_the_target_is_changed`, `every_flipped_byte_is_reported` |
//! | failed checks that end with success | `damage_stops_a_restore_before_it_begins` |
//! | a false alarm after a table got another name | `tables_go_into_another_schema_and_get_other_names` |
//! | an archive that is pruned under its reader | `who_reads_the_old_file_goes_on_reading_it` |
//! | an erased person that comes back | `copies_from_before_are_not_restored` |
//! | an archive that lies about lengths, counts and references | `every_vector_is_read_or_refused_as_it_says` |
//! | an option that is misspelt and ignored | `misspelt_commands_and_options_are_errors` |

use tabark::archive::SnapshotSelector;
use tabark::restore::RestoreMode;
use tabark::restore::postgres::{PostgresRestoreOptions, plan};
use tabark::selection::Selection;

use super::postgres::{Database, contents, load_everything, load_wide, oldest, server, servers};
use super::scene::{Kept, catalog, settings};
use super::whole::{assert_same, round_trip};

/// Every test that the table names is there.
#[test]
fn the_table_of_traps_names_tests() {
    let root = super::tree::root();
    let table = std::fs::read_to_string(root.join("tests/postgres_roundtrip/traps.rs")).unwrap();
    let (mut sources, mut folders) = (String::new(), vec![root.join("tests"), root.join("format/src")]);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    let rows = table.lines().filter(|line| line.starts_with("//! | ")).skip(1);
    let names = rows.flat_map(|line| line.rsplit_once(" | `").unwrap().1.split('`').step_by(2));
    let names: Vec<&str> = names.filter(|name| !name.contains(' ')).collect();
    let missing: Vec<&&str> = names.iter().filter(|name| !sources.contains(&format!("fn {name}()"))).collect();
    assert!(names.len() > 40 && missing.is_empty(), "{missing:?} of {}", names.len());
}

/// What a script makes, there and back on each version, judged by everybody.
pub(super) fn comes_back(name: &str, script: &str, more: impl Fn(&Database<'_>, &Database<'_>, &Kept)) {
    for server in servers() {
        let (from, to) = (server.database(name), server.database(&format!("{name} back")));
        from.psql(script);
        let kept = round_trip(&from, &to);
        more(&from, &to, &kept);
    }
}

/// Both say the same to a query, be it an error.
#[track_caller]
pub(super) fn assert_answers(from: &Database<'_>, to: &Database<'_>, sql: &str) {
    assert_eq!(to.try_psql(sql), from.try_psql(sql), "{sql}");
}

#[test]
fn names_that_others_put_into_a_schema_are_not_called() {
    let script = "
        CREATE FUNCTION public.trapped() RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
        CREATE FUNCTION public.format_type(oid, integer) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
        CREATE FUNCTION public.pg_get_expr(pg_node_tree, oid) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
        CREATE FUNCTION public.current_setting(text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
        CREATE FUNCTION public.count(anyelement) RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
        CREATE FUNCTION public.lower(varchar) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN 'our own'; END$$;
        CREATE FUNCTION public.same(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
        CREATE FUNCTION public.same(text, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
        CREATE FUNCTION public.same(name, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
        CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = public.same);
        CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.same);
        CREATE OPERATOR public.<> (LEFTARG = name, RIGHTARG = text, FUNCTION = public.same);
        CREATE VIEW public.pg_class AS SELECT public.trapped() AS oid;
        CREATE TABLE public.t (id integer PRIMARY KEY, word varchar(20), other text DEFAULT pg_catalog.lower('X'));
        CREATE INDEX ours ON public.t (public.lower(word));
        CREATE INDEX the_systems ON public.t (pg_catalog.lower(word));
        INSERT INTO public.t VALUES (1, 'A'), (2, 'B');";
    for server in servers() {
        let (from, to) = (server.database("trapped"), server.database("trapped back"));
        from.psql(script);
        for database in [&from, &to] {
            database.psql(&format!("ALTER DATABASE \"{}\" SET search_path = public, pg_catalog", database.name));
        }
        let kept = round_trip(&from, &to);
        let indexes = "SET search_path = ''; SELECT pg_get_indexdef(indexrelid) FROM pg_catalog.pg_index WHERE indexrelid::regclass::text \
                       OPERATOR(pg_catalog.~) 'public' ORDER BY 1";
        assert_answers(&from, &to, indexes);
        // The other ways into a target that has such names already.
        for mode in [RestoreMode::Replace, RestoreMode::Upsert] {
            let options = PostgresRestoreOptions::default().tables(Selection::new(&["t"], &[]).unwrap()).mode(mode);
            kept.restore(&to, &options).unwrap();
        }
        assert_same(&from, &to);
    }
}

#[test]
fn names_that_are_statements_stay_names() {
    let name = "x\n\\! touch /tmp/x\n; DROP TABLE kept; --\"\"'$$";
    let script = format!(
        "CREATE TABLE kept (id integer); INSERT INTO kept VALUES (1);
         CREATE SCHEMA \"{name}\"; CREATE TYPE \"{name}\".\"m{name}\" AS ENUM ('a', '''; DROP TABLE kept; --');
         CREATE TABLE \"{name}\".\"{name}\" (\"{name}\" \"{name}\".\"m{name}\" PRIMARY KEY, other integer,
             CONSTRAINT \"c{name}\" CHECK (other > 0));
         CREATE INDEX \"i{name}\" ON \"{name}\".\"{name}\" (other);
         COMMENT ON TABLE \"{name}\".\"{name}\" IS 'a
\\! touch /tmp/x
; DROP TABLE kept; --';
         INSERT INTO \"{name}\".\"{name}\" VALUES ('a', 1);"
    );
    comes_back("statements", &script, |_, to, _| assert_eq!(to.psql("SELECT count(*) FROM kept").trim(), "1"));
}

#[test]
fn sequences_that_descend_cycle_or_are_exhausted_go_on_as_before() {
    for server in servers() {
        let (from, to) = (server.database("sequences"), server.database("sequences back"));
        let folder = super::tree::root().join("tests/postgres/everything");
        for part in ["10_schemas.sql", "40_sequences.sql"] {
            from.psql_file(&folder.join(part));
        }
        round_trip(&from, &to);
        let names = from.psql("SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences ORDER BY 1");
        assert!(names.lines().count() > 15, "{names}");
        for name in names.lines() {
            for _ in 0..3 {
                let quoted = name.replace('\'', "''");
                assert_answers(&from, &to, &format!("SELECT nextval('{quoted}')"));
            }
        }
        let owned = "SELECT a.attrelid::regclass::text, a.attname, d.objid::regclass::text, d.deptype FROM pg_depend d JOIN pg_attribute a ON \
                     a.attrelid = d.refobjid AND a.attnum = d.refobjsubid WHERE d.classid = 1259 AND d.deptype IN ('a', 'i') AND \
                     d.objid IN (SELECT seqrelid FROM pg_sequence) ORDER BY 1, 2, 3";
        assert_answers(&from, &to, owned);
    }
}

#[test]
fn identities_take_the_numbers_of_the_snapshot() {
    let script = "
        CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY (INCREMENT 10) PRIMARY KEY, w text, n integer GENERATED ALWAYS AS IDENTITY);
        INSERT INTO t (w) VALUES ('a'), ('b'), ('c'); DELETE FROM t WHERE w = 'a';
        INSERT INTO t (id, w) OVERRIDING SYSTEM VALUE VALUES (-5, 'd'), (1000, 'e');";
    comes_back("identities", script, |from, to, kept| {
        for mode in [RestoreMode::Append, RestoreMode::Upsert] {
            to.psql(if mode == RestoreMode::Append {
                "DELETE FROM t"
            } else {
                "UPDATE t SET w = 'x'; DELETE FROM t WHERE id = 11"
            });
            kept.restore(to, &PostgresRestoreOptions::default().mode(mode)).unwrap();
            assert_eq!(to.psql("TABLE t"), from.psql("TABLE t ORDER BY id"), "{mode:?}");
        }
        // Numbers that the server gave to other rows are not changed, nor believed to be the snapshot's.
        to.psql("DELETE FROM t WHERE id = 11; INSERT INTO t (id, n, w) OVERRIDING SYSTEM VALUE VALUES (11, 77, 'b')");
        let refused = kept.restore(to, &PostgresRestoreOptions::default().mode(RestoreMode::Upsert)).unwrap_err();
        assert!(refused.is_request() && refused.to_string().contains("\"n\""), "{refused}");
        assert_eq!(to.psql("SELECT n FROM t WHERE id = 11"), "77\n");
        assert!(to.try_psql("INSERT INTO t (id) VALUES (7)").unwrap_err().contains("GENERATED ALWAYS"));
    });
}

#[test]
fn generated_columns_are_computed_again() {
    let script = "
        CREATE TABLE t (a integer PRIMARY KEY, twice integer GENERATED ALWAYS AS (a * 2) STORED, b text, c text GENERATED ALWAYS AS (b || a) STORED);
        INSERT INTO t (a, b) SELECT n, 'w' || n FROM generate_series(1, 50) AS n;";
    comes_back("generated", script, |from, to, kept| {
        let archive = kept.open();
        let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
        let table = snapshot.table("t").unwrap();
        assert_eq!(table.schema().columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        for mode in [RestoreMode::Append, RestoreMode::Upsert, RestoreMode::Replace] {
            to.psql("DELETE FROM t WHERE a > 10 OR b < 'w3'; UPDATE t SET b = 'x'");
            if mode == RestoreMode::Append {
                to.psql("DELETE FROM t");
            }
            kept.restore(to, &PostgresRestoreOptions::default().mode(mode)).unwrap();
            assert_eq!(contents(to), contents(from), "{mode:?}");
        }
    });
}

#[test]
fn dropped_columns_no_columns_and_too_many_columns() {
    for server in servers() {
        let (from, to) = (server.database("columns"), server.database("columns back"));
        load_wide(&from);
        from.psql(
            "CREATE TABLE none (); INSERT INTO none DEFAULT VALUES; INSERT INTO none DEFAULT VALUES;
             CREATE TABLE fewer (a integer, b text, c date); INSERT INTO fewer VALUES (1, 'b', '2026-01-31');
             ALTER TABLE fewer DROP COLUMN b, ADD COLUMN d text DEFAULT 'd', DROP COLUMN a;",
        );
        let kept = round_trip(&from, &to);
        to.psql("DELETE FROM fewer; DELETE FROM none; INSERT INTO none DEFAULT VALUES");
        let options = PostgresRestoreOptions::default().tables(Selection::new(&["fewer"], &[]).unwrap());
        kept.restore(&to, &options.mode(RestoreMode::Append)).unwrap();
        let options = PostgresRestoreOptions::default().tables(Selection::new(&["none"], &[]).unwrap());
        kept.restore(&to, &options.mode(RestoreMode::Replace)).unwrap();
        assert_same(&from, &to);
    }
}

#[test]
fn parents_are_read_without_their_children() {
    let script = "
        CREATE TABLE parent (id integer PRIMARY KEY, name text); CREATE TABLE child (toy text) INHERITS (parent);
        INSERT INTO parent VALUES (1, 'p'); INSERT INTO child VALUES (2, 'c', 'ball'), (3, 'd', 'doll');";
    comes_back("parents", script, |_, to, kept| {
        assert_eq!(to.psql("SELECT count(*) FROM parent; SELECT count(*) FROM ONLY parent"), "3\n1\n");
        let archive = kept.open();
        let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
        let rows = |name: &str| snapshot.table(name).unwrap().manifest().rows;
        assert_eq!((rows("parent"), rows("child")), (1, 2));
    });
}

#[test]
fn unlogged_tables_are_kept_foreign_ones_named_and_temporary_ones_nobody_elses() {
    let script = "
        CREATE UNLOGGED TABLE fast (id integer PRIMARY KEY); INSERT INTO fast VALUES (1);
        CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE far (id integer) SERVER s;";
    for server in servers() {
        let (from, to) = (server.database("kinds of tables"), server.database("kinds of tables back"));
        from.psql(script);
        let mut other = from.session();
        other.run("CREATE TEMPORARY TABLE passing (id integer); INSERT INTO passing VALUES (1)");
        let found = catalog(&from);
        assert_eq!(found.tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["fast"]);
        assert!(found.omitted.iter().any(|omission| omission.what == "foreign table \"far\""), "{:?}", found.omitted);
        round_trip(&from, &to);
        assert_eq!(to.psql("SELECT relpersistence FROM pg_class WHERE relname = 'fast'"), "u\n");
    }
}

#[test]
fn materialized_views_are_filled_after_what_they_read() {
    let script = "
        CREATE TABLE t (n integer); INSERT INTO t VALUES (1), (2);
        CREATE MATERIALIZED VIEW z AS SELECT n FROM t; CREATE VIEW between AS SELECT n * 10 AS n FROM z;
        CREATE MATERIALIZED VIEW m AS SELECT sum(n) AS n FROM between; CREATE MATERIALIZED VIEW a AS SELECT n + 1 AS n FROM m;
        CREATE MATERIALIZED VIEW empty AS SELECT 1 / (SELECT count(*) FROM t) AS n WITH NO DATA;
        CREATE UNIQUE INDEX ON a (n);";
    let script = script.replace(" between", " \"between\"");
    comes_back("filled", &script, |_, to, _| {
        assert_eq!(to.psql("SELECT n FROM a"), "31\n");
        assert!(to.try_psql("SELECT n FROM empty").unwrap_err().contains("has not been populated"));
    });
}

#[test]
fn columns_in_another_order_are_filled_by_name() {
    let script = "
        CREATE TABLE t (a integer PRIMARY KEY, b integer, c text, d text);
        INSERT INTO t SELECT n, -n, 'c' || n, 'd' || n FROM generate_series(1, 100) AS n;";
    comes_back("another order", script, |from, to, kept| {
        for mode in [RestoreMode::Append, RestoreMode::Upsert] {
            to.psql("DROP TABLE t; CREATE TABLE t (d text, gone integer, b integer, more text DEFAULT 'more', c text, a integer PRIMARY KEY); ALTER TABLE t DROP gone");
            kept.restore(to, &PostgresRestoreOptions::default().mode(mode)).unwrap();
            assert_eq!(
                to.psql("SELECT a, b, c, d FROM t ORDER BY a"),
                from.psql("SELECT a, b, c, d FROM t ORDER BY a")
            );
            assert_eq!(to.psql("SELECT DISTINCT more FROM t"), "more\n");
        }
    });
}

#[test]
fn foreign_keys_in_a_circle_not_valid_and_deferred() {
    let script = "
        CREATE TABLE hens (id integer PRIMARY KEY, egg integer); CREATE TABLE eggs (id integer PRIMARY KEY, hen integer REFERENCES hens);
        INSERT INTO hens VALUES (1, 1), (2, 2); INSERT INTO eggs VALUES (1, 2), (2, 1);
        ALTER TABLE hens ADD CONSTRAINT of_egg FOREIGN KEY (egg) REFERENCES eggs;
        CREATE TABLE orphans (id integer PRIMARY KEY, hen integer); INSERT INTO orphans VALUES (1, 99);
        ALTER TABLE orphans ADD CONSTRAINT not_looked_at FOREIGN KEY (hen) REFERENCES hens NOT VALID;
        CREATE TABLE later (id integer PRIMARY KEY, up integer REFERENCES later DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO later VALUES (1, 2), (2, 1);";
    comes_back("circles", script, |from, to, _| {
        let keys = "SELECT conname, convalidated, condeferrable, condeferred FROM pg_constraint WHERE contype = 'f' ORDER BY 1";
        assert_answers(from, to, keys);
        assert!(to.try_psql("INSERT INTO orphans VALUES (2, 98)").is_err());
    });
}

/// Hosts sort texts in different orders: the snapshot of the same rows is the same.
#[test]
fn the_order_of_a_collation_decides_nothing() {
    let script = |collation: &str| {
        format!(
            "CREATE TABLE t (w text COLLATE \"{collation}\" PRIMARY KEY, n integer);
             INSERT INTO t VALUES ('a', 1), ('B', 2), ('ä', 3), ('a b', 4), ('ab', 5), ('Z', 6), ('', 7), ('a-b', 8), ('É', 9), ('e', 10);
             INSERT INTO t SELECT md5(n::text), n FROM generate_series(1, 3000) AS n;"
        )
    };
    for server in servers() {
        let of = |name: &str, collation: &str| {
            let from = server.database(name);
            from.psql(&script(collation));
            // The library of the host has sorted in another order before.
            from.psql("UPDATE pg_collation SET collversion = '0' WHERE collname = 'en-x-icu'");
            if server.major() >= 15 {
                from.psql("UPDATE pg_database SET datcollversion = '0' WHERE datname = current_database()");
            }
            let kept = round_trip(&from, &server.database(&format!("{name} back")));
            kept.fingerprints().remove("t").unwrap()
        };
        let plain = of("sorted by bytes", "C");
        let icu =
            server.existing_database("postgres").psql("SELECT count(*) FROM pg_collation WHERE collname = 'en-x-icu'");
        if icu.trim() == "1" {
            assert_eq!(of("sorted by rules", "en-x-icu"), plain);
        }
    }
}

#[test]
fn what_is_not_kept_is_named() {
    for server in servers() {
        let from = server.database("not kept");
        load_everything(&from);
        from.psql("ALTER DATABASE \"not kept\" SET work_mem = '5MB'");
        let told: Vec<String> = catalog(&from).omitted.into_iter().map(|omission| omission.what).collect();
        for what in [
            "large objects \"1\"",
            "event trigger \"tbk_on_ddl\"",
            "publication \"tbk_all\"",
            "subscription \"tbk_subscription\"",
            "foreign data wrapper \"tbk_wrapper\"",
            "foreign server \"tbk_server\"",
            "user mapping \"tbk_reader on tbk_server\"",
            "foreign table \"left_out.far_away\"",
            "conversion \"left_out.conversion\"",
            "transform \"integer for sql\"",
            "access method \"tbk_method\"",
            "grants on language \"plpgsql\"",
            "settings of the database \"work_mem=5MB\"",
        ] {
            assert!(told.iter().any(|told| told == what), "{what}: {told:#?}");
        }
    }
}

/// What users put into a table that belongs to an extension is kept, beside what the extension itself puts there.
#[test]
fn rows_of_users_in_tables_of_extensions_are_kept() {
    let Some(server) = server(oldest()) else { return };
    let from = server.database("of extensions");
    if from.psql("SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'") == "0\n" {
        super::note::note("skipped: PostGIS is not installed; tests/run installs it");
        return;
    }
    from.psql(
        "CREATE SCHEMA gis; CREATE EXTENSION postgis SCHEMA gis; CREATE TABLE t (id integer PRIMARY KEY, g gis.geometry(Point, 990001));
         INSERT INTO gis.spatial_ref_sys (srid, auth_name, auth_srid, proj4text) VALUES (990001, 'ours', 1, 'a'), (990002, 'ours', 2, 'b');
         INSERT INTO t VALUES (1, 'SRID=990001;POINT(1 2)');",
    );
    let kept = Kept::new();
    kept.dump(&from, &Selection::everything(), 1);
    let options = PostgresRestoreOptions::default;
    let chosen = |pattern: &str| options().tables(Selection::new(&[pattern], &[]).unwrap());
    let ours = |database: &Database<'_>| {
        database.psql("SELECT srid, proj4text FROM gis.spatial_ref_sys WHERE auth_name = 'ours' ORDER BY 1")
    };
    let all = |database: &Database<'_>| database.psql("SELECT count(*) > 5000 FROM gis.spatial_ref_sys");
    let one = server.database("of extensions 1");
    kept.restore(&one, &options()).unwrap();
    assert_same(&from, &one);
    // Where the extension is already, and where rows of users are; over several connections; alone; into another schema.
    let two = server.database("of extensions 2");
    two.psql("CREATE SCHEMA gis; CREATE EXTENSION postgis SCHEMA gis");
    kept.restore(&two, &options()).unwrap();
    assert_same(&from, &two);
    two.psql("DROP TABLE t");
    let refused = kept.restore(&two, &options()).unwrap_err();
    assert!(refused.is_request() && refused.to_string().contains("rows of users already"), "{refused}");
    two.psql("DELETE FROM gis.spatial_ref_sys WHERE srid = 990001; UPDATE gis.spatial_ref_sys SET proj4text = 'x' WHERE srid = 990002");
    for mode in [RestoreMode::Upsert, RestoreMode::Replace] {
        kept.restore(&two, &chosen("gis.spatial_ref_sys").mode(mode)).unwrap();
        assert_eq!((ours(&two), all(&two)), (ours(&from), "t\n".to_owned()), "{mode:?}");
        two.psql("DELETE FROM gis.spatial_ref_sys WHERE srid = 990001; INSERT INTO gis.spatial_ref_sys (srid, auth_name) VALUES (990003, 'ours')");
    }
    kept.restore(&two, &options().mode(RestoreMode::Replace)).unwrap();
    assert_same(&from, &two);
    let three = server.database("of extensions 3");
    let mut parallel = options();
    parallel.connections = std::num::NonZero::new(3).unwrap();
    kept.restore(&three, &parallel).unwrap();
    assert_same(&from, &three);
    let four = server.database("of extensions 4");
    kept.restore(&four, &chosen("gis.spatial_ref_sys")).unwrap();
    assert_eq!((ours(&four), all(&four)), (ours(&from), "t\n".to_owned()));
    let five = server.database("of extensions 5");
    let mut elsewhere = options();
    elsewhere.into_schema = Some("old".into());
    kept.restore(&five, &elsewhere).unwrap();
    assert_eq!((ours(&five), all(&five)), (ours(&from), "t\n".to_owned()));
    assert_eq!(five.psql("SELECT gis.ST_AsText(g) FROM old.t"), "POINT(1 2)\n");
    let mut renamed = options();
    renamed.rename = vec![("gis.spatial_ref_sys".into(), "x".into())];
    let refused = kept.restore(&server.database("of extensions 6"), &renamed).unwrap_err();
    assert!(refused.is_request() && refused.to_string().contains("extension"), "{refused}");
}

#[test]
fn code_that_will_run_is_told_before_it_does() {
    let script = "
        CREATE EXTENSION hstore; CREATE FUNCTION run() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE PROCEDURE too() LANGUAGE sql AS ''; CREATE TABLE t (id integer); CREATE TRIGGER fires BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION run();";
    let Some(server) = server(oldest()) else { return };
    let (from, to) = (server.database("code"), server.database("code back"));
    from.psql(script);
    let kept = Kept::new();
    kept.dump(&from, &Selection::everything(), 1);
    let archive = kept.open();
    let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
    let planned = plan(&snapshot, &settings(&to), &PostgresRestoreOptions::default()).unwrap();
    let told: Vec<String> = planned.code.iter().map(|(kind, name)| format!("{kind} {name}")).collect();
    assert_eq!(told, ["extension hstore", "function run()", "function too()"]);
    assert_eq!(
        to.psql("SELECT count(*) FROM pg_extension; SELECT count(*) FROM pg_class WHERE relname = 't'"),
        "1\n0\n"
    );
}
