//! PostgreSQL databases through archives and back, judged by those who do not know tabark: `pg_dump` reads the same schema out
//! of both databases, and SQL the same rows and sequences. What was restored gives the same snapshot once more.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "postgres_roundtrip/by_root.rs"]
mod by_root;
#[path = "postgres_roundtrip/defaults.rs"]
mod defaults;
#[path = "postgres_roundtrip/history.rs"]
mod history;
#[path = "common/note.rs"]
mod note;
#[path = "postgres_roundtrip/parts.rs"]
mod parts;
#[path = "common/postgres.rs"]
mod postgres;
#[path = "postgres_roundtrip/scene.rs"]
mod scene;
#[path = "postgres_roundtrip/trap_values.rs"]
mod trap_values;
#[path = "postgres_roundtrip/traps.rs"]
mod traps;
#[path = "common/tree.rs"]
mod tree;
#[path = "postgres_roundtrip/whole.rs"]
mod whole;
