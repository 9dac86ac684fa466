//! The commands. Each turns its arguments into library calls, and what comes back into a report.

mod cat;
mod compact;
mod compare;
mod database;
mod demo;
mod diff;
mod dump;
mod erase;
mod erasures;
mod list;
mod prune;
mod restore;
mod rules;
mod show;
mod verify;

use std::io;
use std::num::NonZero;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use tabark::archive::{Archive, WriterOptions};
use tabark::selection::Selection;
use tabark::source::sqlite::side_files;
use tabark::{Error, Profile};

use crate::args::{Command, Jobs};
use crate::exit::{Exit, Failure};
use crate::pipe::Pipe;
use crate::report::problems;

/// The clock's time, in microseconds since 1970-01-01T00:00:00Z.
fn now() -> Result<i64, Error> {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_micros()).ok())
        .ok_or_else(|| Error::request("the clock is set to a time before 1970").with_hint("set the clock"))
}

/// How a command ends.
pub(crate) type Outcome = Result<Exit, Failure>;

/// Runs a command.
pub(crate) fn run(command: &Command, out: &mut Pipe) -> Outcome {
    match command {
        Command::Dump(args) => dump::run(args, out),
        Command::List(args) => list::run(args, out),
        Command::Show(args) => show::run(args, out),
        Command::Verify(args) => verify::run(args, out),
        Command::Restore(args) => restore::run(args, out),
        Command::Cat(args) => cat::run(args, out),
        Command::Prune(args) => prune::run(args, out),
        Command::Compact(args) => compact::run(args, out),
        Command::Diff(args) => diff::run(args, out),
        Command::Compare(args) => compare::run(args, out),
        Command::Erase(args) => erase::run(args, out),
        Command::Erasures(args) => erasures::run(args, out),
        Command::Demo(args) => demo::run(args, out),
    }
}

/// Opens an archive for a command that reads its snapshots, and warns of a tail.
fn open(path: &Path) -> Result<Archive, Error> {
    let archive = Archive::open(path)?;
    problems::warn_of_tail(archive.tail());
    Ok(archive)
}

/// What became of the report on work that is done. Whoever reads the exit code asks about the work: it stands, and a report
/// that could not be written does not turn it into a failure.
fn told(report: io::Result<()>) {
    if let Err(error) = report {
        problems::warn(&format!("the work is done, but its report is incomplete: writing standard output: {error}"));
    }
}

/// How an archive is written.
fn writing(fast: bool, level: Option<i32>, jobs: Option<NonZero<usize>>) -> WriterOptions {
    let profile = if fast { Profile::Fast } else { Profile::Standard };
    let mut options = WriterOptions::default().with_profile(profile);
    options.jobs = jobs;
    level.map_or(options, |level| options.with_level(level))
}

/// The library's own threads, for commands that read an archive. Called once, before anything else.
fn use_threads(jobs: &Jobs) -> Result<(), Error> {
    let Some(number) = jobs.number else { return Ok(()) };
    rayon::ThreadPoolBuilder::new()
        .num_threads(number.get())
        .build_global()
        .map_err(|cause| Error::io("starting threads", io::Error::other(cause)))
}

/// A pattern that cannot be one is a wrong command line; one that matches nothing is found out later.
fn selection(include: &[String], exclude: &[String]) -> Result<Selection, Failure> {
    Selection::new(include, exclude).map_err(Failure::Usage)
}

/// Do both paths lead to one existing file, by whatever links?
fn is_same_file(a: &Path, b: &Path) -> bool {
    if let (Ok(a), Ok(b)) = (a.canonicalize(), b.canonicalize())
        && a == b
    {
        return true;
    }
    #[cfg(unix)]
    if let (Ok(a), Ok(b)) = (a.metadata(), b.metadata()) {
        use std::os::unix::fs::MetadataExt;
        return a.dev() == b.dev() && a.ino() == b.ino();
    }
    false
}

/// Is this the place of a file that SQLite keeps beside a database, whether or not there is one yet?
fn is_side_file(database: &Path, path: &Path) -> bool {
    let place = |path: &Path| {
        let name = path.file_name()?.to_owned();
        // The folder of a bare name is the current one.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(name))
    };
    let place_of_path = place(path);
    side_files(database)
        .iter()
        .any(|side| (place_of_path.is_some() && place(side) == place_of_path) || is_same_file(side, path))
}
