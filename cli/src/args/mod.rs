//! The command line. A misspelt option, or one that a command does not have, is an error.
//!
//! What a command takes stands with those of its kind: `databases` (there and back), `reading`, `upkeep`; `values` reads what
//! options are given.

mod databases;
mod reading;
mod upkeep;
mod values;

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tabark::archive::SnapshotSelector;

pub(crate) use self::databases::{DumpArgs, RestoreArgs};
pub(crate) use self::reading::{CatArgs, CompareArgs, DiffArgs, Format, ListArgs, ShowArgs, Shown, VerifyArgs};
pub(crate) use self::upkeep::{CompactArgs, EraseArgs, ErasuresArgs, Keep, PruneArgs};
use self::values::{parse_jobs, parse_selector};

/// A verified snapshot archive for database tables.
#[derive(Debug, Parser)]
#[command(name = "tabark", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 all went well; 1 the operation failed; 2 the command line is wrong; \
3 the archive is damaged, or a restored table is not proven; 4 the archive needs a newer tabark. \
Of diff and compare: 0 the same; 1 different; 2 the operation failed or the command line is wrong; 3 and 4 as above.";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Store the tables of a database as one more snapshot of an archive.
    Dump(DumpArgs),
    /// List the snapshots of an archive.
    List(ListArgs),
    /// Show what a snapshot holds; with -t, all about its tables.
    Show(ShowArgs),
    /// Check every stored byte, and say what is damaged and what is not.
    Verify(VerifyArgs),
    /// Put tables of a snapshot back into a database, and prove that they equal the snapshot.
    Restore(RestoreArgs),
    /// Write rows to standard output.
    Cat(CatArgs),
    /// Drop the snapshots that no rule keeps, after saying which and why.
    Prune(PruneArgs),
    /// Write an archive anew, without the bytes that belong to no snapshot.
    Compact(CompactArgs),
    /// Say what differs between two snapshots. Exit code 0: nothing; 1: something.
    Diff(DiffArgs),
    /// Say what of a database differs from a snapshot. Exit code 0: nothing; 1: something.
    Compare(CompareArgs),
    /// Take rows out of all snapshots of an archive, after saying which.
    Erase(EraseArgs),
    /// Show what was erased from an archive; as JSON, for restore --erasures.
    Erasures(ErasuresArgs),
    /// Make a small database and show on it what tabark does.
    Demo(DemoArgs),
}

impl Command {
    /// Does the caller want JSON?
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Dump(args) => args.json,
            Self::List(args) => args.json,
            Self::Show(args) => args.json,
            Self::Verify(args) => args.json,
            Self::Restore(args) => args.json,
            Self::Prune(args) => args.json,
            Self::Compact(args) => args.json,
            Self::Diff(args) => args.shown.json,
            Self::Compare(args) => args.shown.json,
            Self::Erase(args) => args.json,
            Self::Erasures(args) => args.json,
            Self::Cat(_) | Self::Demo(_) => false,
        }
    }

    /// Does exit code 1 tell of a difference, so that a failure must have another one?
    pub(crate) fn compares(&self) -> bool {
        matches!(self, Self::Diff(_) | Self::Compare(_))
    }
}

/// How many threads work.
#[derive(Debug, Args)]
pub(crate) struct Jobs {
    /// Threads to work with, 1 to 1024 [default: as many as there are cores]
    #[arg(long = "jobs", value_name = "N", value_parser = parse_jobs)]
    pub(crate) number: Option<NonZero<usize>>,
}

/// Which snapshot.
#[derive(Debug, Args)]
pub(crate) struct At {
    /// latest, a number, YYYY-MM-DD[THH:MM[:SS]] (UTC), tag:KEY=VALUE, or the beginning of a root.
    #[allow(
        rustdoc::broken_intra_doc_links,
        reason = "the text is help for people; brackets hold what may be left out"
    )]
    #[arg(long, value_name = "SNAPSHOT", value_parser = parse_selector)]
    pub(crate) at: Option<SnapshotSelector>,
}

impl At {
    /// The chosen snapshot, or the newest.
    pub(crate) fn or_latest(&self) -> SnapshotSelector {
        self.at.clone().unwrap_or_default()
    }
}

/// `tabark demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// An empty or new folder; a fresh temp folder if none is given.
    pub(crate) dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
