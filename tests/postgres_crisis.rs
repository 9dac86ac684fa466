//! The crisis: tables that are corrupted while an application uses them, and everything that can go wrong on the way back.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "postgres_crisis/added.rs"]
mod added;
#[path = "postgres_crisis/circles.rs"]
mod circles;
#[path = "postgres_crisis/failures.rs"]
mod failures;
#[path = "postgres_crisis/full_disk.rs"]
mod full_disk;
#[path = "common/note.rs"]
mod note;
#[path = "postgres_crisis/one_partition.rs"]
mod one_partition;
#[path = "common/postgres.rs"]
mod postgres;
#[path = "postgres_crisis/refused.rs"]
mod refused;
#[path = "postgres_crisis/replaced.rs"]
mod replaced;
#[path = "postgres_crisis/runbook.rs"]
mod runbook;
#[path = "postgres_crisis/scene.rs"]
mod scene;
#[path = "common/tree.rs"]
mod tree;
