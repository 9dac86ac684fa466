//! tabark: a snapshot archive for database tables.
//!
//! One file holds many snapshots of chosen tables, compressed and hashed to the last byte. [`dump::dump`] adds a snapshot
//! of a [`source::Source`]; [`archive::Archive`] opens a file, finds snapshots and reads any part of them;
//! [`archive::verify`] checks every stored byte, or every cell; [`restore::restore`] puts tables back into a SQLite database,
//! verified before and proven after; [`export`] writes rows as CSV and JSON lines.
//!
//! ```
//! use tabark::archive::{Archive, SnapshotSelector, VerifyOptions, WriterOptions, verify};
//! use tabark::dump::{DumpOptions, dump};
//! use tabark::restore::{RestoreOptions, restore};
//! use tabark::selection::Selection;
//! use tabark::source::sqlite::SqliteSource;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let (database, archive_path, target) =
//! #     (folder.path().join("app.sqlite"), folder.path().join("app.tabark"), folder.path().join("new.sqlite"));
//! # rusqlite::Connection::open(&database)?.execute_batch("CREATE TABLE users (id INTEGER PRIMARY KEY, name);
//! #     INSERT INTO users VALUES (1, 'Ana'), (2, 'Bo');")?;
//! let source = SqliteSource::open(&database)?;
//! let options = DumpOptions {
//!     tables: Selection::everything(),
//!     filters: vec![],
//!     tags: vec![("deploy".into(), "v1".into())],
//!     time: 1_767_225_600_000_000, // microseconds since 1970: the library knows no clock
//!     writer: "example 1.0".into(),
//!     archive: WriterOptions::default(),
//! };
//! let report = dump(&source, &archive_path, &options, &())?;
//! assert_eq!(report.snapshot.rows, 2);
//!
//! let archive = Archive::open(&archive_path)?;
//! assert!(verify(&archive, &VerifyOptions::default(), &())?.is_intact());
//!
//! let snapshot = archive.select(&SnapshotSelector::Latest)?;
//! let restored = restore(&snapshot, &target, &RestoreOptions::default(), &())?;
//! assert!(restored.tables.iter().all(|table| table.proved));
//! # Ok(())
//! # }
//! ```
//!
//! Errors are one type, [`Error`], with predicates to decide by and a message, a place and a hint to read. The library prints
//! nothing, reads no environment, and tells its progress to an [`observer::Observer`]. Sizes are in bytes, times in microseconds since
//! 1970-01-01T00:00:00Z, rows and row groups are counted from 0.

pub mod archive;
mod block;
pub mod compare;
pub mod container;
pub mod diff;
pub mod dump;
mod encoding;
pub mod error;
pub mod export;
pub mod hex;
pub mod history;
pub mod limits;
pub mod model;
pub mod observer;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub mod restore;
pub mod rewrite;
pub mod selection;
pub mod source;
#[cfg(feature = "sqlite")]
mod sqlite_file;
#[cfg(all(test, unix, feature = "postgres"))]
mod test_servers;
mod wire;

pub use encoding::{Encoding, Profile};
pub use error::{Error, Layer, Result};
