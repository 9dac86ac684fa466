//! PostgreSQL databases as sources.
