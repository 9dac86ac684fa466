//! What goes before what, and what is never shown.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::path::Path;

use super::*;

const SECRET: &str = "s3cret";

fn with(variables: &[(&str, &str)]) -> Environment {
    Environment {
        variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        user: Some("os-user".into()),
        ..Environment::default()
    }
}

fn passwords(settings: &ConnectionSettings) -> Vec<Option<&str>> {
    settings.endpoints.iter().map(|endpoint| endpoint.password.as_ref().map(Password::reveal)).collect()
}

#[cfg(unix)]
fn private(path: &Path, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn without_anything_the_defaults_are_libpqs() {
    let settings = ConnectionSettings::from_libpq("", &with(&[])).unwrap();
    assert_eq!((settings.database(), settings.user()), ("os-user", "os-user"));
    assert_eq!(settings.servers(), ["/var/run/postgresql/.s.PGSQL.5432", "/tmp/.s.PGSQL.5432"]);
    assert_eq!((settings.security.mode, settings.session), (SslMode::Prefer, SessionKind::Any));
    let nobody = ConnectionSettings::parse("host=a").unwrap_err();
    assert!(nobody.is_request() && nobody.hint().is_some());
}

#[test]
fn the_string_goes_before_the_service_the_service_before_variables() {
    let folder = tempfile::tempdir().unwrap();
    let services = folder.path().join("services");
    fs::write(&services, "[app]\nhost=from-service\nport=2\ndbname=of-service\n").unwrap();
    let environment = with(&[
        ("PGSERVICEFILE", services.to_str().unwrap()),
        ("PGSERVICE", "app"),
        ("PGHOST", "from-variable"),
        ("PGPORT", "3"),
        ("PGUSER", "from-variable"),
        ("PGAPPNAME", "app"),
        ("PGCONNECT_TIMEOUT", "1"),
        ("PGTARGETSESSIONATTRS", "standby"),
        ("PGCHANNELBINDING", "disable"),
        ("PGOPTIONS", "-c work_mem=1MB"),
        ("PGSSLMODE", "disable"),
    ]);
    let settings = ConnectionSettings::from_libpq("port=1", &environment).unwrap();
    assert_eq!(settings.servers(), ["from-service:1"]);
    assert_eq!((settings.database(), settings.user()), ("of-service", "from-variable"));
    assert_eq!(settings.application_name.as_deref(), Some("app"));
    assert_eq!(settings.options.as_deref(), Some("-c work_mem=1MB"));
    assert_eq!(settings.times.connect, Some(Duration::from_secs(2)));
    assert_eq!((settings.session, settings.binding), (SessionKind::Standby, ChannelBinding::Disable));
    assert_eq!(settings.security.mode, SslMode::Disable);

    // What the string says empty, no variable fills.
    let settings = ConnectionSettings::from_libpq("service='' host='' port=''", &environment).unwrap();
    assert_eq!(settings.servers().len(), 2);

    let absent = ConnectionSettings::from_libpq("service=absent", &environment).unwrap_err();
    assert!(absent.to_string().contains("\"absent\"") && absent.hint().is_some(), "{absent}");
}

#[test]
fn services_are_looked_for_at_home_and_then_where_the_system_has_them() {
    let (home, system) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(home.path().join(".pg_service.conf"), "[mine]\nhost=home\n").unwrap();
    fs::write(system.path().join("pg_service.conf"), "[mine]\nhost=no\n[ours]\nhost=system\n").unwrap();
    let mut environment = with(&[]);
    environment.home = Some(home.path().to_owned());
    environment.system_folders = vec![system.path().to_owned()];
    for (service, host) in [("mine", "home:5432"), ("ours", "system:5432")] {
        let settings = ConnectionSettings::from_libpq(&format!("service={service}"), &environment).unwrap();
        assert_eq!(settings.servers(), [host]);
    }
}

#[cfg(unix)]
#[test]
fn passwords_come_from_the_file_for_each_server_if_none_is_said() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".pgpass");
    private(&file, &format!("a:5432:db:ana:{SECRET}-a\nlocalhost:*:*:*:{SECRET}-socket\n/s:*:*:*:{SECRET}-s\n"), 0o600);
    let mut environment = with(&[]);
    environment.home = Some(home.path().to_owned());
    let read = |conninfo: &str, environment: &Environment| {
        ConnectionSettings::from_libpq(&format!("{conninfo} user=ana dbname=db"), environment).unwrap()
    };
    let settings = read("host=a,b,/s,", &environment);
    let expected = [Some("s3cret-a"), None, Some("s3cret-s"), Some("s3cret-socket"), Some("s3cret-socket")];
    assert_eq!(passwords(&settings), expected);
    assert_eq!(settings.passfile.as_deref(), Some(file.as_path()));

    // What is said goes first, and the file is not looked at.
    environment.variables.insert("PGPASSWORD".into(), "said".into());
    assert_eq!(passwords(&read("host=a", &environment)), [Some("said")]);
    assert_eq!(passwords(&read("host=a password=more", &environment)), [Some("more")]);
    environment.variables.clear();

    for mode in [0o640, 0o604, 0o660] {
        private(&file, &format!("*:*:*:*:{SECRET}\n"), mode);
        let settings = read("host=a", &environment);
        assert_eq!(passwords(&settings), [None]);
        assert!(settings.warnings()[0].contains("chmod 0600"), "{:?}", settings.warnings());
    }
    // A folder, as one may name by mistake.
    environment.variables.insert("PGPASSFILE".into(), home.path().to_str().unwrap().into());
    assert!(read("host=a", &environment).warnings()[0].contains("no plain file"));
}

#[test]
fn require_with_a_file_of_authorities_checks_the_certificate() {
    let home = tempfile::tempdir().unwrap();
    let mut environment = with(&[]);
    environment.home = Some(home.path().to_owned());
    let mode = |conninfo: &str, environment: &Environment| {
        ConnectionSettings::from_libpq(conninfo, environment).map(|settings| settings.security.mode)
    };
    assert_eq!(mode("sslmode=require", &environment).unwrap(), SslMode::Require);
    assert!(mode("sslmode=verify-full", &environment).unwrap_err().hint().unwrap().contains("sslrootcert"));
    fs::create_dir(home.path().join(".postgresql")).unwrap();
    fs::write(home.path().join(".postgresql/root.crt"), "").unwrap();
    assert_eq!(mode("sslmode=require", &environment).unwrap(), SslMode::VerifyCa);
    assert_eq!(mode("sslmode=prefer", &environment).unwrap(), SslMode::Prefer);
    assert_eq!(mode("sslmode=verify-full", &environment).unwrap(), SslMode::VerifyFull);
    assert!(mode("sslrootcert=system", &environment).unwrap_err().to_string().contains("system"));
    assert!(mode("sslnegotiation=direct", &environment).is_err());
    fs::write(home.path().join(".postgresql/postgresql.crt"), "").unwrap();
    assert!(mode("", &environment).unwrap_err().hint().unwrap().contains("sslkey"));
    fs::write(home.path().join(".postgresql/root.crl"), "").unwrap();
    assert!(mode("sslmode=verify-ca sslcertmode=disable", &environment).unwrap_err().to_string().contains("revoked"));
}

#[test]
fn a_password_is_shown_nowhere() {
    let environment = with(&[("PGPASSWORD", SECRET)]);
    let shown = format!("{environment:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    let uri = format!("postgresql://ana:{SECRET}@db.example/shop");
    for conninfo in [uri.as_str(), "password=s3cret host=a", "host=a"] {
        let settings = ConnectionSettings::from_libpq(conninfo, &environment).unwrap();
        assert_eq!(passwords(&settings), [Some(SECRET)]);
        let shown = format!("{settings:?} {:?} {:?}", settings.endpoints, settings.servers());
        assert!(!shown.contains(SECRET), "{shown}");
    }
    // Whatever is wrong beside it.
    let wrong = ["sslmode=x", "connect_timeout=x", "port=x", "target_session_attrs=x", "sslcrl=x", "absent=1", "word"];
    for wrong in wrong {
        let refused = ConnectionSettings::from_libpq(&format!("password={SECRET} {wrong}"), &environment).unwrap_err();
        assert!(!format!("{refused:?}").contains(SECRET), "{refused:?}");
    }
}

proptest::proptest! {
    /// Any text is settings or an error, and what is read does not depend on how it was written.
    #[test]
    fn values_survive_both_ways_of_writing_them(user in "\\PC{1,12}", password in "\\PC{1,12}", database in "\\PC{1,12}") {
        let quoted = |value: &str| format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"));
        let encoded = |value: &str| value.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let pairs = format!("user={} password={} dbname={} host=h", quoted(&user), quoted(&password), quoted(&database));
        let uri = format!("postgres://{}:{}@h/{}", encoded(&user), encoded(&password), encoded(&database));
        for conninfo in [pairs, uri] {
            let settings = ConnectionSettings::parse(&conninfo).unwrap();
            proptest::prop_assert_eq!(settings.user(), &user);
            proptest::prop_assert_eq!(settings.database(), &database);
            proptest::prop_assert_eq!(passwords(&settings), vec![Some(password.as_str())]);
        }
    }

    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,40}", start in "(postgres://)?") {
        let _ = ConnectionSettings::parse(&format!("{start}{text}"));
    }
}
