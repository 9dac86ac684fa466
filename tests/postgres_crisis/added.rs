//! Rows into tables that are there.

use super::scene::Scene;

#[track_caller]
fn refused(scene: &Scene<'_>, options: &[&str], word: &str) {
    let before = scene.state();
    scene.restore(options).ended(1).says(word);
    scene.is_as(&before);
}

const TWO: [&str; 4] = ["-t", "users", "-t", "driver_profiles"];

#[test]
fn rows_that_were_deleted_come_back() {
    let Some(scene) = Scene::dumped("added_append") else { return };
    let before = scene.state();
    // A cyclic reference, of which neither table can be filled first.
    scene.database.psql("DELETE FROM trips; DELETE FROM driver_profiles; DELETE FROM users; ALTER SEQUENCE driver_profiles_id_seq RESTART");
    let ran = scene.restore(&["-t", "users", "-t", "driver_profiles", "-t", "trips", "--mode", "append"]).ended(0);
    assert!(ran.out.contains("proved: 3 of 3"), "{ran:#?}");
    scene.is_as(&before);
    scene.database.psql("DELETE FROM trips; DELETE FROM driver_profiles; DELETE FROM users");
    scene.restore(&["--data-only", "-t", "users", "-t", "driver_profiles", "-t", "trips"]).ended(0);
    scene.is_as(&before);
}

#[test]
fn rows_of_the_snapshot_take_the_place_of_those_with_their_key() {
    let Some(scene) = Scene::dumped("added_upsert") else { return };
    let before = scene.state();
    scene.database.psql(
        "UPDATE users SET credit = 7, email = 'x' || id WHERE id < 100; INSERT INTO users (email) VALUES ('late')",
    );
    scene.restore(&["-t", "users", "--mode", "upsert"]).ended(0);
    assert_eq!(scene.database.psql("DELETE FROM users WHERE email = 'late' RETURNING id"), "2001\n");
    scene.database.psql("SELECT setval('users_id_seq', 2000)");
    scene.is_as(&before);
}

#[test]
fn conflicts_are_refused_and_nothing_is_changed() {
    let Some(scene) = Scene::dumped("added_conflict") else { return };
    scene.database.psql("DELETE FROM driver_profiles WHERE id > 450");
    refused(&scene, &["-t", "driver_profiles", "--mode", "append"], "driver_profiles_pkey");
    scene.database.psql("DELETE FROM trips; DELETE FROM driver_profiles; DELETE FROM users WHERE id = 5");
    refused(&scene, &["-t", "driver_profiles", "--mode", "append"], "driver_profiles_user_id_fkey");
}

#[test]
fn drift_is_found_before_anything_is_touched() {
    let Some(scene) = Scene::dumped("added_drift") else { return };
    for (change, back, word) in [
        ("RENAME licence TO license", "RENAME license TO licence", "it has no column \"licence\""),
        ("ALTER licence TYPE varchar(50)", "ALTER licence TYPE text", "is of the type character varying(50)"),
        ("ALTER tags SET NOT NULL", "ALTER tags DROP NOT NULL", ""),
        ("ADD new int NOT NULL", "DROP new", "new there, takes no nulls and has no default"),
        ("DROP CONSTRAINT driver_profiles_pkey CASCADE", "ADD PRIMARY KEY (id)", "it has another key"),
    ] {
        // What refers to it would keep the rows.
        scene
            .database
            .psql(&format!("DELETE FROM trips; DELETE FROM driver_profiles; ALTER TABLE driver_profiles {change}"));
        if word.is_empty() {
            scene.restore(&["-t", "driver_profiles", "--mode", "append"]).ended(0);
        } else {
            refused(&scene, &["-t", "driver_profiles", "--mode", "upsert"], word);
        }
        scene.database.psql(&format!("ALTER TABLE driver_profiles {back}"));
    }
    scene.database.psql("DELETE FROM driver_profiles; UPDATE users SET seen = NULL");
    scene.dump(&[]).ended(0);
    scene.database.psql("DELETE FROM users; ALTER TABLE users ALTER seen SET NOT NULL");
    refused(&scene, &["-t", "users", "--mode", "append"], "takes no nulls there");
}

#[test]
fn triggers_do_not_fire_and_are_as_they_were_after_it() {
    let Some(scene) = Scene::app("added_triggers") else { return };
    scene.database.psql(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
         CREATE TRIGGER a BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fail();
         CREATE TRIGGER b BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fail();
         CREATE TRIGGER c BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fail();
         CREATE TRIGGER d BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fail();
         ALTER TABLE users DISABLE TRIGGER b, ENABLE ALWAYS TRIGGER c, ENABLE REPLICA TRIGGER d",
    );
    scene.dump(&[]).ended(0);
    let before = scene.state();
    scene.database.psql("DELETE FROM trips; DELETE FROM driver_profiles; DELETE FROM users WHERE id > 1");
    refused(&scene, &[&TWO[..], &["--mode", "append"]].concat(), "users");
    scene.restore(&["-t", "users", "--mode", "upsert"]).ended(0);
    scene.database.psql("DELETE FROM users");
    scene.restore(&["--mode", "append", "-t", "users", "-t", "driver_profiles", "-t", "trips"]).ended(0);
    scene.is_as(&before);
}

#[test]
fn tables_that_refer_to_one_another_are_filled_where_that_may_wait() {
    let script = "
        CREATE TABLE hens (id int PRIMARY KEY, egg int); CREATE TABLE eggs (id int PRIMARY KEY, hen int);
        ALTER TABLE hens ADD FOREIGN KEY (egg) REFERENCES eggs DEFERRABLE;
        ALTER TABLE eggs ADD FOREIGN KEY (hen) REFERENCES hens DEFERRABLE INITIALLY DEFERRED;
        BEGIN; SET CONSTRAINTS ALL DEFERRED;
        INSERT INTO hens VALUES (1, 1), (2, 2); INSERT INTO eggs VALUES (1, 2), (2, 1); COMMIT;";
    let Some(scene) = Scene::with("added_circle", script) else { return };
    scene.dump(&[]).ended(0);
    let before = scene.state();
    scene.database.psql("BEGIN; SET CONSTRAINTS ALL DEFERRED; DELETE FROM hens; DELETE FROM eggs; COMMIT");
    refused(&scene, &["-t", "hens", "--mode", "append"], "hens_egg_fkey");
    scene.restore(&["--mode", "append", "-t", "hens", "-t", "eggs"]).ended(0);
    scene.is_as(&before);
    scene.restore(&["--mode", "replace"]).ended(0);
    scene.is_as(&before);
}
