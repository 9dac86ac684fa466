//! Every maximum of the format in one place, each with its reason. `spec/format.md` §2.2 lists them; a test compares.

/// Bytes of the raw body of a metadata frame. A page of 64 row groups of 2,000 columns takes about 20 MB.
pub const MAX_METADATA_BODY: usize = 64 << 20;
/// Bytes of the raw body of a data frame: variable payloads are counted in `u32`, and databases allow values up to 2 GiB.
pub const MAX_DATA_BODY: u64 = u32::MAX as u64;
/// Rows in a row group: bounds the memory for one row group of narrow rows.
pub const MAX_GROUP_ROWS: u32 = 1 << 17;
/// Rows before a key may end a row group: below it, blocks are too small to compress and hash well.
pub const MIN_GROUP_ROWS: u32 = 1 << 15;
/// Row bytes (`spec/format.md` §7.2) in a row group of more than one row: bounds the memory for one row group of wide rows.
pub const MAX_GROUP_BYTES: u64 = 64 << 20;
/// Leading zero bits of a row hash that start a row group: one row in 32,768, so that groups have about 65,536.
pub const GROUP_BOUNDARY_BITS: u32 = 15;
/// Row groups in a leaf page, children of an inner page, pages in a table manifest: a page stays a few hundred kB.
pub const MAX_PAGE_ENTRIES: usize = 64;
/// The largest page depth of a table manifest: 64^10 row groups are more than any table has.
pub const MAX_PAGE_DEPTH: u32 = 8;
/// Layers of a row group: each costs a reader a slice per column that it changes, and a page an entry.
pub const MAX_LAYERS: usize = 64;
/// Columns in a table. PostgreSQL allows 1,600, SQLite 32,767 when built so.
pub const MAX_COLUMNS: usize = 65_535;
/// Tables in a snapshot: their entries must fit the catalog's frame.
pub const MAX_TABLES: usize = 1 << 18;
/// Bytes of the name of a table, column, tag or setting.
pub const MAX_NAME_BYTES: usize = 65_535;
/// Bytes of a text or bytes value in a bound: enough to tell rows apart, small enough to keep pages small.
pub const MAX_BOUND_BYTES: usize = 64;
/// Bytes of all tags of a snapshot, keys and values: a history page holds those of 64.
pub const MAX_TAG_BYTES: usize = 65_536;
/// Snapshots in one history page: listing reads one place per this many.
pub const HISTORY_PAGE_ENTRIES: usize = 64;
