//! What a role that dumps and restores has set for itself changes no byte.

use std::num::NonZero;

use tabark::archive::SnapshotSelector;
use tabark::dump::dump;
use tabark::postgres::settings::ConnectionSettings;
use tabark::restore::RestoreMode;
use tabark::restore::postgres::{PostgresRestoreOptions, restore};
use tabark::selection::Selection;
use tabark::source::Source as _;
use tabark::source::postgres::{PostgresOptions, PostgresSource};

use super::postgres::{Database, load_everything, servers};
use super::scene::{Kept, assert_same_catalog, catalog, dump_options};
use super::whole::{assert_same, empty};

/// Each is the opposite of what a dump and a restore must have, and some of them would stop both.
const DEFAULTS: &str = "
    DateStyle = 'German, DMY'; IntervalStyle = 'sql_standard'; TimeZone = 'Asia/Kathmandu'; extra_float_digits = -15; bytea_output = 'escape';
    xmloption = 'document'; xmlbinary = 'hex'; lc_monetary = 'C'; search_path = 'odd', 'public', 'pg_catalog'; quote_all_identifiers = on;
    standard_conforming_strings = off; backslash_quote = on; escape_string_warning = off; array_nulls = off; transform_null_equals = on;
    client_encoding = 'LATIN1'; row_security = on; default_transaction_read_only = on; default_transaction_isolation = 'serializable';
    default_transaction_deferrable = on; statement_timeout = '3s'; lock_timeout = '1ms'; idle_in_transaction_session_timeout = '3s';
    check_function_bodies = on; synchronize_seqscans = on; default_table_access_method = 'tbk_method';
    session_replication_role = 'replica'; event_triggers = off";

/// Sets them for a role: as often as not, for one database alone.
fn set(database: &Database<'_>, role: &str) {
    let quoted = database.name.replace('"', "\"\"");
    for (at, setting) in DEFAULTS.split(';').map(str::trim).filter(|setting| setting.contains('=')).enumerate() {
        let place = if at % 2 == 0 { String::new() } else { format!(" IN DATABASE \"{quoted}\"") };
        let told = database.try_psql(&format!("ALTER ROLE {role}{place} SET {setting}"));
        // Not every version knows all of them.
        assert!(told.is_ok() || setting.starts_with("event_triggers"), "{told:?}");
    }
}

#[test]
fn defaults_of_the_role_change_no_byte() {
    for server in servers() {
        let from = server.database("of a role");
        load_everything(&from);
        from.psql("DROP TABLE parts.by_hash_of_mood; CREATE SCHEMA odd");
        let _ = from.try_psql("CREATE ROLE tbk_odd SUPERUSER LOGIN");
        let to = empty(server, "of a role back");
        let as_role = |database: &Database<'_>, user: &str| ConnectionSettings::parse(&database.url_as(user)).unwrap();
        let dumped = |user: &str| {
            let options = PostgresOptions::default().connections(NonZero::new(2).unwrap());
            let source = PostgresSource::open(&as_role(&from, user), &Selection::everything(), options, &()).unwrap();
            let kept = Kept::new();
            let mut options = dump_options(&[]);
            options.archive = options.archive.with_archive_id([7; 16]);
            dump(&source, &kept.path(), &options, &()).unwrap();
            (kept, source.catalog().clone())
        };
        let (plain, plain_catalog) = dumped("postgres");
        set(&from, "tbk_odd");
        set(&to, "tbk_odd");
        let (odd, odd_catalog) = dumped("tbk_odd");
        assert_same_catalog(&plain_catalog, &odd_catalog);
        assert_eq!(plain.fingerprints(), odd.fingerprints());
        assert!(std::fs::read(plain.path()).unwrap() == std::fs::read(odd.path()).unwrap(), "of {}", server.major());

        let archive = odd.open();
        let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
        let options = PostgresRestoreOptions::default();
        let report = restore(&snapshot, &as_role(&to, "tbk_odd"), &options, &()).unwrap();
        assert!(report.tables.iter().all(|table| table.proved));
        from.psql("ALTER ROLE tbk_odd RESET ALL");
        assert_same(&from, &to);
        assert_same_catalog(&catalog(&from), &catalog(&to));
    }
}

#[test]
fn a_role_whose_triggers_sleep_adds_no_rows_that_refer_to_nothing() {
    for server in servers() {
        let from = server.database("of a replica");
        from.psql(
            "CREATE TABLE a (id integer PRIMARY KEY); INSERT INTO a VALUES (1), (2);
             CREATE TABLE b (id integer PRIMARY KEY, a integer REFERENCES a); INSERT INTO b VALUES (1, 1), (2, 2);",
        );
        let kept = Kept::new();
        kept.dump(&from, &Selection::everything(), 1);
        let _ = from.try_psql("CREATE ROLE tbk_replica SUPERUSER LOGIN");
        from.psql("ALTER ROLE tbk_replica SET session_replication_role = 'replica'; DELETE FROM b; DELETE FROM a WHERE id = 2");
        let settings = ConnectionSettings::parse(&from.url_as("tbk_replica")).unwrap();
        let archive = kept.open();
        let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
        for mode in [RestoreMode::Append, RestoreMode::Upsert] {
            let options = PostgresRestoreOptions::default().tables(Selection::new(&["b"], &[]).unwrap()).mode(mode);
            let refused = restore(&snapshot, &settings, &options, &()).unwrap_err();
            assert!(refused.to_string().contains("b_a_fkey"), "{refused}");
            assert_eq!(from.psql("SELECT count(*) FROM b"), "0\n");
        }
    }
}
