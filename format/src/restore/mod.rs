//! Restoring tables of a snapshot into a database, with proof before and after: into SQLite here, into PostgreSQL in `postgres`.
//!
//! Every stored byte of the chosen tables is verified before the target is touched, the target changes as a whole or not at all,
//! and before it does, what was written is read back and compared with the snapshot.

#[cfg(all(feature = "postgres", feature = "sqlite"))]
mod across;
mod kept;
mod options;
mod passing;
mod plan;
#[cfg(feature = "postgres")]
pub mod postgres;
mod proof;
mod row_sum;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use options::{RestoreMode, RestoreOptions};
pub use plan::{PlannedObject, PlannedTable, RestorePlan, RestoreReport, RestoredTable, TableAction};
#[cfg(feature = "sqlite")]
pub use sqlite::{plan, restore};

use crate::archive::Snapshot;
use crate::error::{Error, Result};
use crate::model::{ForeignKey, SchemaObject, SourceDescription, TableSchema};

/// The foreign keys among these tables of a source, by their definitions and those of the catalog's objects. Those to tables that
/// are not among them are left out.
///
/// Fails if a definition cannot be understood here, if a foreign key has no columns that fit, and if only the source knows which of
/// its values are equal.
pub fn foreign_keys(
    source: &SourceDescription,
    tables: &[TableSchema],
    objects: &[SchemaObject],
) -> Result<Vec<ForeignKey>> {
    match source.engine.as_str() {
        #[cfg(feature = "sqlite")]
        "sqlite" => sqlite::foreign_keys(tables),
        #[cfg(feature = "postgres")]
        "postgresql" => postgres::foreign_keys(tables, objects),
        engine => {
            let _ = (tables, objects);
            Err(Error::unsupported(format!("foreign keys of a source of the kind \"{engine}\"")))
        }
    }
}

/// Is the snapshot of another engine than the target, so that it must be translated? Fails for engines that are not known, and
/// where only one is compiled in.
fn is_from_other(snapshot: &Snapshot<'_>, target: &str) -> Result<bool> {
    match snapshot.manifest().source.engine.as_str() {
        engine if engine == target => Ok(false),
        "sqlite" | "postgresql" if cfg!(all(feature = "postgres", feature = "sqlite")) => Ok(true),
        engine @ ("sqlite" | "postgresql") => Err(Error::unsupported(format!(
            "the snapshot is of a database of the kind \"{engine}\", and this program was built for another kind alone"
        ))
        .with_hint("use one that was built with the features \"postgres\" and \"sqlite\"")),
        engine => Err(Error::request(format!("the snapshot is of a database of the unknown kind \"{engine}\""))),
    }
}
