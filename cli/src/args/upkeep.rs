//! What commands take that write an archive anew, or say what was taken out of it.

use std::path::PathBuf;

use clap::Args;
use tabark::history::duration::Duration;
use tabark::history::retention::{Count, TagRule};
use tabark::rewrite::erase::KeyValue;

use super::Jobs;
use super::values::{parse_count, parse_tag_rule, parse_within};

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
