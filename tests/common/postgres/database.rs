//! A database of a test, reached through the programs of PostgreSQL.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use super::installed::{Tools, newest};
use super::server::Server;

/// Defaults that a session takes unless it says otherwise, each the opposite of what a dump must pin.
const ODD_DEFAULTS: [(&str, &str); 11] = [
    ("DateStyle", "'German, DMY'"),
    ("IntervalStyle", "'sql_standard'"),
    ("TimeZone", "'Asia/Kathmandu'"),
    ("extra_float_digits", "-15"),
    ("bytea_output", "'escape'"),
    ("xmloption", "'document'"),
    ("search_path", "'odd', 'public'"),
    ("quote_all_identifiers", "on"),
    ("statement_timeout", "'10min'"),
    ("default_transaction_isolation", "'serializable'"),
    ("lc_monetary", "'C'"),
];

/// A database on a server.
#[derive(Debug, Clone)]
pub(crate) struct Database<'s> {
    pub(crate) server: &'s Server,
    pub(crate) name: String,
}

impl Database<'_> {
    /// The URL under which libpq and tabark reach it, as the superuser.
    pub(crate) fn url(&self) -> String {
        self.url_as("postgres")
    }

    /// The URL for another role.
    pub(crate) fn url_as(&self, user: &str) -> String {
        let (host, port) = (self.server.socket_folder().display(), self.server.port());
        format!("postgresql:///{}?host={host}&port={port}&user={user}", percent_encoded(&self.name))
    }

    /// Runs SQL, statement by statement, and gives the rows: fields between `|`, one line a row.
    pub(crate) fn psql(&self, sql: &str) -> String {
        self.try_psql(sql).unwrap_or_else(|told| panic_with(&format!("{}: psql says: {told}", self.name)))
    }

    /// The same; what `psql` says of the first statement that fails is the error.
    pub(crate) fn try_psql(&self, sql: &str) -> Result<String, String> {
        self.fed(self.psql_command().arg("--file=-"), sql)
    }

    /// Runs a file of SQL.
    pub(crate) fn psql_file(&self, path: &Path) {
        let told = self.fed(self.psql_command().arg("--file").arg(path), "");
        told.unwrap_or_else(|told| panic_with(&format!("{}: {}: {told}", self.name, path.display())));
    }

    /// A session that stays open until it is dropped, for locks and transactions that last.
    pub(crate) fn session(&self) -> Session {
        let mut command = self.psql_command();
        command.env("PGOPTIONS", "-c client_min_messages=error").arg("--file=-");
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let told = BufReader::new(process.stderr.take().unwrap());
        Session { process, told }
    }

    /// The schema as the newest `pg_dump` at hand writes it, so that databases on servers of different versions compare.
    pub(crate) fn pg_dump_schema(&self) -> String {
        self.dumped(&newest(), &["--schema-only"])
    }

    /// The schema in a form in which two databases of the same objects are equal.
    pub(crate) fn normalized_schema(&self) -> Vec<String> {
        super::normalized_schema(&self.pg_dump_schema())
    }

    /// What the server's own `pg_dump` writes with these arguments; only that can be loaded into a server of its version.
    /// Where the server came without one, a newer one wrote it, and what the server does not know of it is left out.
    pub(crate) fn pg_dump(&self, arguments: &[&str]) -> String {
        let mut dumped = self.dumped(self.server.tools(), arguments);
        if self.server.major() < 17 {
            dumped = dumped.replacen("SET transaction_timeout = 0;\n", "", 1);
        }
        if self.server.major() < 16 {
            let known = " WITH (connect = false, slot_name = NONE";
            let lines = dumped.split_inclusive('\n').map(|line| match line.split_once(known) {
                Some((subscription, _)) => format!("{subscription}{known});\n"),
                None => line.to_owned(),
            });
            dumped = lines.collect::<String>();
        }
        dumped
    }

    fn dumped(&self, tools: &Tools, arguments: &[&str]) -> String {
        let mut command = tools.command("pg_dump");
        command.args(arguments).arg("--dbname").arg(self.url());
        self.fed(&mut command, "").unwrap_or_else(|told| panic_with(&format!("{}: pg_dump says: {told}", self.name)))
    }

    /// Sessions to come begin with settings under which a careless reader reads wrong values.
    pub(crate) fn set_odd_defaults(&self) {
        let quoted = self.name.replace('"', "\"\"");
        let set = |(name, value): (&str, &str)| format!("ALTER DATABASE \"{quoted}\" SET {name} = {value};\n");
        self.psql(&ODD_DEFAULTS.map(set).concat());
    }

    fn psql_command(&self) -> Command {
        let mut command = newest().command("psql");
        command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", "--dbname"]);
        command.arg(self.url());
        command
    }

    fn fed(&self, command: &mut Command, input: &str) -> Result<String, String> {
        // The client's encoding is the database's: nothing is converted, and SQL_ASCII stays what it is.
        command.env("PGOPTIONS", "-c client_min_messages=warning");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let output = std::thread::scope(|scope| {
            // One that stops at an error reads no further, and says why.
            scope.spawn(move || stdin.write_all(input.as_bytes()));
            child.wait_with_output().unwrap()
        });
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

/// An open session of `psql`.
pub(crate) struct Session {
    process: Child,
    told: BufReader<ChildStderr>,
}

impl Session {
    /// Runs statements, and comes back when they are done.
    pub(crate) fn run(&mut self, sql: &str) {
        // What is warned of is not held back in a buffer.
        writeln!(self.process.stdin.as_mut().unwrap(), "{sql};\n\\warn done").unwrap();
        let mut line = String::new();
        self.told.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "done", "{sql}");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // At the end of its input it says good-bye, and what it had not committed is taken back.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// A name as part of a URL.
fn percent_encoded(name: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(encode).collect()
}

#[expect(clippy::panic, reason = "tests")]
pub(crate) fn panic_with<T>(message: &str) -> T {
    panic!("{message}")
}
