//! A small application's database, and the program run on it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::major;
use crate::postgres::{Database, contents, server};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tabark");

/// An application: what is restored (`users`, `driver_profiles`), what refers to it and stays (`trips`, the views), and roles.
const APP: &str = "
DO $$ BEGIN
    CREATE ROLE app_owner; CREATE ROLE app_reader;
EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$;
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE, credit numeric(12,2) NOT NULL DEFAULT 0,
    seen timestamptz, shout text GENERATED ALWAYS AS (upper(email)) STORED);
CREATE TABLE driver_profiles (
    id serial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, licence text, tags text[]);
CREATE INDEX ON driver_profiles (user_id);
CREATE STATISTICS together ON user_id, licence FROM driver_profiles;
CREATE TABLE trips (
    id bigserial PRIMARY KEY, user_id bigint REFERENCES users, driver_id int REFERENCES driver_profiles ON DELETE SET NULL,
    fare numeric(10,2));
CREATE VIEW rich_users AS SELECT id, email, credit FROM users WHERE credit > 50;
CREATE VIEW rich_emails AS SELECT email FROM rich_users;
CREATE MATERIALIZED VIEW totals AS
    SELECT u.id, sum(t.fare) AS spent FROM users u JOIN trips t ON t.user_id = u.id GROUP BY 1;
CREATE UNIQUE INDEX totals_by_user ON totals (id);
CREATE FUNCTION give_credit() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN UPDATE public.users SET credit = NEW.credit WHERE id = NEW.id; RETURN NEW; END $$;
CREATE TRIGGER give INSTEAD OF UPDATE ON rich_users FOR EACH ROW EXECUTE FUNCTION give_credit();
CREATE RULE none AS ON DELETE TO rich_emails DO INSTEAD NOTHING;
COMMENT ON VIEW rich_users IS 'who has more than 50';
COMMENT ON COLUMN totals.spent IS 'all fares';
ALTER TABLE users OWNER TO app_owner;
ALTER VIEW rich_emails OWNER TO app_owner;
GRANT SELECT ON users, rich_users, totals TO app_reader;
GRANT SELECT ON rich_users TO app_owner;
GRANT UPDATE (credit) ON users TO app_reader;
GRANT USAGE ON SEQUENCE driver_profiles_id_seq TO app_reader;
INSERT INTO users (email, credit, seen)
    SELECT 'user' || n || '@example.org', n % 100, timestamptz '2026-01-01 UTC' + n * interval '1 minute'
    FROM generate_series(1, 2000) n;
INSERT INTO driver_profiles (user_id, licence, tags) SELECT n, 'L' || n, ARRAY['a', NULL] FROM generate_series(1, 500) n;
INSERT INTO trips (user_id, driver_id, fare) SELECT n, n % 500 + 1, n / 10.0 FROM generate_series(1, 1000) n;
REFRESH MATERIALIZED VIEW totals;
";

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// It must have ended with this code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Its standard error must contain this.
    #[track_caller]
    pub(crate) fn says(self, what: &str) -> Self {
        assert!(self.err.contains(what), "no \"{what}\" in {self:#?}");
        self
    }

    /// The one object on its one line.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.out.lines().count(), 1, "{self:#?}");
        serde_json::from_str(&self.out).unwrap()
    }
}

/// A database of its own, and a folder for archives of it.
pub(crate) struct Scene<'s> {
    pub(crate) database: Database<'s>,
    folder: TempDir,
}

impl<'s> Scene<'s> {
    /// The application on the server of this version that all tests share; `None` where there is no server.
    pub(crate) fn app(name: &str) -> Option<Self> {
        Self::with(name, APP)
    }

    /// Whatever a script makes.
    pub(crate) fn with(name: &str, script: &str) -> Option<Self> {
        let scene = Self::on(server(major()?)?.database(name));
        scene.database.psql(script);
        Some(scene)
    }

    /// Whatever a script makes, with one snapshot in `app.tabark`.
    pub(crate) fn made(name: &str, script: &str) -> Option<Self> {
        let scene = Self::with(name, script)?;
        scene.dump(&[]).ended(0);
        Some(scene)
    }

    pub(crate) fn on(database: Database<'s>) -> Self {
        Self { database, folder: tempfile::tempdir().unwrap() }
    }

    /// The application with one snapshot of all of it in `app.tabark`.
    pub(crate) fn dumped(name: &str) -> Option<Self> {
        Self::made(name, APP)
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.folder.path().join("app.tabark")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A run of the program, not started yet, in the folder and without what the environment says of servers.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        let others = std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("PG"));
        others.for_each(|name| {
            command.env_remove(name);
        });
        command.current_dir(self.folder.path()).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    pub(crate) fn dump(&self, options: &[&str]) -> Ran {
        let url = self.database.url();
        self.run(&[&["dump", url.as_str(), "app.tabark"], options].concat())
    }

    pub(crate) fn restore(&self, options: &[&str]) -> Ran {
        let url = self.database.url();
        self.run(&[&["restore", "app.tabark", url.as_str()], options].concat())
    }

    /// The restore of the crisis.
    pub(crate) fn replace(&self, options: &[&str]) -> Ran {
        self.restore(&[&["-t", "users", "-t", "driver_profiles", "--mode", "replace"], options].concat())
    }

    /// Starts the program and goes on.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Everything that can be seen of the database.
    pub(crate) fn state(&self) -> State {
        let told = self.database.psql(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1; SELECT rolname, setconfig FROM pg_db_role_setting \
             LEFT JOIN pg_roles r ON r.oid = setrole JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database() ORDER BY 1",
        );
        State { schema: self.database.normalized_schema(), contents: format!("{:?}", contents(&self.database)), told }
    }

    /// What the operation left must be what was there before.
    #[track_caller]
    pub(crate) fn is_as(&self, before: &State) {
        let now = self.state();
        let lines = |from: &State, less: &State| {
            from.schema.iter().filter(|line| !less.schema.contains(line)).cloned().collect::<Vec<_>>()
        };
        let (lost, come) = (lines(before, &now), lines(&now, before));
        assert!(now.schema == before.schema, "lost: {lost:#?}\nnew: {come:#?}");
        assert_eq!(now.contents, before.contents);
        assert_eq!(now.told, before.told);
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) schema: Vec<String>,
    pub(crate) contents: String,
    told: String,
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(3));
    }
}
