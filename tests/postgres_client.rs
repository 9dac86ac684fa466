//! PostgreSQL servers as users reach them: URLs, variables, files of passwords and services, TLS; and that nothing shows a
//! password.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

#[path = "postgres_client/certificates.rs"]
mod certificates;
#[path = "common/note.rs"]
mod note;
#[path = "common/postgres.rs"]
mod postgres;
#[path = "common/tree.rs"]
mod tree;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use certificates::Certificates;
use postgres::{Options, Server, oldest, server};
use tabark::Error;
use tabark::postgres::settings::{ConnectionSettings, Environment};

const SECRET: &str = "s3cret word";
const ENCODED: &str = "s3cret%20word";

fn environment(home: &Path, variables: &[(&str, &str)]) -> Environment {
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Environment { home: Some(home.to_owned()), variables, ..Environment::default() }
}

fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The error, of which no form shows the password.
fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> Error {
    let error = result.unwrap_err();
    let shown = format!("{error} {error:?} {:?}", error.hint());
    assert!(!shown.contains("s3cret"), "{shown}");
    error
}

/// A server that asks one role for a password.
fn asking() -> Option<Server> {
    let access = ["host all ana 127.0.0.1/32 scram-sha-256", "host all bo 127.0.0.1/32 reject"];
    let server = Server::start_with(oldest(), &Options { tcp: true, access: &access, ..Options::default() })?;
    let database = server.existing_database("postgres");
    database.psql(&format!("CREATE ROLE ana LOGIN PASSWORD '{SECRET}'; CREATE ROLE bo LOGIN; CREATE DATABASE ana;"));
    Some(server)
}

#[test]
fn passwords_are_found_where_libpqs_users_keep_them() {
    let Some(server) = asking() else { return };
    let home = tempfile::tempdir().unwrap();
    let port = server.port().to_string();
    let plain = server.tcp_url("ana", "postgres");
    let with = plain.replace("ana@", &format!("ana:{ENCODED}@"));
    let check = |conninfo: &str, variables: &[(&str, &str)]| {
        ConnectionSettings::from_libpq(conninfo, &environment(home.path(), variables))
            .and_then(|settings| settings.check())
    };

    let info = check(&with, &[]).unwrap();
    assert_eq!((info.user.as_str(), info.database.as_str()), ("ana", "postgres"));
    assert_eq!((info.place, info.is_encrypted, info.is_standby), (format!("127.0.0.1:{port}"), false, false));
    assert_eq!((info.version / 10_000, info.encoding.as_str()), (oldest(), "UTF8"));
    check(&plain, &[("PGPASSWORD", SECRET)]).unwrap();
    let pairs = format!("host=127.0.0.1 port={port} user=ana password='{SECRET}'");
    assert_eq!(check(&pairs, &[]).unwrap().database, "ana");
    let variables = [("PGHOST", "127.0.0.1"), ("PGPORT", port.as_str()), ("PGUSER", "ana"), ("PGPASSWORD", SECRET)];
    check("", &variables).unwrap();

    let none = refused(check(&plain, &[]));
    assert!(none.to_string().contains("asks for a password") && none.hint().unwrap().contains(".pgpass"), "{none}");
    let wrong = refused(check(&plain, &[("PGPASSWORD", "s3cret")]));
    assert!(wrong.to_string().contains("28P01") && wrong.hint().unwrap().contains("PGPASSWORD"), "{wrong}");

    let file = home.path().join(".pgpass");
    private(&file, &format!("127.0.0.1:{port}:*:ana:{SECRET}\n"));
    check(&plain, &[]).unwrap();
    private(&file, "*:*:*:*:s3cret\n");
    let wrong = refused(check(&plain, &[]));
    assert!(wrong.hint().unwrap().contains(".pgpass"), "{:?}", wrong.hint());
    fs::remove_file(&file).unwrap();

    let services = format!("[shop]\nhost=127.0.0.1\nport={port}\nuser=ana\ndbname=postgres\npassword={SECRET}\n");
    fs::write(home.path().join(".pg_service.conf"), services).unwrap();
    assert_eq!(check("service=shop", &[]).unwrap().database, "postgres");
    check("", &[("PGSERVICE", "shop")]).unwrap();
    check("postgresql:///?service=shop", &[]).unwrap();
}

#[test]
fn a_refusal_says_where_and_what_to_do() {
    let Some(server) = asking() else { return };
    let port = server.port();
    let check = |conninfo: &str| ConnectionSettings::parse(conninfo).and_then(|settings| settings.check());

    let absent = refused(check(&format!("host=127.0.0.1 port={port} user=postgres dbname=absent")));
    assert!(absent.to_string().contains("3D000") && absent.hint().unwrap().contains("exists"), "{absent}");
    let rejected = refused(check(&format!("host=127.0.0.1 port={port} user=bo password='{SECRET}'")));
    assert!(rejected.to_string().contains("28000") && rejected.hint().unwrap().contains("pg_hba.conf"), "{rejected}");

    let (closed, folder) = (CLOSED, tempfile::tempdir().unwrap());
    let hosts = format!("127.0.0.1,{}", folder.path().display());
    let nobody = refused(check(&format!("host={hosts} port={closed} user=ana password='{SECRET}'")));
    let told = nobody.to_string();
    assert!(nobody.is_database() && told.contains(&format!("127.0.0.1:{closed}: ")), "{told}");
    assert!(told.contains(&format!(".s.PGSQL.{closed}: ")) && nobody.hint().unwrap().contains("PGHOST"), "{told}");
    let unknown = refused(check("host=no-such-host.invalid user=ana"));
    assert!(unknown.to_string().contains("no-such-host.invalid:5432"), "{unknown}");

    // The first place that answers is taken; one that refuses is not passed over.
    check(&format!("host={hosts},127.0.0.1 port={closed},{closed},{port} user=postgres")).unwrap();
    let first = format!("host=127.0.0.1,127.0.0.1 port={port},{port} user=postgres dbname=absent");
    assert_eq!(refused(check(&first)).to_string().matches("3D000").count(), 1);
}

#[test]
fn the_kind_of_session_is_chosen() {
    let Some(server) = server(oldest()) else { return };
    let url = server.existing_database("postgres").url();
    let check = |kind: &str| {
        ConnectionSettings::parse(&format!("{url}&target_session_attrs={kind}")).and_then(|settings| settings.check())
    };
    for kind in ["any", "read-write", "primary", "prefer-standby"] {
        assert!(!check(kind).unwrap().is_standby, "{kind}");
    }
    for kind in ["standby", "read-only"] {
        assert!(refused(check(kind)).to_string().contains(".s.PGSQL.5432: the se"), "{kind}");
    }
}

#[test]
fn a_server_that_accepts_and_is_silent_is_given_up() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let settings =
        ConnectionSettings::parse(&format!("host=127.0.0.1 port={port} user=ana connect_timeout=2")).unwrap();
    let begun = Instant::now();
    let refused = refused(settings.check());
    assert!(refused.to_string().contains("no answer within 2 s"), "{refused}");
    assert!(begun.elapsed() < Duration::from_secs(60));
}

/// What is no PostgreSQL at all, and what is hostile.
#[test]
fn answers_that_are_none_are_errors() {
    use std::io::{Read, Write};
    for answer in
        [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"", b"R\xff\xff\xff\xff", b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"]
    {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 64];
            let _ = stream.read(&mut asked);
            let _ = stream.write_all(answer);
        });
        let conninfo = format!("host=127.0.0.1 port={port} user=ana sslmode=disable connect_timeout=5");
        refused(ConnectionSettings::parse(&conninfo).and_then(|settings| settings.check()));
        server.join().unwrap();
    }
}

#[test]
fn tls_checks_what_it_is_asked_to_check() {
    let Some(made) = Certificates::make() else { return };
    let files = [
        ("server.crt", made.text("server.crt")),
        ("server.key", made.text("server.key")),
        ("ca.crt", made.text("ca.crt")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let access = ["hostssl all carl 127.0.0.1/32 cert", "hostnossl all carl 127.0.0.1/32 reject"];
    let options =
        Options { settings: &[("ssl", "on"), ("ssl_ca_file", "ca.crt")], tcp: true, access: &access, files: &files };
    let Some(server) = Server::start_with(oldest(), &options) else { return };
    server.existing_database("postgres").psql("CREATE ROLE carl LOGIN");
    let (port, ca, other) = (server.port(), made.path("ca.crt"), made.path("other.crt"));
    let check = |host: &str, more: &str| {
        let conninfo = format!("host={host} hostaddr=127.0.0.1 port={port} user=postgres dbname=postgres {more}");
        ConnectionSettings::parse(&conninfo).and_then(|settings| settings.check())
    };

    // The certificate is for "localhost" and was signed by "ca".
    for more in ["", "sslmode=prefer", "sslmode=require"] {
        assert!(check("anything.example", more).unwrap().is_encrypted, "{more}");
    }
    assert!(!check("localhost", "sslmode=disable").unwrap().is_encrypted);
    assert!(!check("localhost", "sslmode=allow").unwrap().is_encrypted);
    assert!(check("localhost", &format!("sslmode=verify-full sslrootcert={ca}")).unwrap().is_encrypted);
    assert!(check("anything.example", &format!("sslmode=verify-ca sslrootcert={ca}")).unwrap().is_encrypted);
    assert!(check("localhost", &format!("sslmode=require sslrootcert={ca} ssl_min_protocol_version=TLSv1.3")).is_ok());

    let wrong_host = refused(check("anything.example", &format!("sslmode=verify-full sslrootcert={ca}")));
    assert!(wrong_host.hint().unwrap().contains("another host"), "{wrong_host} {:?}", wrong_host.hint());
    for mode in ["verify-full", "verify-ca", "require"] {
        let wrong_ca = refused(check("localhost", &format!("sslmode={mode} sslrootcert={other}")));
        assert!(wrong_ca.hint().unwrap().contains("authority"), "{mode}: {wrong_ca} {:?}", wrong_ca.hint());
    }
    let absent = refused(check("localhost", "sslmode=verify-full sslrootcert=absent.crt"));
    assert!(absent.to_string().contains("absent.crt"), "{absent}");

    // A role that the server knows by a certificate.
    let (certificate, key) = (made.path("carl.crt"), made.path("carl.key"));
    let as_carl = |more: &str| check("localhost", &format!("user=carl sslmode=verify-full sslrootcert={ca} {more}"));
    assert_eq!(as_carl(&format!("sslcert={certificate} sslkey={key}")).unwrap().user, "carl");
    refused(as_carl(""));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let open = refused(as_carl(&format!("sslcert={certificate} sslkey={key}")));
    assert!(open.hint().unwrap().contains("0600"), "{open}");
    // Refused without TLS, let in with it.
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let allowed = check("localhost", &format!("user=carl sslmode=allow sslcert={certificate} sslkey={key}"));
    assert!(allowed.unwrap().is_encrypted);
}

/// The certificate that PostgreSQL's documentation has people make, which both sides get a copy of.
#[test]
fn a_servers_own_certificate_may_be_the_one_that_is_trusted() {
    let Some(made) = Certificates::make() else { return };
    let files = [("server.crt", made.text("own.crt")), ("server.key", made.text("own.key"))];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let options = Options { settings: &[("ssl", "on")], tcp: true, files: &files, ..Options::default() };
    let Some(server) = Server::start_with(oldest(), &options) else { return };
    let port = server.port();
    let check = |host: &str, mode: &str, roots: &str| {
        let roots = made.path(roots);
        let conninfo = format!("host={host} hostaddr=127.0.0.1 port={port} user=postgres dbname=postgres");
        ConnectionSettings::parse(&format!("{conninfo} sslmode={mode} sslrootcert={roots}"))
            .and_then(|settings| settings.check())
    };
    assert!(check("localhost", "verify-full", "own.crt").unwrap().is_encrypted);
    assert!(check("anything.example", "verify-ca", "own.crt").unwrap().is_encrypted);
    let wrong_host = refused(check("anything.example", "verify-full", "own.crt"));
    assert!(wrong_host.hint().unwrap().contains("another host"), "{wrong_host} {:?}", wrong_host.hint());
    let unknown = refused(check("localhost", "verify-full", "other.crt"));
    assert!(unknown.hint().unwrap().contains("that very certificate"), "{unknown} {:?}", unknown.hint());
}

#[test]
fn prefer_goes_without_tls_where_there_is_none_and_require_does_not() {
    let Some(server) = asking() else { return };
    let url = format!("{}?sslmode=", server.tcp_url("postgres", "postgres"));
    let check = |mode: &str| ConnectionSettings::parse(&format!("{url}{mode}")).and_then(|settings| settings.check());
    assert!(!check("prefer").unwrap().is_encrypted);
    assert!(!check("allow").unwrap().is_encrypted);
    let none = refused(check("require"));
    assert!(none.hint().unwrap().contains("sslmode=disable"), "{none}");
}

/// A port on which nobody listens, and which no other test is given.
const CLOSED: u16 = 1;
