//! `tabark demo`: what tabark does, on a small database of its own. Every command shown is really run.

mod damage;
mod database;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Parser;
use tabark::Error;

use super::Outcome;
use crate::args::{Cli, DemoArgs};
use crate::exit::{Exit, Failure};
use crate::pipe::Pipe;
use crate::report::problems;
use crate::report::text::visible;

const DATABASE: &str = "app.sqlite";
const ARCHIVE: &str = "app.tabark";
const DAMAGED: &str = "damaged.tabark";
/// The table whose bytes are damaged in the copy.
const VICTIM: &str = "driver_profiles";

pub(crate) fn run(args: &DemoArgs, out: &mut Pipe) -> Outcome {
    let folder = folder(args.dir.as_deref())?;
    writeln!(out, "Everything happens in {}", visible(&folder.display().to_string()))?;
    std::env::set_current_dir(&folder).map_err(|cause| Error::io("changing to the demo's folder", cause))?;
    let database = database::Database::create(Path::new(DATABASE))?;
    say(out, "A small SQLite database: users with 60-minute sessions, drivers, venues, weather.")?;
    step(out, &["dump", DATABASE, ARCHIVE, "--tag", "deploy=v1"], Exit::Well)?;
    let changes = database.change()?;
    say(out, &format!("Time passes: {changes}."))?;
    step(out, &["dump", DATABASE, ARCHIVE, "--tag", "deploy=v2"], Exit::Well)?;
    step(out, &["list", ARCHIVE], Exit::Well)?;
    step(out, &["verify", ARCHIVE, "--full"], Exit::Well)?;
    let (place, frame) = damage::damaged_copy(Path::new(ARCHIVE), Path::new(DAMAGED), VICTIM)?;
    say(out, &format!("A copy of the archive with one bit flipped at {place}, in the frame that begins at {frame}:"))?;
    step(out, &["verify", DAMAGED], Exit::Damaged)?;
    say(out, "What is not damaged can still be restored, even from there:")?;
    step(out, &["restore", DAMAGED, "rescued.sqlite", "-t", "users"], Exit::Well)?;
    say(out, "From the sound archive, a table as it was before the changes:")?;
    step(out, &["restore", ARCHIVE, "before.sqlite", "--at", "tag:deploy=v1", "-t", "venue_catalog"], Exit::Well)?;
    Ok(Exit::Well)
}

/// A folder with nothing in it: the one given, or a fresh one.
fn folder(given: Option<&Path>) -> Result<PathBuf, Error> {
    let Some(folder) = given else {
        let made = tempfile::Builder::new().prefix("tabark-demo-").tempdir();
        return made.map(tempfile::TempDir::keep).map_err(|cause| Error::io("making a temp folder", cause));
    };
    let doing = || format!("preparing {}", folder.display());
    std::fs::create_dir_all(folder).map_err(|cause| Error::io(doing(), cause))?;
    let mut entries = folder.read_dir().map_err(|cause| Error::io(doing(), cause))?;
    if entries.next().is_some() {
        return Err(Error::request(format!("{} is not empty; nothing in it was touched", folder.display()))
            .with_hint("give an empty or new folder, or none"));
    }
    Ok(folder.to_owned())
}

fn say(out: &mut Pipe, text: &str) -> Result<(), Failure> {
    Ok(writeln!(out, "\n# {text}")?)
}

/// Shows a command and runs it, as a shell would.
fn step(out: &mut Pipe, arguments: &[&str], expected: Exit) -> Result<(), Failure> {
    writeln!(out, "\n$ tabark {}", arguments.join(" "))?;
    let arguments = std::iter::once("tabark").chain(arguments.iter().copied());
    let cli = Cli::try_parse_from(arguments).map_err(|cause| Failure::Usage(Error::request(cause.to_string())))?;
    let exit = match super::run(&cli.command, out) {
        Ok(exit) => exit,
        Err(Failure::Operation(error)) if error.is_interrupted() => return Err(error.into()),
        Err(failure) => {
            let exit = failure.exit();
            problems::report(&failure, exit, false, out);
            exit
        }
    };
    if exit != Exit::Well {
        writeln!(out, "(exit code {})", exit.code())?;
    }
    if exit == expected {
        return Ok(());
    }
    let why = format!("the demo's last command ended with {}, not {}", exit.code(), expected.code());
    Err(Error::request(why).with_hint("this is a bug in tabark; please report it").into())
}
