//! What commands take that go from a database to an archive, or back.

use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;
use tabark::Error;
use tabark::history::duration::Duration;
use tabark::restore::RestoreMode;
use tabark::source::postgres::PostgresOptions;

use super::values::{parse_expire, parse_jobs, parse_mode, parse_rename, parse_tag, parse_time};
use super::{At, Jobs};
use crate::exit::Failure;

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
