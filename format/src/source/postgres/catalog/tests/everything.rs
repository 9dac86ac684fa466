//! The schemas that hold every kind of object.

use super::judged::{inventory, judge};
use super::postgres::servers;

#[test]
fn a_database_of_plain_tables_is_made_again() {
    for server in servers() {
        let original = server.database("plain");
        original.psql(
            "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
             CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL DEFAULT 'x', mood mood,
                                 parent int REFERENCES users, CHECK (id > 0));
             CREATE INDEX users_by_name ON users (lower(name)) WHERE mood <> 'sad';
             CREATE DOMAIN positive AS int CHECK (VALUE > 0) NOT NULL;
             CREATE TABLE posts (id bigint GENERATED ALWAYS AS IDENTITY, author int REFERENCES users ON DELETE CASCADE,
                                 votes positive, title varchar(20) COLLATE \"C\" UNIQUE);
             SELECT nextval('users_id_seq'), nextval('users_id_seq');",
        );
        let found = judge(server, &original);
        assert_eq!(found.catalog.tables.len(), 2);
        assert_eq!(found.catalog.omitted, []);
        assert_eq!(inventory(&original, &["posts"], &[]).catalog.tables.len(), 1);
    }
}
