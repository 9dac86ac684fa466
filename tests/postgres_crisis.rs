//! The crisis: tables that are corrupted while an application uses them, and everything that can go wrong on the way back.
//! All of it on each version of the server.
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
mod on_15 {
    const MAJOR: u32 = 15;

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
mod on_17 {
    const MAJOR: u32 = 17;

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
mod on_18 {
    const MAJOR: u32 = 18;

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
