//! What commands take that only read an archive.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tabark::archive::SnapshotSelector;

use super::values::{parse_root, parse_selector};
use super::{At, Jobs};

/// `tabark list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// Report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
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

/// What `cat` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Csv,
    Jsonl,
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
