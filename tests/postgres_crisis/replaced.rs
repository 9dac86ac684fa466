//! Tables that take the place of damaged ones.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::scene::{Scene, wait_until};

/// What somebody did by mistake.
const DAMAGE: &str = "
    UPDATE users SET credit = -1, email = 'x' || id;
    DELETE FROM trips WHERE driver_id > 400;
    DELETE FROM driver_profiles WHERE id > 400;
    DROP STATISTICS together;
    ALTER TABLE driver_profiles DROP COLUMN licence CASCADE;
    REFRESH MATERIALIZED VIEW totals;
";

#[test]
fn everything_that_stands_on_the_tables_stays() {
    let Some(scene) = Scene::dumped("replaced") else { return };
    scene.database.psql("DELETE FROM trips WHERE driver_id > 400");
    scene.database.psql("REFRESH MATERIALIZED VIEW totals");
    let good = scene.state();
    scene.database.psql(DAMAGE);
    let ran = scene.replace(&[]).ended(0);
    assert!(ran.out.contains("proved: 2 of 2 tables equal the snapshot"), "{ran:#?}");
    scene.is_as(&good);
    // It goes on as before: numbers, foreign keys, triggers on views.
    scene.database.psql(
        "INSERT INTO users (email) VALUES ('new'); INSERT INTO driver_profiles (user_id) VALUES (2001);
         UPDATE rich_users SET credit = 99 WHERE id = 60",
    );
    assert_eq!(scene.database.psql("SELECT max(id) FROM users"), "2001\n");
    let refused = scene.database.try_psql("DELETE FROM users WHERE id = 1").unwrap_err();
    assert!(refused.contains("foreign key"), "{refused}");
    // And once more, over what was replaced before.
    scene.replace(&[]).ended(0);
}

#[test]
fn views_on_what_was_replaced_keep_the_snapshots_contents_fresh() {
    let Some(scene) = Scene::dumped("replaced_fresh") else { return };
    scene.database.psql("DELETE FROM trips WHERE id % 2 = 0; UPDATE users SET credit = 0");
    scene.replace(&[]).ended(0);
    assert_eq!(scene.database.psql("SELECT count(*) FROM totals"), "500\n");
    assert_ne!(scene.database.psql("SELECT count(*) FROM rich_emails"), "0\n");
}

#[test]
fn what_was_replaced_can_be_kept() {
    let Some(scene) = Scene::dumped("replaced_kept") else { return };
    scene.database.psql(DAMAGE);
    let ran = scene.replace(&["--keep-old"]).ended(0);
    assert!(ran.out.contains("kept: public.users is now tabark_old_"), "{ran:#?}");
    let schema = scene.database.psql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tabark%'");
    let schema = schema.trim();
    assert_eq!(scene.database.psql(&format!("SELECT max(credit), count(*) FROM {schema}.users")), "-1.00|2000\n");
    assert_eq!(scene.database.psql("SELECT min(credit), count(*) FROM users"), "0.00|2000\n");
    scene.database.psql(&format!(
        "DROP SCHEMA {schema} CASCADE; INSERT INTO users (email) VALUES ('new'); INSERT INTO driver_profiles (user_id) VALUES (1)"
    ));
}

#[test]
fn a_dry_run_changes_nothing_and_says_all() {
    let Some(scene) = Scene::dumped("replaced_dry") else { return };
    scene.database.psql(DAMAGE);
    let before = scene.state();
    let catalogs = "SELECT max(xmin::text::bigint) FROM pg_class; SELECT count(*) FROM pg_depend";
    let counted = scene.database.psql(catalogs);
    let ran = scene.replace(&["--dry-run"]).ended(0);
    for expected in
        ["would restore snapshot 1", "replace\n", "LOCK TABLE", "DROP TABLE", "REFRESH", "nothing was changed"]
    {
        assert!(ran.out.contains(expected), "no {expected} in {ran:#?}");
    }
    let told = scene.replace(&["--dry-run", "--json"]).ended(0).json();
    assert!(told["plan"]["steps"].as_array().unwrap().iter().any(|step| step["kind"] == "lock"), "{told:#}");
    scene.is_as(&before);
    assert_eq!(scene.database.psql(catalogs), counted);
}

#[test]
fn who_reads_meanwhile_sees_the_old_or_the_new_never_a_half() {
    let Some(scene) = Scene::dumped("replaced_read") else { return };
    // In the damaged state all licences and emails say so.
    scene.database.psql("UPDATE users SET email = 'old' || id; UPDATE driver_profiles SET licence = 'old'");
    let (done, reads) = (AtomicBool::new(false), AtomicU32::new(0));
    let answers = std::thread::scope(|scope| {
        let read = |sql: &'static str| {
            let (scene, done, reads) = (&scene, &done, &reads);
            move || {
                let mut answers = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    // One session asks many times, as an application does.
                    answers.extend(scene.database.psql(&sql.repeat(50)).lines().map(str::to_owned));
                    reads.fetch_add(1, Ordering::Relaxed);
                }
                answers
            }
        };
        let join = "SELECT DISTINCT d.licence LIKE 'old', u.email LIKE 'old%' FROM driver_profiles d JOIN users u ON u.id = d.user_id;";
        let view = "SELECT DISTINCT u.licence LIKE 'old', e.email LIKE 'old%' FROM rich_emails e JOIN users x USING (email) JOIN \
                    driver_profiles u ON u.user_id = x.id;";
        let readers = [scope.spawn(read(join)), scope.spawn(read(view))];
        let writer = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                scene.database.psql(&"UPDATE trips SET fare = fare + 1 WHERE id = 7; UPDATE driver_profiles SET tags = NULL WHERE id = 7;".repeat(20));
            }
        });
        for _ in 0..3 {
            scene.database.psql("UPDATE users SET email = 'old' || id; UPDATE driver_profiles SET licence = 'old'");
            let ran = scene.replace(&[]);
            if ran.code != Some(0) {
                done.store(true, Ordering::Relaxed);
            }
            ran.ended(0);
        }
        done.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(answers.len() > 100, "{}", answers.len());
    // While the damage is done, which is two statements, both may be.
    let is_half = |answer: &String| answer != "t|t" && answer != "f|f" && answer != "f|t";
    assert_eq!(answers.iter().find(|answer| is_half(answer)), None);
}

#[test]
fn who_writes_to_a_table_that_stays_does_not_wait_for_the_proof() {
    let Some(scene) = Scene::dumped("replaced_write") else { return };
    scene.database.psql("COMMENT ON CONSTRAINT driver_profiles_user_id_fkey ON driver_profiles IS 'whose it is'");
    scene.dump(&[]).ended(0);
    let before = scene.state();
    std::thread::scope(|scope| {
        // Somebody reads the table that is replaced, so that the restore stands right before the swap, rows proven.
        let reader = scope
            .spawn(|| scene.database.psql("BEGIN; SELECT count(*) FROM driver_profiles; SELECT pg_sleep(3.3); COMMIT"));
        wait_until("somebody reads", || asked(&scene, "query LIKE 'SELECT pg_sleep(3.3)%'"));
        let restore = scope.spawn(|| scene.restore(&["-t", "driver_profiles", "--mode", "replace"]));
        wait_until("the restore waits for the lock", || {
            asked(&scene, "query LIKE 'LOCK TABLE%driver_profiles%' AND wait_event_type = 'Lock'")
        });
        // What the new table refers to can be written to meanwhile, again and again.
        for _ in 0..5 {
            scene.database.psql("SET lock_timeout = '900ms'; UPDATE users SET credit = credit WHERE id = 7");
        }
        assert!(asked(&scene, "query LIKE 'SELECT pg_sleep(3.3)%'"), "the writers came too late to prove anything");
        reader.join().unwrap();
        restore.join().unwrap().ended(0);
    });
    scene.is_as(&before);
    let refused = scene.database.try_psql("DELETE FROM users WHERE id = 1").unwrap_err();
    assert!(refused.contains("foreign key"), "{refused}");
}

fn asked(scene: &Scene<'_>, condition: &str) -> bool {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database() AND {condition}"
    );
    scene.database.psql(&sql) != "0\n"
}
