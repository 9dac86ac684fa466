//! The command line. A misspelt option, or one that a command does not have, is an error.

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use tabark::Error;
use tabark::archive::SnapshotSelector;
use tabark::history::duration::Duration;
use tabark::history::retention::{self, Count, TagRule};
use tabark::restore::RestoreMode;
use tabark::rewrite::erase::KeyValue;
use tabark::source::postgres::PostgresOptions;

use crate::exit::Failure;

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

/// How many threads work.
#[derive(Debug, Args)]
pub(crate) struct Jobs {
    /// Threads to work with, 1 to 1024 [default: as many as there are cores]
    #[arg(long = "jobs", value_name = "N", value_parser = parse_jobs)]
    pub(crate) number: Option<NonZero<usize>>,
}

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

/// `tabark dump`.
#[derive(Debug, Args)]
pub(crate) struct DumpArgs {
    /// The database, which is only read: the path of an SQLite file, or a PostgreSQL URL or connection string. A password in it does
    /// not stay in the list of processes; better are PGPASSWORD, ~/.pgpass and services.
    pub(crate) source: PathBuf,
    /// The archive; made if it does not exist.
    pub(crate) archive: PathBuf,
    /// Take only tables, views and virtual tables that match; glob pattern or exact name, may be repeated.
    #[arg(short = 't', long = "table", value_name = "PATTERN")]
    pub(crate) tables: Vec<String>,
    /// Leave out what matches; may be repeated.
    #[arg(short = 'T', long = "exclude-table", value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,
    /// Take only rows of a table for which an SQL expression of the source is true; the snapshot says that the table is partial.
    /// May be repeated.
    #[arg(long = "where", value_name = "TABLE=SQL")]
    pub(crate) conditions: Vec<String>,
    /// Leave out rows whose time in a column is older than this, as in sessions.seen=60m (m: minutes, mo: months); rows without a
    /// time are kept. The snapshot says that the table is partial. May be repeated.
    #[arg(long, value_name = "TABLE.COLUMN=AGE", value_parser = parse_expire)]
    pub(crate) expire: Vec<(String, Duration)>,
    /// A tag for the snapshot; may be repeated.
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = parse_tag)]
    pub(crate) tags: Vec<(String, String)>,
    /// Dump faster into a somewhat larger archive: compression level 1, and no encoding that takes long.
    #[arg(long)]
    pub(crate) fast: bool,
    /// Compression level, 1 (fast) to 22 (small, for archives that are written once and kept) [default: 3; 1 with --fast]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=22))]
    pub(crate) level: Option<i32>,
    /// The snapshot's time (RFC 3339) instead of the clock's, for tests that need the same bytes again.
    #[arg(long, hide = true, value_name = "TIME", value_parser = parse_time)]
    pub(crate) time: Option<i64>,
    /// PostgreSQL: how long to wait for who is changing the definition of a chosen table.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) lock_timeout: u32,
    /// Threads to work with, 1 to 1024 [default: as many as there are cores]; of PostgreSQL, also connections that read at the same
    /// time [default: 1].
    #[arg(long = "jobs", value_name = "N", value_parser = parse_jobs)]
    pub(crate) jobs: Option<NonZero<usize>>,
    /// Report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl DumpArgs {
    /// How a PostgreSQL database is read.
    pub(crate) fn connecting(&self) -> PostgresOptions {
        let options = PostgresOptions::default().lock_timeout(std::time::Duration::from_secs(self.lock_timeout.into()));
        self.jobs.map_or(options, |jobs| options.connections(jobs))
    }
}

/// `tabark list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// Report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
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

/// `tabark show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The archive.
    pub(crate) archive: PathBuf,
    #[command(flatten)]
    pub(crate) at: At,
    /// Show columns, key, indexes, triggers and definition of these tables; may be repeated.
    #[arg(short = 't', long = "table", value_name = "PATTERN")]
    pub(crate) tables: Vec<String>,
    /// Report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `tabark verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The archive.
    pub(crate) archive: PathBuf,
    #[command(flatten)]
    pub(crate) at: At,
    /// Only tables that match; may be repeated.
    #[arg(short = 't', long = "table", value_name = "PATTERN")]
    pub(crate) tables: Vec<String>,
    /// Also decode every cell, and check contents, counts, order and fingerprints.
    #[arg(long)]
    pub(crate) full: bool,
    /// The root (64 hex digits) that the chosen or newest snapshot must have.
    #[arg(long, value_name = "HEX", value_parser = parse_root)]
    pub(crate) root: Option<[u8; 32]>,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// Report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `tabark restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// The database: the path of an SQLite file, which is made if it does not exist, or a PostgreSQL URL or connection string.
    pub(crate) target: PathBuf,
    #[command(flatten)]
    pub(crate) at: At,
    /// Only tables, views and virtual tables that match; may be repeated.
    #[arg(short = 't', long = "table", value_name = "PATTERN")]
    pub(crate) tables: Vec<String>,
    /// Leave out what matches; may be repeated.
    #[arg(short = 'T', long = "exclude-table", value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,
    /// Leave out rows whose time in a column is older than this now, as in sessions.seen=60m (m: minutes, mo: months); rows without
    /// a time are kept. May be repeated.
    #[arg(long, value_name = "TABLE.COLUMN=AGE", value_parser = parse_expire)]
    pub(crate) expire: Vec<(String, Duration)>,
    /// Refuse a snapshot that holds what was erased from a newer copy of the archive, by what `tabark erasures --json` says of that.
    #[arg(long, value_name = "FILE")]
    pub(crate) erasures: Option<PathBuf>,
    /// create refuses tables that exist, replace puts the snapshot's in their place, append adds rows to them; upsert (PostgreSQL)
    /// puts rows in the place of those with the same key, or adds them.
    #[arg(long, value_name = "MODE", default_value = "create", value_parser = parse_mode)]
    pub(crate) mode: RestoreMode,
    /// Only say what would be done; of PostgreSQL, with all statements.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) postgres: PostgresArgs,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// Report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What only a restore into PostgreSQL takes. There, `--jobs` is also the number of connections, of which more than one need an
/// empty database.
#[derive(Debug, Args)]
#[command(next_help_heading = "PostgreSQL")]
pub(crate) struct PostgresArgs {
    /// Restore all tables and views into this schema, whatever they were in.
    #[arg(long, value_name = "SCHEMA")]
    pub(crate) into_schema: Option<String>,
    /// Restore a table under another name; may be repeated.
    #[arg(long, value_name = "OLD=NEW", value_parser = parse_rename)]
    pub(crate) rename: Vec<(String, String)>,
    /// Leave out who owns what.
    #[arg(long)]
    pub(crate) no_owner: bool,
    /// Leave out who may do what.
    #[arg(long)]
    pub(crate) no_privileges: bool,
    /// Restore rows alone, into tables that exist.
    #[arg(long, conflicts_with = "schema_only")]
    pub(crate) data_only: bool,
    /// Restore definitions alone.
    #[arg(long)]
    pub(crate) schema_only: bool,
    /// Send the rows of partitions to the partitioned table and let the server say which partition they belong to: where texts compare
    /// in another order there, for instance. Hashes that are known to differ between servers do so in any case.
    #[arg(long, conflicts_with = "data_only")]
    pub(crate) by_root: bool,
    /// With --mode replace: keep the tables that are replaced, in a schema named tabark_old_ and the time.
    #[arg(long)]
    pub(crate) keep_old: bool,
    /// How long to wait for those who use a table that is replaced or added to.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) lock_timeout: u32,
}

impl PostgresArgs {
    /// Fails if one is given for another database.
    pub(crate) fn refuse(&self) -> Result<(), Failure> {
        let given = [
            (self.into_schema.is_some(), "--into-schema"),
            (!self.rename.is_empty(), "--rename"),
            (self.no_owner, "--no-owner"),
            (self.no_privileges, "--no-privileges"),
            (self.data_only, "--data-only"),
            (self.schema_only, "--schema-only"),
            (self.by_root, "--by-root"),
            (self.keep_old, "--keep-old"),
        ];
        match given.iter().find(|(given, _)| *given) {
            Some((_, option)) => Err(Failure::Usage(
                Error::request(format!("{option} is for PostgreSQL databases")).with_hint("leave it out"),
            )),
            None => Ok(()),
        }
    }
}

/// `tabark cat`.
#[derive(Debug, Args)]
pub(crate) struct CatArgs {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// The table's exact name.
    #[arg(short = 't', long = "table", value_name = "TABLE")]
    pub(crate) table: String,
    #[command(flatten)]
    pub(crate) at: At,
    /// csv (RFC 4180), or jsonl: one object per line, every kind of value kept apart.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    pub(crate) format: Format,
    /// Only these columns, in this order, parted by commas; may be repeated.
    #[arg(long, value_name = "NAMES", conflicts_with = "rowid")]
    pub(crate) columns: Vec<String>,
    /// Only the first N rows.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Also the hidden row id, where the table has one.
    #[arg(long)]
    pub(crate) rowid: bool,
    /// With jsonl: reals as their 64 bits in hex.
    #[arg(long)]
    pub(crate) exact: bool,
}

/// What of differences is shown, and how.
#[derive(Debug, Args)]
pub(crate) struct Shown {
    /// Only tables, views and virtual tables that match; glob pattern or exact name, may be repeated.
    #[arg(short = 't', long = "table", value_name = "PATTERN")]
    pub(crate) tables: Vec<String>,
    /// Write each row that differs as one line of JSON, and nothing else.
    #[arg(long, conflicts_with = "json")]
    pub(crate) rows: bool,
    /// Report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `tabark diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// The snapshot before: whatever --at takes elsewhere.
    #[arg(value_name = "BEFORE", value_parser = parse_selector)]
    pub(crate) before: SnapshotSelector,
    /// The snapshot after.
    #[arg(value_name = "AFTER", value_parser = parse_selector)]
    pub(crate) after: SnapshotSelector,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// `tabark compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// The database, which is only read: the path of an SQLite file, or a PostgreSQL URL or connection string.
    pub(crate) source: PathBuf,
    #[command(flatten)]
    pub(crate) at: At,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// What `cat` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Csv,
    Jsonl,
}

/// `tabark prune`.
#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    /// The archive.
    pub(crate) archive: PathBuf,
    #[command(flatten)]
    pub(crate) keep: Keep,
    /// Only say what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// Report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `tabark compact`.
#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// Compress every block anew at this level, 1 (fast) to 22 (small); without it blocks are copied where they can be.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=22))]
    pub(crate) level: Option<i32>,
    /// Work faster for a somewhat larger archive: what must be encoded is encoded and compressed with less effort.
    #[arg(long)]
    pub(crate) fast: bool,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// Report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `tabark erase`.
#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// The table's exact name.
    #[arg(short = 't', long = "table", value_name = "TABLE")]
    pub(crate) table: String,
    /// Values of keys of rows to erase, in turn for each column of the table's key: --key 7 8 names two rows of a key of one
    /// column, and one of a key of two. 'TEXT' in quotes is a text only, x'00FF' is bytes. May be repeated.
    #[arg(long = "key", value_name = "VALUE", required = true, num_args = 1.., allow_negative_numbers = true)]
    pub(crate) keys: Vec<KeyValue>,
    /// Choose rows by this column instead of by the table's key; may be repeated.
    #[arg(long = "column", value_name = "NAME")]
    pub(crate) columns: Vec<String>,
    /// Also erase the rows that refer to erased ones by foreign keys, and those that refer to them in turn.
    #[arg(long)]
    pub(crate) cascade: bool,
    /// Erase even where a full-text index or another virtual table may hold words of the rows, and leave that as it is.
    #[arg(long)]
    pub(crate) keep_shadow: bool,
    /// Why, for the record that the archive keeps. Name no erased value here.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) reason: String,
    /// Only say what would be erased.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// Report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `tabark erasures`.
#[derive(Debug, Args)]
pub(crate) struct ErasuresArgs {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// Report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to keep: what any of these keeps. Periods are of the calendar in UTC, and those without a snapshot do not count.
#[derive(Debug, Default, Args)]
pub(crate) struct Keep {
    /// Keep the newest N snapshots; here and below, N can be "unlimited".
    #[arg(long = "keep-last", value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub(crate) last: Option<Count>,
    /// Keep the newest snapshot of each of the last N hours that have one.
    #[arg(long = "keep-hourly", value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub(crate) hourly: Option<Count>,
    /// Keep the newest snapshot of each of the last N days that have one.
    #[arg(long = "keep-daily", value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub(crate) daily: Option<Count>,
    /// Keep the newest snapshot of each of the last N weeks (from Monday) that have one.
    #[arg(long = "keep-weekly", value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub(crate) weekly: Option<Count>,
    /// Keep the newest snapshot of each of the last N months that have one.
    #[arg(long = "keep-monthly", value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub(crate) monthly: Option<Count>,
    /// Keep the newest snapshot of each of the last N years that have one.
    #[arg(long = "keep-yearly", value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub(crate) yearly: Option<Count>,
    /// Keep all that are at most this much older than the newest snapshot: 12h, 90d, 2w, 6mo, 1y6mo.
    #[arg(long = "keep-within", value_name = "DURATION", value_parser = parse_within)]
    pub(crate) within: Option<Duration>,
    /// Keep all that have this tag, with any value if none is given; may be repeated.
    #[arg(long = "keep-tag", value_name = "KEY[=VALUE]", value_parser = parse_tag_rule)]
    pub(crate) tags: Vec<TagRule>,
}

/// `tabark demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// An empty or new folder; a fresh temp folder if none is given.
    pub(crate) dir: Option<PathBuf>,
}

/// `OLD=NEW`, the last `=` counts.
fn parse_rename(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => Ok((old.to_owned(), new.to_owned())),
        _ => Err("write OLD=NEW".to_owned()),
    }
}

fn parse_tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

fn parse_expire(text: &str) -> Result<(String, Duration), String> {
    // An age has no equals sign; a column's name may.
    let (place, age) =
        text.rsplit_once('=').ok_or_else(|| "write TABLE.COLUMN=AGE, as in sessions.seen=60m".to_owned())?;
    Ok((place.to_owned(), age.parse().map_err(|error: Error| with_hint(&error))?))
}

fn parse_jobs(text: &str) -> Result<NonZero<usize>, String> {
    let number = text.parse().ok().filter(|number: &NonZero<usize>| number.get() <= 1024);
    number.ok_or_else(|| "write a number from 1 to 1024".to_owned())
}

fn parse_time(text: &str) -> Result<i64, String> {
    text.parse::<Timestamp>().map(Timestamp::as_microsecond).map_err(|error| error.to_string())
}

fn parse_selector(text: &str) -> Result<SnapshotSelector, String> {
    text.parse().map_err(|error: Error| with_hint(&error))
}

fn parse_mode(text: &str) -> Result<RestoreMode, String> {
    text.parse().map_err(|error: Error| with_hint(&error))
}

fn parse_root(text: &str) -> Result<[u8; 32], String> {
    tabark::hex::decode_digest(text).ok_or_else(|| "a root is 64 hex digits".to_owned())
}

fn parse_count(text: &str) -> Result<Count, String> {
    text.parse().map_err(|error: Error| with_hint(&error))
}

fn parse_within(text: &str) -> Result<Duration, String> {
    retention::parse_within(text).map_err(|error| with_hint(&error))
}

fn parse_tag_rule(text: &str) -> Result<TagRule, String> {
    text.parse().map_err(|error: Error| with_hint(&error))
}

/// clap has one line for what is wrong with a value.
fn with_hint(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
