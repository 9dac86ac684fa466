//! One partition that is replaced while the others, and the table that they are partitions of, stay.

use super::scene::Scene;

/// What partitions have from above, and what they have of their own: keys, indexes, checks, triggers and their states, foreign keys
/// in both directions, a default partition, and partitions of partitions.
const SCRIPT: &str = "
    CREATE TABLE stations (id int PRIMARY KEY, name text);
    INSERT INTO stations SELECT n, 'station ' || n FROM generate_series(0, 9) n;
    CREATE TABLE readings (
        id int, at date NOT NULL, station int REFERENCES stations, value numeric(9, 2), before_id int, before_at date,
        CONSTRAINT is_small CHECK (value < 1000), PRIMARY KEY (id, at),
        CONSTRAINT before FOREIGN KEY (before_id, before_at) REFERENCES readings) PARTITION BY RANGE (at);
    CREATE TABLE readings_1 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE readings_2 (value numeric(9, 2), gone text, at date NOT NULL, id int NOT NULL, before_at date, before_id int, station int,
        CONSTRAINT is_small CHECK (value < 1000), CONSTRAINT is_own CHECK (id > 0));
    ALTER TABLE readings_2 DROP COLUMN gone;
    ALTER TABLE readings ATTACH PARTITION readings_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
    CREATE TABLE readings_3 PARTITION OF readings FOR VALUES FROM ('2026-03-01') TO ('2026-04-01') PARTITION BY HASH (id);
    CREATE TABLE readings_3_a PARTITION OF readings_3 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE readings_3_b PARTITION OF readings_3 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE readings_rest PARTITION OF readings DEFAULT;
    CREATE INDEX by_station ON readings (station);
    CREATE INDEX own_index ON readings_1 (value);
    CREATE STATISTICS own_statistics ON id, value FROM readings_1;
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.value := coalesce(NEW.value, 1); RETURN NEW; END $$;
    CREATE TRIGGER noted BEFORE INSERT ON readings FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER noted_too BEFORE UPDATE ON readings FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER own_trigger BEFORE DELETE ON readings_1 FOR EACH ROW EXECUTE FUNCTION note();
    ALTER TABLE readings_1 DISABLE TRIGGER noted; ALTER TABLE readings_3_a ENABLE ALWAYS TRIGGER noted_too;
    ALTER TABLE readings_1 DISABLE TRIGGER own_trigger;
    INSERT INTO readings SELECT n, date '2026-01-01' + n % 120, n % 10, n / 10.0 FROM generate_series(1, 2000) n;
    UPDATE readings SET before_id = 31, before_at = '2026-02-01' WHERE id % 7 = 0;
    CREATE TABLE notes (id int, at date, note text, FOREIGN KEY (id, at) REFERENCES readings ON DELETE CASCADE);
    INSERT INTO notes SELECT id, at, 'note' FROM readings WHERE id % 100 = 0;
    CREATE VIEW latest AS SELECT max(at) FROM readings; CREATE VIEW first_month AS SELECT count(*) FROM readings_1;
    CREATE PUBLICATION \"some\" FOR TABLE readings_1, stations;
    COMMENT ON TABLE readings_1 IS 'the first'; COMMENT ON CONSTRAINT readings_1_pkey ON readings_1 IS 'of the first';
    DO $$ BEGIN CREATE ROLE one_reader; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$;
    GRANT SELECT ON readings_1, readings_3 TO one_reader;
";

/// What somebody did by mistake, in every partition.
const DAMAGE: &str = "ALTER TABLE readings DISABLE TRIGGER USER; UPDATE readings SET value = -1; ALTER TABLE readings ENABLE TRIGGER USER;
    ALTER TABLE readings_1 DISABLE TRIGGER noted; ALTER TABLE readings_3_a ENABLE ALWAYS TRIGGER noted_too; ALTER TABLE readings_1 DISABLE TRIGGER own_trigger;";

const PARTITIONS: [&str; 4] = ["readings_1", "readings_2", "readings_3", "readings_rest"];

fn bad(scene: &Scene<'_>, partition: &str) -> String {
    scene.database.psql(&format!("SELECT count(*) FROM {partition} WHERE value = -1"))
}

/// Indexes of partitions stand under those of their parents, and no check of the way there is left.
fn tree(scene: &Scene<'_>) -> String {
    scene.database.psql(
        "SELECT inhparent::regclass, inhrelid::regclass FROM pg_inherits ORDER BY inhparent::regclass::text, inhrelid::regclass::text;
         SELECT conrelid::regclass, conname, contype, coninhcount, conislocal, convalidated FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace AND (contype IN ('c', 'p') OR contype = 'f' AND conparentid = 0)
         ORDER BY conrelid::regclass::text, conname;
         SELECT conrelid::regclass, confrelid::regclass, count(*) FROM pg_constraint WHERE contype = 'f' GROUP BY 1, 2
         ORDER BY conrelid::regclass::text, confrelid::regclass::text;
         SELECT tgrelid::regclass, tgname, tgenabled, tgparentid <> 0 FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgrelid::regclass::text, tgname",
    )
}

#[test]
fn each_partition_can_be_replaced_alone() {
    if let Some(scene) = Scene::made("one_partition", SCRIPT) {
        let (good, good_tree) = (scene.state(), tree(&scene));
        for partition in PARTITIONS {
            scene.database.psql(DAMAGE);
            let ran = scene.restore(&["-t", partition, "--mode", "replace"]).ended(0);
            assert!(ran.out.contains("equal"), "{ran:#?}");
            for other in PARTITIONS {
                assert_eq!(bad(&scene, other) == "0\n", other == partition, "{partition}: {other}");
            }
            assert_eq!(tree(&scene), good_tree);
        }
        scene
            .restore(&[
                "-t",
                "readings_1",
                "-t",
                "readings_2",
                "-t",
                "readings_3",
                "-t",
                "readings_rest",
                "--mode",
                "replace",
            ])
            .ended(0);
        scene.is_as(&good);
        assert_eq!(tree(&scene), good_tree);
        // It goes on as before.
        scene.database.psql("INSERT INTO readings (id, at, station) VALUES (9001, '2026-01-05', 1), (9002, '2026-03-05', 2), (9003, '2030-01-01', 3)");
        for (sql, word) in [
            ("INSERT INTO readings (id, at, station) VALUES (9009, '2026-01-06', 77)", "readings_station_fkey"),
            ("INSERT INTO readings VALUES (9010, '2026-01-06', 1, 5000)", "is_small"),
            ("INSERT INTO readings_2 (id, at) VALUES (9011, '2026-01-06')", "to another partition"),
            ("INSERT INTO notes VALUES (1, '1999-01-01')", "notes_id_at_fkey"),
        ] {
            let refused = scene.database.try_psql(sql).unwrap_err();
            assert!(refused.contains(word), "{sql}: {refused}");
        }
        assert_eq!(scene.database.psql("DELETE FROM readings WHERE id = 100; SELECT count(*) FROM notes"), "19\n");
    }
}

#[test]
fn the_server_does_not_read_the_new_partition_again_when_it_is_attached() {
    if let Some(scene) = Scene::made("one_partition_scan", SCRIPT) {
        let ran = scene.restore(&["-t", "readings_1", "--mode", "replace", "--dry-run"]).ended(0);
        let at = |what: &str| {
            ran.out.find(what).unwrap_or_else(|| crate::postgres::panic_with(&format!("no {what}: {ran:#?}")))
        };
        assert!(at("ADD CONSTRAINT \"tabark_partition_bound\" CHECK") < at("LOCK TABLE"));
        assert!(at("LOCK TABLE") < at("DETACH PARTITION"));
        assert!(at("DETACH PARTITION") < at("ATTACH PARTITION"));
        assert!(at("ATTACH PARTITION") < at("DROP CONSTRAINT \"tabark_partition_bound\""));
        // What the server itself counts: it reads the table where it has no such check.
        let condition = scene.database.psql("SELECT pg_get_partition_constraintdef('readings_1'::regclass)");
        let scans = |check: &str| {
            scene.database.psql(&format!(
                "BEGIN; ALTER TABLE notes DROP CONSTRAINT notes_id_at_fkey; ALTER TABLE readings DROP CONSTRAINT before;
                 ALTER TABLE readings DROP CONSTRAINT readings_station_fkey; CREATE TABLE like_it (LIKE readings_1 INCLUDING ALL);
                 INSERT INTO like_it SELECT * FROM readings_1; {check} ALTER TABLE readings DETACH PARTITION readings_1;
                 CREATE TEMP TABLE counted AS SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'like_it';
                 ALTER TABLE readings ATTACH PARTITION like_it FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
                 SELECT s.seq_scan > c.seq_scan FROM pg_stat_xact_user_tables s, counted c WHERE relname = 'like_it'; ROLLBACK"
            ))
        };
        let check = format!("ALTER TABLE like_it ADD CONSTRAINT tabark_partition_bound CHECK ({condition});");
        assert_eq!((scans(""), scans(&check)), ("t\n".to_owned(), "f\n".to_owned()));
    }
}

#[test]
fn the_old_partition_can_be_kept() {
    if let Some(scene) = Scene::made("one_partition_kept", SCRIPT) {
        let good = scene.state();
        scene.database.psql(DAMAGE);
        let ran = scene.restore(&["-t", "readings_1", "--mode", "replace", "--keep-old"]).ended(0);
        assert!(ran.out.contains("kept: public.readings_1 is now tabark_old_"), "{ran:#?}");
        let schema = scene.database.psql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tabark%'");
        let schema = schema.trim();
        assert_eq!(
            bad(&scene, &format!("{schema}.readings_1")),
            scene.database.psql("SELECT count(*) FROM readings_1")
        );
        assert_eq!(bad(&scene, "readings_1"), "0\n");
        scene.database.psql(&format!("DROP SCHEMA {schema} CASCADE"));
        scene.restore(&["-t", "readings_*", "--mode", "replace"]).ended(0);
        scene.is_as(&good);
    }
}

#[test]
fn an_archive_of_the_partition_alone_is_enough() {
    if let Some(scene) = Scene::made("one_partition_alone", SCRIPT) {
        let (good, good_tree) = (scene.state(), tree(&scene));
        std::fs::remove_file(scene.archive()).unwrap();
        scene.dump(&["-t", "readings_1"]).ended(0);
        scene.database.psql(&DAMAGE.replace("UPDATE readings SET", "UPDATE readings_1 SET"));
        assert_ne!(bad(&scene, "readings_1"), "0\n");
        scene.restore(&["--mode", "replace"]).ended(0);
        assert_eq!(tree(&scene), good_tree);
        scene.is_as(&good);
    }
}

#[test]
fn what_makes_it_impossible_is_named_before_anything_is_touched() {
    let Some(scene) = Scene::with("one_partition_refused", SCRIPT) else { return };
    scene.dump(&[]).ended(0);
    // The bound is another by now.
    scene.database.psql(
        "DELETE FROM notes; ALTER TABLE readings DETACH PARTITION readings_1; DELETE FROM readings_1 WHERE at > '2026-01-20';
         ALTER TABLE readings ATTACH PARTITION readings_1 FOR VALUES FROM ('2026-01-01') TO ('2026-01-21')",
    );
    let before = scene.state();
    for dry in [&["--dry-run"][..], &[]] {
        scene
            .restore(&[&["-t", "readings_1", "--mode", "replace"], dry].concat())
            .ended(1)
            .says("is a partition of public.readings in the target")
            .says("TO ('2026-01-21'); in the snapshot it is of public.readings FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')");
    }
    scene.is_as(&before);
    // Rows that others refer to, and that the snapshot has not.
    scene.database.psql("INSERT INTO readings (id, at) VALUES (9500, '2026-02-07'); INSERT INTO notes VALUES (9500, '2026-02-07', 'late')");
    let before = scene.state();
    scene.restore(&["-t", "readings_2", "--mode", "replace"]).ended(1).says("notes_id_at_fkey");
    scene.is_as(&before);
    // A check that came later.
    scene.database.psql("DELETE FROM notes; ALTER TABLE readings ADD CONSTRAINT later CHECK (id > -5)");
    let before = scene.state();
    scene.restore(&["-t", "readings_2", "--mode", "replace"]).ended(1).says("later");
    scene.is_as(&before);
}

#[test]
fn who_reads_and_writes_the_table_meanwhile_sees_all_of_it() {
    use std::sync::atomic::{AtomicBool, Ordering};
    if let Some(scene) = Scene::made("one_partition_busy", SCRIPT) {
        let done = AtomicBool::new(false);
        let answers = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut answers = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    answers.extend(
                        scene.database.psql(&"SELECT count(*) FROM readings;".repeat(40)).lines().map(str::to_owned),
                    );
                }
                answers
            });
            let writer = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    scene.database.psql(&"UPDATE readings SET station = 3 WHERE id = 32; UPDATE stations SET name = 'x' WHERE id = 3; UPDATE notes SET note = 'y' WHERE id = 100;".repeat(10));
                }
            });
            for _ in 0..3 {
                let ran = scene.restore(&["-t", "readings_1", "--mode", "replace"]);
                done.store(ran.code != Some(0), Ordering::Relaxed);
                ran.ended(0);
            }
            done.store(true, Ordering::Relaxed);
            writer.join().unwrap();
            reader.join().unwrap()
        });
        assert!(answers.len() > 40 && answers.iter().all(|answer| answer == "2000"), "{answers:?}");
    }
}
