//! A server that lives as long as a test wants it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::super::tree;
use super::database::{Database, panic_with};
use super::installed::{Tools, tools};
use super::place::place;

/// What every server runs with. Nothing needs to survive a power cut, though what was committed survives a kill; tests say
/// when to vacuum; and no shared memory is left behind by a server that was killed.
const SETTINGS: [(&str, &str); 10] = [
    // As from 14 on.
    ("password_encryption", "scram-sha-256"),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("autovacuum", "off"),
    ("shared_buffers", "32MB"),
    ("max_wal_size", "256MB"),
    ("max_connections", "60"),
    ("max_prepared_transactions", "4"),
    ("dynamic_shared_memory_type", "mmap"),
    ("log_min_messages", "warning"),
];
const INITDB: [&str; 8] = [
    "--no-sync",
    "--auth=trust",
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--wal-segsize=1",
    "--data-checksums",
    "--pgdata",
];
/// How long a server may take to start or to stop before a test gives it up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a test wants of a server of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options<'a> {
    /// Settings besides those that every server has.
    pub(crate) settings: &'a [(&'a str, &'a str)],
    /// Also listens on a free port of 127.0.0.1.
    pub(crate) tcp: bool,
    /// Lines that come first in `pg_hba.conf`; without one that fits, everybody is trusted.
    pub(crate) access: &'a [&'a str],
    /// Files of the data folder, with names and contents, such as a certificate; only the server's user may read them.
    pub(crate) files: &'a [(&'a str, &'a str)],
}

/// A running server; stopped and removed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    tools: Tools,
    folder: PathBuf,
    settings: Vec<String>,
    port: u16,
    tcp: bool,
    process: Mutex<Option<Child>>,
}

impl Server {
    /// Starts a server with nothing special; `None`, with one line that says so, where this version is not installed.
    pub(crate) fn start(major: u32) -> Option<Self> {
        Self::start_with(major, &Options::default())
    }

    /// Starts a server of a test's own.
    pub(crate) fn start_with(major: u32, options: &Options<'_>) -> Option<Self> {
        let tools = tools(major)?;
        let folder = place().new_server();
        let data = folder.join("data");
        copy_template(&tools, &data);
        if !options.access.is_empty() {
            let path = data.join("pg_hba.conf");
            let usual = fs::read_to_string(&path).unwrap();
            fs::write(&path, format!("{}\n{usual}", options.access.join("\n"))).unwrap();
        }
        for (name, contents) in options.files {
            let path = data.join(name);
            fs::write(&path, contents).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            place().give(&path);
        }
        let address = if options.tcp { "127.0.0.1" } else { "" };
        let own = [("listen_addresses", address), ("unix_socket_directories", folder.to_str().unwrap())];
        let asked = own.iter().chain(&SETTINGS).chain(options.settings).map(|(name, value)| given(name, value));
        let settings = asked.collect();
        let mut server = Self { tools, folder, settings, port: 5432, tcp: options.tcp, process: Mutex::new(None) };
        for _ in 0..5 {
            if options.tcp {
                server.port = free_port();
            }
            match server.try_start() {
                // Somebody was sooner to take the port that was free.
                Err(told) if told.contains("Address already in use") => {}
                other => return other.map_or_else(|told| panic_with(&told), |()| Some(server)),
            }
        }
        panic_with("no port stays free")
    }

    /// The major version.
    pub(crate) fn major(&self) -> u32 {
        self.tools.major
    }

    /// The programs of this version.
    pub(crate) fn tools(&self) -> &Tools {
        &self.tools
    }

    /// The folder of the Unix socket, which is what libpq calls the host.
    pub(crate) fn socket_folder(&self) -> &Path {
        &self.folder
    }

    /// The port; on 127.0.0.1 only if the test asked for that.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A fresh database in UTF-8. One of this name that an earlier test left is dropped.
    pub(crate) fn database(&self, name: &str) -> Database<'_> {
        self.database_with(name, "")
    }

    /// A fresh database with options, such as `TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'`.
    pub(crate) fn database_with(&self, name: &str, options: &str) -> Database<'_> {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        let made = format!("DROP DATABASE IF EXISTS {quoted} WITH (FORCE);\nCREATE DATABASE {quoted} {options};");
        let database = self.existing_database(name);
        // A database cannot be dropped under its subscriptions.
        let subscriptions = "SELECT format('DROP SUBSCRIPTION %I', subname) FROM pg_subscription
            WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \\gexec";
        let _ = database.try_psql(subscriptions);
        self.existing_database("postgres").psql(&made);
        database
    }

    /// A database that is there already.
    pub(crate) fn existing_database(&self, name: &str) -> Database<'_> {
        Database { server: self, name: name.to_owned() }
    }

    /// The connection URL of a database on 127.0.0.1; a password goes between the user and the `@`.
    pub(crate) fn tcp_url(&self, user: &str, database: &str) -> String {
        assert!(self.tcp, "this server has no TCP port");
        format!("postgresql://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// What the server wrote to its log.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("log")).unwrap()).into_owned()
    }

    /// Ends the server and all its sessions at once, as a crash of the machine's memory would: nothing is flushed.
    pub(crate) fn kill_hard(&self) {
        let Some(mut process) = self.process().take() else { return };
        let server = process.id().to_string();
        // Stopped, it starts no more processes while those that it has are collected.
        signal("STOP", [server.clone()]);
        let children = children_of(&server);
        signal("KILL", children.iter().cloned().chain([server]));
        process.wait().unwrap();
        let begun = Instant::now();
        while children.iter().any(|child| is_running(child)) {
            assert!(begun.elapsed() < PATIENCE, "a killed process runs on");
            sleep(Duration::from_millis(1));
        }
    }

    /// Stops the server in order, waiting for nobody.
    pub(crate) fn stop(&self) {
        self.end("INT");
    }

    /// Starts the server again; one that runs is stopped first.
    pub(crate) fn restart(&self) {
        self.stop();
        self.try_start().unwrap_or_else(|told| panic_with(&told));
    }

    /// Starts the server; the error is what it said when it ended instead.
    fn try_start(&self) -> Result<(), String> {
        let mut command = self.tools.command("postgres");
        command.arg("-D").arg(self.folder.join("data")).args(&self.settings).arg(given("port", &self.port.to_string()));
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
        place().run_as_user(&mut command);
        let mut child = command.spawn().unwrap();
        let begun = Instant::now();
        while !self.is_ready(child.id()) {
            let ended = child.try_wait().unwrap();
            if ended.is_some() || begun.elapsed() > PATIENCE {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no server, {ended:?}:\n{}", self.log()));
            }
            sleep(Duration::from_millis(5));
        }
        *self.process() = Some(child);
        Ok(())
    }

    /// A server writes into its file of process ids when it takes connections. One that was killed left such a file.
    fn is_ready(&self, process: u32) -> bool {
        let told = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
        let mut lines = told.lines().map(str::trim);
        lines.next() == Some(&process.to_string()) && lines.nth(6) == Some("ready")
    }

    fn end(&self, how: &str) {
        let Some(mut process) = self.process().take() else { return };
        signal(how, [process.id().to_string()]);
        let begun = Instant::now();
        while process.try_wait().unwrap().is_none() {
            if begun.elapsed() > PATIENCE {
                process.kill().unwrap();
            }
            sleep(Duration::from_millis(5));
        }
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end("QUIT");
        // What cannot be removed now, the watchdog removes with the rest.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// One setting as an argument.
fn given(name: &str, value: &str) -> String {
    format!("--{name}={value}")
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn signal(name: &str, processes: impl IntoIterator<Item = String>) {
    // One that is gone already is what was wanted.
    let kill = "kill -\"$@\" 2>/dev/null";
    Command::new("sh").args(["-c", kill, "sh", name]).args(processes).status().unwrap();
}

/// The processes that a process started.
fn children_of(parent: &str) -> Vec<String> {
    let names = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| state_of(name).is_some_and(|(_, its_parent)| its_parent == parent)).collect()
}

/// Neither gone nor waiting for nothing but to be forgotten.
fn is_running(process: &str) -> bool {
    state_of(process).is_some_and(|(state, _)| !["Z", "X"].contains(&state.as_str()))
}

/// A process's state and its parent.
fn state_of(process: &str) -> Option<(String, String)> {
    let told = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after_name) = told.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().map(str::to_owned);
    Some((fields.next()?, fields.next()?))
}

/// Fills a data folder. `initdb` runs once for each version and build folder, whose copy later servers start from.
fn copy_template(tools: &Tools, data: &Path) {
    let user = place().user.map_or(String::new(), |(user, _)| format!(" for {user}"));
    let kept = tree::kept().join("postgres");
    let template = kept.join(format!("{}{user}", tools.version().replace('/', "-")));
    if template.exists() {
        copy(&template, data);
        return;
    }
    let mut initdb = tools.command("initdb");
    initdb.args(INITDB).arg(data).stdin(Stdio::null());
    place().run_as_user(&mut initdb);
    let output = initdb.output().unwrap();
    assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
    fs::create_dir_all(&kept).unwrap();
    let part = tempfile::tempdir_in(&kept).unwrap();
    copy(data, &part.path().join("data"));
    // Two runs may make it at once: the first one stays, and the other's goes with its folder.
    let _ = fs::rename(part.path().join("data"), &template);
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").args(["-a", "--reflink=auto"]).args([from, to]).status().unwrap();
    assert!(status.success(), "{} cannot be copied to {}", from.display(), to.display());
}
