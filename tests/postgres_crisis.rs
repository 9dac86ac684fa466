//! The crisis: tables that are corrupted while an application uses them, and everything that can go wrong on the way back.
//! All of it on each version of the server: there are as many modules as `tests/run` has versions.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![expect(clippy::duplicate_mod, reason = "once for each version")]

#[path = "common/note.rs"]
mod note;
#[path = "common/postgres.rs"]
mod postgres;
#[path = "common/tree.rs"]
mod tree;

#[path = "postgres_crisis"]
mod on_the_first {
    /// The version of the server.
    fn major() -> Option<u32> {
        crate::postgres::majors().first().copied()
    }

    mod added;
    mod circles;
    mod failures;
    mod full_disk;
    mod one_partition;
    mod refused;
    mod replaced;
    mod runbook;
    mod scene;
}

#[path = "postgres_crisis"]
mod on_the_second {
    /// The version of the server.
    fn major() -> Option<u32> {
        crate::postgres::majors().get(1).copied()
    }

    mod added;
    mod circles;
    mod failures;
    mod full_disk;
    mod one_partition;
    mod refused;
    mod replaced;
    mod runbook;
    mod scene;
}

#[path = "postgres_crisis"]
mod on_the_third {
    /// The version of the server.
    fn major() -> Option<u32> {
        crate::postgres::majors().get(2).copied()
    }

    mod added;
    mod circles;
    mod failures;
    mod full_disk;
    mod one_partition;
    mod refused;
    mod replaced;
    mod runbook;
    mod scene;
}
