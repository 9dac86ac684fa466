//! How the library tells a caller how far it is, and how a caller asks it to stop.

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Rows are read from a source and stored.
    Dump,
    /// Snapshots of an archive are written anew.
    Rewrite,
    /// Stored bytes are hashed.
    Verify,
    /// Rows are decoded and their content is checked.
    Check,
    /// Rows are written into a target.
    Restore,
    /// Indexes are built, and the database checks itself.
    Finish,
    /// Restored rows are read back and compared.
    Prove,
    /// Rows of two states of a table are compared.
    Compare,
}

/// Is told of progress, and is asked whether to go on. All methods may be called from several threads.
pub trait Observer: Sync {
    /// A phase begins. `table` is the table at work, if it is one; `rows` and `bytes` are what lies ahead, where known.
    fn begin(&self, phase: Phase, table: Option<&str>, rows: Option<u64>, bytes: Option<u64>) {
        let _ = (phase, table, rows, bytes);
    }

    /// So many more rows, and bytes (stored ones while verifying, logical ones elsewhere), are done in the phase begun last.
    fn advance(&self, rows: u64, bytes: u64) {
        let _ = (rows, bytes);
    }

    /// Should the work stop? It then ends with an error for which `is_interrupted` holds, and nothing has changed.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Watches nothing and never stops.
impl Observer for () {}

/// Ends with [`crate::Error::interrupted`] if the observer asks for it.
pub(crate) fn check_cancelled(observer: &dyn Observer) -> crate::Result<()> {
    if observer.is_cancelled() { Err(crate::Error::interrupted()) } else { Ok(()) }
}
