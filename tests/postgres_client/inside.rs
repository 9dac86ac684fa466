//! The client on a real server, seen from inside the library: what it does with sessions, COPY, errors and requests to stop.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use self::certificates::Certificates;
use super::*;
use crate::observer::Observer;
use crate::test_servers::note;
use crate::test_servers::postgres::{Options, Server, oldest, server, servers};

#[path = "certificates.rs"]
mod certificates;

/// An observer that asks to stop after a while.
struct StopAfter(Instant, Duration);

impl StopAfter {
    fn milliseconds(milliseconds: u64) -> Self {
        Self(Instant::now(), Duration::from_millis(milliseconds))
    }
}

impl Observer for StopAfter {
    fn is_cancelled(&self) -> bool {
        self.0.elapsed() > self.1
    }
}

fn connect(url: &str) -> Client {
    Client::connect(&ConnectionSettings::parse(url).unwrap()).unwrap()
}

fn one(client: &mut Client, sql: &str) -> String {
    client.value(sql).unwrap().text(0).to_owned()
}

#[test]
fn sessions_are_pinned_whatever_the_database_says() {
    for server in servers() {
        let database = server.database("pinned");
        database.set_odd_defaults();
        let mut client = connect(&database.url());
        assert_eq!(client.version() / 10_000, server.major());
        let newer: &[(&str, &str)] = if server.major() >= 17 { &[("transaction_timeout", "0")] } else { &[] };
        let expected = [
            ("search_path", ""),
            ("DateStyle", "ISO, MDY"),
            ("IntervalStyle", "postgres"),
            ("TimeZone", "UTC"),
            ("extra_float_digits", "3"),
            ("bytea_output", "hex"),
            ("xmloption", "content"),
            ("row_security", "off"),
            ("statement_timeout", "0"),
            ("idle_in_transaction_session_timeout", "0"),
            ("synchronize_seqscans", "off"),
            ("quote_all_identifiers", "off"),
            ("client_encoding", "UTF8"),
            ("default_transaction_isolation", "read committed"),
            ("restrict_nonsystem_relation_kind", "view, foreign-table"),
        ];
        for (name, value) in expected.iter().chain(newer) {
            assert_eq!(one(&mut client, &format!("SHOW {name}")), *value, "{name} on {}", server.major());
        }
        client.set_lock_timeout(Some(Duration::from_millis(70))).unwrap();
        assert_eq!(one(&mut client, "SHOW lock_timeout"), "70ms");
    }
}

/// A database without an encoding holds any bytes: they come as they are, and are marked in rows of texts.
#[test]
fn sql_ascii_gives_bytes_as_they_are() {
    let Some(server) = server(oldest()) else { return };
    let options = "TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'";
    let database = server.database_with("bytes", options);
    let mut client = connect(&database.url());
    assert_eq!(client.encoding(), "SQL_ASCII");
    client.run(r"CREATE TABLE public.t AS SELECT E'caf\351'::text AS x").unwrap();
    let mut read = Vec::new();
    client
        .copy_out("COPY public.t TO STDOUT", &mut |piece| {
            read.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
    assert_eq!(read, b"caf\xe9\n");
    assert_eq!(one(&mut client, "SELECT x FROM public.t"), "caf\u{FFFD}");
    let rows = client.rows("SELECT x, NULL, E'a\\tb' FROM public.t UNION ALL SELECT '', 'x', '\\N'").unwrap();
    assert_eq!((rows.len(), rows[0].get(1), rows[0].text(2)), (2, None, "a\tb"));
    assert_eq!((rows[1].get(0), rows[1].text(2)), (Some(""), "\\N"));
    assert_eq!(one(&mut client, "SELECT 1"), "1");
}

#[test]
fn errors_name_the_table_and_repeat_no_value() {
    let Some(server) = server(oldest()) else { return };
    let database = server.database("errors");
    let mut client = connect(&database.url());
    client.run("CREATE SCHEMA shop; CREATE TABLE shop.t (id int PRIMARY KEY, x text CHECK (x <> 'sekrit'))").unwrap();
    client.run("INSERT INTO shop.t VALUES (4711, 'a')").unwrap();
    let wrong = [
        ("INSERT INTO shop.t VALUES (4711, 'b')", "23505", true),
        ("INSERT INTO shop.t VALUES (1, 'sekrit')", "23514", true),
        ("SELECT 'sekrit'::int", "22P02", false),
        ("SELECT '2020-02-30 4711'::date", "22008", false),
    ];
    for (sql, code, table) in wrong {
        let refused = client.run(sql).unwrap_err();
        assert!(refused.is_database() && refused.to_string().contains(code), "{refused}");
        assert_eq!(refused.table(), table.then_some("shop.t"));
        assert!(!format!("{refused:?}").contains("4711") && !format!("{refused:?}").contains("sekrit"), "{refused:?}");
    }
    let mut copy = client.copy_in("COPY shop.t FROM STDIN").unwrap();
    copy.write(b"1\ta\nsekrit\tb\n").unwrap();
    let refused = copy.finish().unwrap_err();
    assert!(refused.to_string().contains("COPY t, line 2, column id"), "{refused}");
    assert!(!format!("{refused:?}").contains("sekrit"), "{refused:?}");

    client.run("CREATE ROLE nobody_much; SET ROLE nobody_much").unwrap();
    let refused = client.rows("SELECT x FROM shop.t").unwrap_err();
    assert!(refused.to_string().contains("42501") && refused.hint().unwrap().contains("role"), "{refused}");
    client.run("RESET ROLE; DROP ROLE nobody_much").unwrap();
}

#[test]
fn one_statement_is_one() {
    let Some(server) = server(oldest()) else { return };
    let database = server.database("single");
    let mut client = connect(&database.url());
    assert!(client.run_one("CREATE TABLE public.a (); DROP TABLE public.a").is_err());
    client.run_one("CREATE TABLE public.b ()").unwrap();
    client.run_one("COMMENT ON TABLE public.b IS 'x'").unwrap();
    assert_eq!(one(&mut client, "SELECT count(*) FROM pg_catalog.pg_class WHERE relname IN ('a', 'b')"), "1");
}

#[test]
fn a_lock_that_is_not_given_says_what_to_do() {
    let Some(server) = server(oldest()) else { return };
    let database = server.database("locks");
    let (mut holder, mut waiter) = (connect(&database.url()), connect(&database.url()));
    holder.run("CREATE TABLE public.t ()").unwrap();
    holder.run("BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE").unwrap();
    waiter.set_lock_timeout(Some(Duration::from_millis(50))).unwrap();
    let refused = waiter.rows("SELECT FROM public.t").unwrap_err();
    assert!(refused.to_string().contains("55P03") && refused.hint().unwrap().contains("lock"), "{refused}");
}

/// Whoever gives up in the middle of a long COPY does not wait for the rest of it, and goes on with the connection.
#[test]
fn a_copy_that_is_given_up_ends_soon() {
    let Some(server) = server(oldest()) else { return };
    let database = server.database("given_up");
    give_up(&mut connect(&database.url()));
}

fn give_up(client: &mut Client) {
    let begun = Instant::now();
    let long = "COPY (SELECT generate_series(1, 1000000000)) TO STDOUT";
    let refused = client.copy_out(long, &mut |_| Err(Error::request("enough"))).unwrap_err();
    assert_eq!(refused.to_string(), "enough");
    assert_eq!(one(client, "SELECT 1"), "1");
    let stopped = client.copy_out_watched(long, &StopAfter::milliseconds(200), &mut |_| Ok(())).unwrap_err();
    assert!(stopped.is_interrupted());
    assert_eq!(one(client, "SELECT 1"), "1");
    let silent = "COPY (SELECT pg_catalog.pg_sleep(60)) TO STDOUT";
    let stopped = client.copy_out_watched(silent, &StopAfter::milliseconds(200), &mut |_| Ok(())).unwrap_err();
    assert!(stopped.is_interrupted());
    assert_eq!(one(client, "SELECT 1"), "1");
    assert!(begun.elapsed() < Duration::from_secs(50), "{:?}", begun.elapsed());
}

/// Rows are taken out of what TLS hides, and a request to break off is hidden by it too.
#[test]
fn rows_come_out_of_tls() {
    let Some(made) = Certificates::make() else { return };
    let (certificate, key) = (made.text("server.crt"), made.text("server.key"));
    let files = [("server.crt", certificate.as_str()), ("server.key", key.as_str())];
    let access = ["hostnossl all all 127.0.0.1/32 reject"];
    let options = Options { settings: &[("ssl", "on")], tcp: true, access: &access, files: &files };
    let Some(server) = Server::start_with(oldest(), &options) else { return };
    let (port, ca) = (server.port(), made.path("ca.crt"));
    let mut client = connect(&format!(
        "host=localhost hostaddr=127.0.0.1 port={port} user=postgres dbname=postgres sslmode=verify-full sslrootcert={ca}"
    ));
    let mut rows = Vec::new();
    let sql = "COPY (SELECT pg_catalog.repeat('x', g % 3000) FROM pg_catalog.generate_series(1, 5000) g) TO STDOUT";
    client
        .copy_out(sql, &mut |piece| {
            rows.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
    let lengths = rows.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n').map(<[u8]>::len);
    assert!(lengths.eq((1..=5000).map(|number| number % 3000)));
    give_up(&mut client);
}

#[test]
fn a_copy_in_that_is_dropped_leaves_nothing() {
    let Some(server) = server(oldest()) else { return };
    let database = server.database("dropped");
    let mut client = connect(&database.url());
    client.run("CREATE TABLE public.t (x text)").unwrap();
    let mut copy = client.copy_in("COPY public.t FROM STDIN").unwrap();
    copy.write(&b"some text\n".repeat(100_000)).unwrap();
    drop(copy);
    assert_eq!(one(&mut client, "SELECT count(*) FROM public.t"), "0");
    // A client that goes with it leaves nothing either.
    let mut copy = client.copy_in("COPY public.t FROM STDIN").unwrap();
    copy.write(&b"some text\n".repeat(100_000)).unwrap();
    drop(copy);
    drop(client);
    let mut client = connect(&database.url());
    assert_eq!(one(&mut client, "SELECT count(*) FROM public.t"), "0");
    let mut copy = client.copy_in("COPY public.t FROM STDIN").unwrap();
    copy.write(&b"some text\n".repeat(100_000)).unwrap();
    assert_eq!(copy.finish().unwrap(), 100_000);
}

#[test]
fn long_statements_stop_when_an_observer_asks() {
    let Some(server) = server(oldest()) else { return };
    let database = server.database("watched");
    let mut client = connect(&database.url());
    client.run("CREATE TABLE public.t AS SELECT g AS x, pg_catalog.md5(g::text) AS y FROM pg_catalog.generate_series(1, 300000) g")
        .unwrap();
    client.run_watched("CREATE INDEX quick ON public.t (x)", &()).unwrap();
    let begun = Instant::now();
    // An index whose expression takes long for each row.
    client
        .run(
            "CREATE FUNCTION public.slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS \
        'BEGIN PERFORM pg_catalog.pg_sleep(0.01); RETURN $1; END'",
        )
        .unwrap();
    let stopped = client.run_watched("CREATE INDEX slow ON public.t (public.slow(x))", &StopAfter::milliseconds(300));
    assert!(stopped.unwrap_err().is_interrupted());
    assert!(begun.elapsed() < Duration::from_secs(100), "{:?}", begun.elapsed());
    let indexes = "SELECT count(*) FROM pg_catalog.pg_indexes WHERE tablename = 't'";
    assert_eq!(one(&mut client, indexes), "1");
}

/// What is asked from another thread reaches a statement that does not watch for itself.
#[test]
fn another_thread_breaks_off_a_statement() {
    let Some(server) = server(oldest()) else { return };
    let database = server.database("other_thread");
    let mut client = connect(&database.url());
    let token = client.cancel_token();
    let asked = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(300));
            asked.store(true, Ordering::Relaxed);
            token.cancel().unwrap();
        });
        let refused = client.run("SELECT pg_catalog.pg_sleep(60)").unwrap_err();
        assert!(asked.load(Ordering::Relaxed) && refused.to_string().contains("57014"), "{refused}");
    });
}

/// Rows pass from one connection to another inside the callback, as from a source into a target, on a worker's thread.
#[test]
fn a_copy_may_feed_another_connection() {
    let Some(server) = server(oldest()) else { return };
    let database = server.database("feeding");
    let (mut from, mut to) = (connect(&database.url()), connect(&database.url()));
    to.run("CREATE TABLE public.t (x int)").unwrap();
    let rows = thread::spawn(move || {
        let mut copy = to.copy_in("COPY public.t FROM STDIN").unwrap();
        let sql = "COPY (SELECT pg_catalog.generate_series(1, 200000)) TO STDOUT";
        from.copy_out(sql, &mut |piece| copy.write(piece)).unwrap();
        copy.finish().unwrap()
    });
    assert_eq!(rows.join().unwrap(), 200_000);
}

#[test]
fn a_server_that_dies_is_a_lost_connection() {
    let Some(server) = Server::start(oldest()) else { return };
    let database = server.existing_database("postgres");
    let mut client = connect(&database.url());
    let mut other = connect(&database.url());
    let pid = one(&mut client, "SELECT pg_catalog.pg_backend_pid()");
    other.run(&format!("SELECT pg_catalog.pg_terminate_backend({pid})")).unwrap();
    let refused = client.run("SELECT 1").unwrap_err();
    assert!(refused.is_database() && refused.hint().is_some(), "{refused}");
    let refused = client.run("SELECT 1").unwrap_err();
    assert!(refused.to_string().contains("lost"), "{refused}");
    drop(client);

    let mut sent = 0;
    let refused = other.copy_out("COPY (SELECT pg_catalog.generate_series(1, 1000000000)) TO STDOUT", &mut |piece| {
        sent += piece.len();
        if sent > 1 << 20 {
            server.kill_hard();
        }
        Ok(())
    });
    let refused = refused.unwrap_err();
    assert!(refused.is_database() && refused.to_string().contains("lost"), "{refused}");
}

/// A closed connection leaves no word in the server's log.
#[test]
fn connections_say_good_bye() {
    let Some(server) = Server::start(oldest()) else { return };
    let database = server.existing_database("postgres");
    let mut client = connect(&database.url());
    client.run("BEGIN").unwrap();
    drop(client);
    let mut other = connect(&database.url());
    let begun = Instant::now();
    while one(&mut other, "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'")
        != "1"
    {
        assert!(begun.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(10));
    }
    assert!(!server.log().contains("unexpected EOF"), "{}", server.log());
}
