//! Tables that refer to one another, and rows that are added to them.

use super::scene::Scene;

/// Neither may wait; one is null where there is none.
const TEAMS: &str = "
    CREATE TABLE teams (id int PRIMARY KEY, name text NOT NULL, lead int);
    CREATE TABLE people (id int PRIMARY KEY, team int NOT NULL REFERENCES teams, boss int REFERENCES people, shout text GENERATED ALWAYS AS ('!') STORED);
    ALTER TABLE teams ADD FOREIGN KEY (lead) REFERENCES people;
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
    INSERT INTO teams SELECT n, 'team ' || n FROM generate_series(1, 50) n;
    INSERT INTO people SELECT n, n % 50 + 1, CASE WHEN n > 50 THEN n - 50 END FROM generate_series(1, 500) n;
    UPDATE teams SET lead = id * 3 WHERE id % 5 > 0;
    CREATE TRIGGER fails BEFORE INSERT OR UPDATE ON teams FOR EACH ROW EXECUTE FUNCTION fail();";

const GONE: &str = "ALTER TABLE teams DISABLE TRIGGER fails; UPDATE teams SET lead = NULL; ALTER TABLE teams ENABLE TRIGGER fails;
    UPDATE people SET boss = NULL WHERE team > 10; UPDATE people SET boss = NULL WHERE boss IN (SELECT id FROM people WHERE team > 10);
    DELETE FROM people WHERE team > 10; DELETE FROM teams WHERE id > 10;";

#[test]
fn values_that_may_be_null_wait_for_the_rows_that_they_refer_to() {
    if let Some(scene) = Scene::made("circle_null", TEAMS) {
        let before = scene.state();
        for mode in ["append", "upsert"] {
            let gone = if mode == "upsert" {
                GONE
            } else {
                "ALTER TABLE teams DISABLE TRIGGER fails; UPDATE teams SET lead = NULL; ALTER TABLE teams ENABLE TRIGGER fails;
                 DELETE FROM people; DELETE FROM teams"
            };
            scene.database.psql(gone);
            let ran = scene.restore(&["-t", "teams", "-t", "people", "--mode", mode]).ended(0);
            assert!(ran.out.contains("proved: 2 of 2"), "{ran:#?}");
            scene.is_as(&before);
        }
        // Beside rows that are there.
        scene.database.psql(
            "ALTER TABLE teams DISABLE TRIGGER fails; DELETE FROM people WHERE false; UPDATE teams SET lead = NULL; UPDATE people SET boss = NULL;
             DELETE FROM people; DELETE FROM teams; INSERT INTO teams VALUES (900, 'there', NULL); INSERT INTO people VALUES (900, 900);
             UPDATE teams SET lead = 900; ALTER TABLE teams ENABLE TRIGGER fails",
        );
        scene.restore(&["-t", "teams", "-t", "people", "--mode", "append"]).ended(0);
        assert_eq!(scene.database.psql("SELECT count(*), sum(lead) FROM teams"), "51|3900\n");
        scene.database.psql("ALTER TABLE teams DISABLE TRIGGER fails; UPDATE teams SET lead = NULL WHERE id = 900; DELETE FROM people WHERE id = 900; DELETE FROM teams WHERE id = 900; ALTER TABLE teams ENABLE TRIGGER fails");
        scene.is_as(&before);
    }
}

#[test]
fn a_circle_in_which_no_value_may_wait_is_refused_before_anything_is_touched() {
    for script in [
        // No value may be null.
        "CREATE TABLE hens (id int PRIMARY KEY, egg int NOT NULL); CREATE TABLE eggs (id int PRIMARY KEY, hen int NOT NULL);",
        // Rows are not known again without a key.
        "CREATE TABLE hens (id int, egg int, UNIQUE (id)); CREATE TABLE eggs (id int, hen int, UNIQUE (id));",
    ] {
        let script = format!(
            "{script} ALTER TABLE hens ADD FOREIGN KEY (egg) REFERENCES eggs (id) DEFERRABLE;
             ALTER TABLE eggs ADD FOREIGN KEY (hen) REFERENCES hens (id) DEFERRABLE;
             BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO hens VALUES (1, 1), (2, 2); INSERT INTO eggs VALUES (1, 2), (2, 1); COMMIT;
             ALTER TABLE hens ALTER CONSTRAINT hens_egg_fkey NOT DEFERRABLE; ALTER TABLE eggs ALTER CONSTRAINT eggs_hen_fkey NOT DEFERRABLE;"
        );
        if let Some(scene) = Scene::made("circle_refused", &script) {
            let whole = scene.state();
            scene.database.psql("TRUNCATE hens, eggs");
            let before = scene.state();
            for dry in [&["--dry-run"][..], &[]] {
                scene
                    .restore(&[&["-t", "hens", "-t", "eggs", "--mode", "append"], dry].concat())
                    .ended(1)
                    .says("tables refer to one another")
                    .says("\"hens_egg_fkey\" of \"hens\"")
                    .says("\"eggs_hen_fkey\" of \"eggs\"")
                    .says("ALTER CONSTRAINT");
            }
            scene.is_as(&before);
            // What the hint says helps, whichever of the two it is.
            for key in ["hens ALTER CONSTRAINT hens_egg_fkey", "eggs ALTER CONSTRAINT eggs_hen_fkey"] {
                scene.database.psql(&format!("TRUNCATE hens, eggs; ALTER TABLE {key} DEFERRABLE"));
                scene.restore(&["-t", "hens", "-t", "eggs", "--mode", "append"]).ended(0);
                scene.database.psql(&format!("ALTER TABLE {key} NOT DEFERRABLE"));
                scene.is_as(&whole);
            }
        }
    }
}

#[test]
fn partitions_are_filled_after_what_their_root_refers_to() {
    let script = "
        CREATE TABLE a_children (id int, parent int, at int) PARTITION BY RANGE (id);
        CREATE TABLE a_children_1 PARTITION OF a_children FOR VALUES FROM (0) TO (100);
        CREATE TABLE b_parents (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE b_parents_1 PARTITION OF b_parents DEFAULT;
        ALTER TABLE a_children ADD FOREIGN KEY (parent) REFERENCES b_parents;
        INSERT INTO b_parents SELECT generate_series(1, 9); INSERT INTO a_children SELECT n, n FROM generate_series(1, 9) n;";
    if let Some(scene) = Scene::made("circle_roots", script) {
        let before = scene.state();
        scene.database.psql("DELETE FROM a_children; DELETE FROM b_parents");
        scene.restore(&["-t", "*_1", "--mode", "append"]).ended(0);
        scene.is_as(&before);
    }
}
