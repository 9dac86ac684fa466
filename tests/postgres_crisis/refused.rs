//! What a replacement refuses, before it has touched anything.

use super::major;
use super::scene::{Ran, Scene, wait_until};

/// Refused with these words, and nothing was changed.
#[track_caller]
fn refused(scene: &Scene<'_>, options: &[&str], words: &[&str]) {
    let before = scene.state();
    let ran = scene.replace(options).ended(1);
    for word in words {
        assert!(ran.err.contains(word), "no \"{word}\" in {ran:#?}");
    }
    scene.is_as(&before);
}

#[test]
fn what_stands_on_a_table_and_cannot_follow_is_named() {
    let Some(scene) = Scene::dumped("refused_others") else { return };
    let before = scene.state();
    let body_in_sql = (
        "CREATE FUNCTION many() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM users; END",
        "DROP FUNCTION many",
        "function public.many()",
    );
    let body_in_sql = major().filter(|major| *major >= 14).map(|_| body_in_sql);
    let others = [
        (
            "CREATE FUNCTION seen(u users) RETURNS text LANGUAGE sql AS 'SELECT $1.email'",
            "DROP FUNCTION seen",
            "function public.seen(public.users)",
        ),
        (
            "CREATE POLICY mine ON trips USING (EXISTS (SELECT FROM users u WHERE u.id = user_id))",
            "DROP POLICY mine ON trips",
            "policy mine on table public.trips",
        ),
        ("CREATE TABLE special_users () INHERITS (users)", "DROP TABLE special_users", "table public.special_users"),
        ("CREATE TABLE kept (u users)", "DROP TABLE kept", "column u of table public.kept"),
        (
            "CREATE RULE also AS ON INSERT TO trips DO ALSO UPDATE users SET seen = now() WHERE id = NEW.user_id",
            "DROP RULE also ON trips",
            "a rule on table public.trips",
        ),
    ];
    for (made, gone, name) in others.into_iter().chain(body_in_sql) {
        scene.database.psql(made);
        let ran =
            scene.replace(&[]).ended(1).says("what is to be replaced is needed by").says(name).says("--into-schema");
        scene.replace(&["--dry-run"]).ended(1).says(ran.err.lines().next().unwrap());
        scene.database.psql(gone);
    }
    scene.is_as(&before);
    scene.replace(&[]).ended(0);
}

#[test]
fn publications_follow() {
    let Some(scene) = Scene::dumped("refused_publication") else { return };
    // Before 15, all columns and all rows are published.
    let published_parts = major().is_some_and(|major| major >= 15);
    let part = if published_parts { "(id, email) WHERE (id > 5)" } else { "" };
    scene.database.psql(&format!(
        "CREATE PUBLICATION \"some\" FOR TABLE users {part}, trips; CREATE PUBLICATION all_tables FOR ALL TABLES"
    ));
    let before = scene.state();
    scene.replace(&[]).ended(0);
    scene.is_as(&before);
    scene.replace(&["--keep-old"]).ended(0);
    let (parts, expected) = if published_parts {
        (", attnames, rowfilter", ["trips|{id,user_id,driver_id,fare}|", "users|{id,email}|(id > 5)"])
    } else {
        ("", ["trips", "users"])
    };
    let published =
        format!("SELECT tablename{parts} FROM pg_publication_tables WHERE pubname = 'some' AND schemaname = 'public'");
    let mut found: Vec<String> = scene.database.psql(&published).lines().map(str::to_owned).collect();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn rows_that_a_foreign_key_needs_and_the_snapshot_has_not() {
    let Some(scene) = Scene::dumped("refused_keys") else { return };
    scene.database.psql("INSERT INTO users (email) VALUES ('late'); INSERT INTO trips (user_id) VALUES (2001)");
    refused(&scene, &[], &["trips", "trips_user_id_fkey", "restore it too, or delete those rows first"]);
    // What the hint says helps.
    scene.replace(&["-t", "trips"]).ended(0);
}

#[test]
fn who_may_not_make_schemas_is_told_so_at_once() {
    let Some(scene) = Scene::dumped("refused_create") else { return };
    scene.database.psql(
        "DO $$ BEGIN CREATE ROLE small LOGIN; EXCEPTION WHEN duplicate_object THEN END $$; GRANT app_owner TO small;
         CREATE SEQUENCE of_somebody_else",
    );
    let before = scene.state();
    let url = scene.database.url_as("small");
    scene
        .run(&["restore", "app.tabark", &url, "-t", "users", "--mode", "replace"])
        .ended(1)
        .says("may not make schemas")
        .says("GRANT CREATE ON DATABASE");
    scene.is_as(&before);
}

#[test]
fn a_staging_schema_that_is_there_is_somebody_elses() {
    let Some(scene) = Scene::dumped("refused_staging") else { return };
    let told = scene.replace(&["--dry-run", "--json"]).ended(0).json();
    let staging = told["plan"]["steps"][0]["name"].as_str().unwrap().to_owned();
    scene.database.psql(&format!("CREATE SCHEMA {staging}; CREATE TABLE {staging}.precious ()"));
    refused(&scene, &[], &["the target has a schema", &staging]);
}

#[test]
fn a_table_of_another_kind() {
    let Some(scene) = Scene::dumped("refused_kind") else { return };
    scene.database.psql("ALTER TABLE users RENAME TO people; CREATE VIEW users AS SELECT * FROM people");
    refused(&scene, &[], &["public.users is a view in the target and a table in the snapshot"]);
}

#[test]
fn a_lock_that_somebody_holds_is_waited_for_and_then_named() {
    let Some(scene) = Scene::dumped("refused_lock") else { return };
    let before = scene.state();
    let mut reader = scene.database.session();
    reader.run("BEGIN; SELECT count(*) FROM users");
    let ran =
        scene.replace(&["--lock-timeout", "1"]).ended(1).says("lock timeout").says("another session holds a lock");
    assert!(!ran.err.contains("deadlock"), "{ran:#?}");
    // Somebody who reads for a short while is waited for.
    let url = scene.database.url();
    let child = scene.start(&["restore", "app.tabark", &url, "-t", "users", "-t", "driver_profiles", "--mode=replace"]);
    // It tries again and again, and lets others pass in between.
    let waits = "SELECT count(*) FROM pg_locks WHERE relation = 'users'::regclass AND NOT granted";
    wait_until("the restore waits", || scene.database.psql(waits) != "0\n");
    reader.run("COMMIT");
    Ran::of(child.wait_with_output().unwrap()).ended(0);
    scene.is_as(&before);
}

#[test]
fn beside_what_is_there() {
    let Some(scene) = Scene::dumped("refused_beside") else { return };
    let before = scene.state();
    let tables = ["-t", "users", "-t", "driver_profiles"];
    scene.restore(&[&tables[..], &["--into-schema", "beside"]].concat()).ended(0);
    assert_eq!(
        scene.database.psql("SELECT count(*) FROM beside.users u JOIN beside.driver_profiles d ON d.user_id = u.id"),
        "500\n"
    );
    assert_eq!(scene.database.psql("INSERT INTO beside.users (email) VALUES ('x') RETURNING id"), "2001\n");
    scene
        .restore(&[&tables[..], &["--into-schema", "beside"]].concat())
        .ended(1)
        .says("the target has a table beside.");
    scene.restore(&[&tables[..], &["--into-schema", "beside", "--mode", "replace"]].concat()).ended(0);
    scene.database.psql("DROP SCHEMA beside CASCADE");
    scene.is_as(&before);
    scene.restore(&["-t", "users", "--rename", "users=users_before"]).ended(0);
    scene.restore(&["-t", "driver_profiles", "--rename", "driver_profiles=drivers"]).ended(0);
    assert_eq!(scene.database.psql("INSERT INTO users_before (email) VALUES ('x') RETURNING id"), "2001\n");
    scene.database.psql("DROP TABLE drivers, users_before");
    scene.is_as(&before);
}

#[test]
fn partitions_and_their_parents_go_together() {
    let script = "
        CREATE TABLE readings (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE readings_1 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
        CREATE TABLE readings_2 PARTITION OF readings FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
        CREATE INDEX ON readings (at);
        CREATE VIEW latest AS SELECT max(at) FROM readings;
        CREATE TABLE notes (id int, at date, FOREIGN KEY (id, at) REFERENCES readings);
        CREATE TABLE animals (name text); CREATE TABLE cats (lives int) INHERITS (animals);
        INSERT INTO readings SELECT n, date '2026-01-01' + n FROM generate_series(0, 50) n;
        INSERT INTO notes VALUES (3, '2026-01-04'); INSERT INTO cats VALUES ('Tom', 9); INSERT INTO animals VALUES ('Rex');";
    let Some(scene) = Scene::with("refused_partitions", script) else { return };
    scene.dump(&[]).ended(0);
    let before = scene.state();
    scene.database.psql("UPDATE readings SET id = id + 100 WHERE id > 5; UPDATE animals SET name = 'x'");
    let mode = ["--mode", "replace"];
    scene.restore(&[&["-t", "readings*", "-t", "animals", "-t", "cats"], &mode[..]].concat()).ended(0);
    scene.is_as(&before);
    scene
        .database
        .psql("CREATE TABLE readings_3 PARTITION OF readings FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')");
    scene.restore(&[&["-t", "readings*"], &mode[..]].concat()).ended(1).says("the partition table public.readings_3");
    scene.restore(&[&["-t", "animals"], &mode[..]].concat()).ended(1).says("table public.cats");
}
