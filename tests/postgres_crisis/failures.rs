//! Dumps and restores that do not come to their end, and dumps beside those who write and change.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::major;
use super::scene::{PROGRAM, Ran, Scene, wait_until};
use crate::postgres::{Options, Server};

const BIG: &str = "
    CREATE TABLE big (id int PRIMARY KEY, payload text);
    INSERT INTO big SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 60000) n;
    CREATE TABLE accounts (id int PRIMARY KEY, amount int NOT NULL);
    CREATE TABLE savings (id int PRIMARY KEY, amount int NOT NULL);
    INSERT INTO accounts SELECT n, 1000 FROM generate_series(1, 2000) n;
    INSERT INTO savings SELECT n, 1000 FROM generate_series(1, 2000) n;
";
const MOVE: &str = "
    BEGIN; UPDATE accounts SET amount = amount - 7 WHERE id = (SELECT 1 + floor(random() * 2000)::int);
    UPDATE savings SET amount = amount + 7 WHERE id = (SELECT 1 + floor(random() * 2000)::int); COMMIT;";

fn interrupt(child: &Child, signal: &str) {
    std::process::Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().unwrap();
}

/// Is a session of this database at such a statement? Other tests are at work in other databases.
fn is_at(scene: &Scene<'_>, query: &str) -> bool {
    let asked = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'
             AND query LIKE '{query}'"
    );
    scene.database.psql(&asked) != "0\n"
}

/// Stops the program in the middle of such a statement. It is stopped while it is looked for, so that on a busy machine too it
/// is still there when it is found; what is sent to it then, it finds when it goes on.
fn stopped_at(scene: &Scene<'_>, child: &Child, query: &str) {
    wait_until(query, || {
        interrupt(child, "STOP");
        let is_there = is_at(scene, query);
        if !is_there {
            interrupt(child, "CONT");
        }
        is_there
    });
}

/// Tells threads to end, whatever ends this.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The archive's rows of a table, as lines of CSV.
fn lines(scene: &Scene<'_>, table: &str) -> Vec<String> {
    let ran = scene.run(&["cat", "app.tabark", "-t", table, "--format", "csv"]).ended(0);
    ran.out.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn writers_during_a_dump_move_money_and_none_is_lost() {
    let Some(scene) = Scene::with("fail_writers", BIG) else { return };
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    scene.database.psql(&MOVE.repeat(50));
                }
            });
        }
        let _done = Done(&done);
        for jobs in ["1", "2", "4"] {
            scene.dump(&["--jobs", jobs]).ended(0);
            let of_table = |table| {
                let amount = |line: &String| line.split_once(',').unwrap().1.parse::<i64>().unwrap();
                lines(&scene, table).iter().map(amount).sum::<i64>()
            };
            let sums = (of_table("accounts"), of_table("savings"));
            assert_eq!(sums.0 + sums.1, 4_000_000, "{sums:?}");
        }
    });
    assert_ne!(scene.database.psql("SELECT sum(amount) FROM savings"), "2000000\n");
}

/// Does a session wait for a lock on this table?
fn is_behind(scene: &Scene<'_>, table: &str) -> bool {
    scene.database.psql(&format!("SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND NOT granted"))
        != "0\n"
}

#[test]
fn tables_that_change_between_discovery_and_lock() {
    let Some(scene) = Scene::app("fail_ddl") else { return };
    for (change, back) in [
        ("DROP TABLE extra", "CREATE TABLE extra (id int)"),
        ("ALTER TABLE extra RENAME TO other", "ALTER TABLE other RENAME TO extra"),
        ("ALTER TABLE extra ADD more text DEFAULT 'x'", "ALTER TABLE extra DROP more"),
        ("DROP TABLE extra; CREATE VIEW extra AS SELECT 1 AS id", "DROP VIEW extra; CREATE TABLE extra (id int)"),
    ] {
        scene.database.psql("CREATE TABLE IF NOT EXISTS extra (id int)");
        // It holds the table locked until the dump waits behind it, then the change is there.
        let mut changer = scene.database.session();
        changer.run("BEGIN; LOCK TABLE extra IN ACCESS EXCLUSIVE MODE");
        let dump = scene.start(&["dump", &scene.database.url(), "app.tabark"]);
        wait_until("the dump waits", || is_behind(&scene, "extra"));
        changer.run(&format!("{change}; COMMIT"));
        Ran::of(dump.wait_with_output().unwrap()).ended(0);
        let compared = scene.run(&["compare", "app.tabark", &scene.database.url()]).ended(0);
        assert!(!compared.err.contains("error"), "{change}: {compared:#?}");
        scene.database.psql(back);
    }
}

#[test]
fn who_waits_behind_the_dump_does_not_stop_its_other_connections() {
    let Some(scene) = Scene::with("fail_nowait", BIG) else { return };
    scene.dump(&[]).ended(0);
    let child = scene.start(&["dump", &scene.database.url(), "app.tabark", "--jobs", "4", "--lock-timeout", "5"]);
    std::thread::scope(|scope| {
        scope.spawn(|| scene.database.psql("ALTER TABLE big ADD later int; ALTER TABLE big DROP later"));
        let ran = Ran::of(child.wait_with_output().unwrap());
        // Either all connections were there first, or the dump says why it cannot go on.
        assert!(ran.code == Some(0) || ran.err.contains("somebody waits to change a table"), "{ran:#?}");
    });
    scene.run(&["verify", "app.tabark"]).ended(0);
}

#[test]
fn a_lock_that_somebody_holds_is_named_when_dumping() {
    let Some(scene) = Scene::dumped("fail_lock") else { return };
    let mut holder = scene.database.session();
    holder.run("BEGIN; LOCK TABLE users");
    scene.dump(&["--lock-timeout", "1"]).ended(1).says("lock timeout").says("another session holds a lock");
    assert_eq!(snapshots(&scene), 1);
}

fn snapshots(scene: &Scene<'_>) -> usize {
    let told = scene.run(&["list", "app.tabark", "--json"]).ended(0).json();
    told["snapshots"].as_array().unwrap().len()
}

#[test]
fn a_role_that_sees_less_is_refused_never_dumped_silently() {
    let Some(scene) = Scene::app("fail_roles") else { return };
    scene.database.psql(
        "DO $$ BEGIN CREATE ROLE limited LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO limited; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO limited;
         REVOKE SELECT ON trips FROM limited",
    );
    let url = scene.database.url_as("limited");
    scene.run(&["dump", &url, "app.tabark"]).ended(1).says("permission denied for table trips");
    assert!(!scene.archive().exists());
    scene.database.psql(
        "GRANT SELECT ON trips TO limited; ALTER TABLE trips ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON trips USING (id = 1)",
    );
    scene.run(&["dump", &url, "app.tabark"]).ended(1).says("trips").says("BYPASSRLS");
    assert!(!scene.archive().exists());
    scene.database.psql("ALTER ROLE limited SET statement_timeout = '150ms'; ALTER ROLE limited BYPASSRLS");
    scene
        .database
        .psql("ALTER ROLE limited SET default_transaction_read_only = on; ALTER ROLE limited SET lock_timeout = '1ms'");
    scene.run(&["dump", &url, "app.tabark"]).ended(0);
    assert_eq!(lines(&scene, "trips").len(), 1000);
    scene.database.psql("ALTER ROLE limited RESET ALL; ALTER ROLE limited NOBYPASSRLS");
}

#[test]
fn limits_of_the_role_do_not_stop_a_restore() {
    let Some(scene) = Scene::dumped("fail_limits") else { return };
    let good = scene.state();
    scene.database.psql(
        "DO $$ BEGIN CREATE ROLE hurried SUPERUSER LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;
         ALTER ROLE hurried SET statement_timeout = '150ms'; ALTER ROLE hurried SET idle_in_transaction_session_timeout = '150ms';
         ALTER ROLE hurried SET default_transaction_read_only = on; ALTER ROLE hurried SET default_transaction_isolation = 'serializable'",
    );
    scene.database.psql("UPDATE users SET credit = -1");
    let url = scene.database.url_as("hurried");
    let ran = scene.run(&["restore", "app.tabark", &url, "-t", "users", "--mode", "replace"]).ended(0);
    assert!(ran.out.contains("proved"), "{ran:#?}");
    scene.database.psql("ALTER ROLE hurried RESET ALL");
    scene.is_as(&good);
}

#[test]
fn a_damaged_archive_is_refused_before_the_target_is_changed() {
    let Some(scene) = Scene::dumped("fail_damage") else { return };
    let before = scene.state();
    let good = std::fs::read(scene.archive()).unwrap();
    let mut damaged = 0;
    for place in (64..good.len()).step_by(good.len() / 12) {
        let mut bad = good.clone();
        bad[place] ^= 4;
        std::fs::write(scene.archive(), &bad).unwrap();
        let ran = scene.replace(&["-t", "trips"]);
        // What is not needed may be damaged.
        assert!(ran.code == Some(3) || ran.code == Some(0), "{ran:#?}");
        damaged += u32::from(ran.code == Some(3));
    }
    assert!(damaged > 5, "{damaged}");
    scene.is_as(&before);
}

#[test]
fn an_interrupt_leaves_archive_and_target_as_they_were() {
    let Some(scene) = Scene::with("fail_interrupt", BIG) else { return };
    scene.database.psql(
        "CREATE FUNCTION slow(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN IF i % 1000 = 0 THEN PERFORM pg_sleep(0.1);
         END IF; RETURN i; END $$; CREATE INDEX slowly ON accounts (slow(id)); CREATE INDEX slower ON big (slow(id));
         CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER fires BEFORE INSERT ON big FOR EACH ROW EXECUTE FUNCTION fires()",
    );
    scene.dump(&[]).ended(0);
    let mut before = scene.state();
    for (arguments, moment) in [
        (["dump", "", "app.tabark", "--fast"], "COPY%"),
        (["restore", "app.tabark", "", "--mode=replace"], "COPY%"),
        (["restore", "app.tabark", "", "--mode=replace"], "CREATE INDEX%"),
        (["restore", "app.tabark", "", "--mode=append"], "COPY%"),
    ] {
        if arguments.contains(&"--mode=append") {
            // Room for rows that are added. Triggers are silent while they are.
            scene.database.psql("DELETE FROM accounts; DELETE FROM savings; DELETE FROM big");
            before = scene.state();
        }
        let url = scene.database.url();
        let child = scene.start(&arguments.map(|argument| if argument.is_empty() { url.as_str() } else { argument }));
        stopped_at(&scene, &child, moment);
        interrupt(&child, "INT");
        interrupt(&child, "CONT");
        let ran = Ran::of(child.wait_with_output().unwrap()).ended(1);
        assert!(ran.err.contains("interrupted"), "{ran:#?}");
        wait_until("the server has ended it too", || !is_at(&scene, moment));
        scene.is_as(&before);
        assert_eq!(snapshots(&scene), 1);
    }
}

#[test]
fn a_killed_server_leaves_archive_and_target_as_they_were() {
    let Some(server) = major().and_then(Server::start) else { return };
    let scene = Scene::on(server.database("fail_kill"));
    scene.database.psql(BIG);
    scene.dump(&[]).ended(0);
    let before = scene.state();
    let url = scene.database.url();
    for arguments in [["dump", url.as_str(), "app.tabark", "--fast"], ["restore", "app.tabark", &url, "--mode=replace"]]
    {
        let child = scene.start(&arguments);
        stopped_at(&scene, &child, "COPY%");
        server.kill_hard();
        interrupt(&child, "CONT");
        let ran = Ran::of(child.wait_with_output().unwrap()).ended(1);
        assert!(ran.err.contains("error: "), "{ran:#?}");
        server.restart();
        scene.is_as(&before);
        assert_eq!(snapshots(&scene), 1);
    }
    // One session lost in the middle of its COPY.
    for arguments in [["dump", url.as_str(), "app.tabark", "--fast"], ["restore", "app.tabark", &url, "--mode=replace"]]
    {
        let child = scene.start(&arguments);
        stopped_at(&scene, &child, "COPY%");
        scene.database.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'",
        );
        interrupt(&child, "CONT");
        let ran = Ran::of(child.wait_with_output().unwrap()).ended(1);
        assert!(ran.err.contains("error: "), "{ran:#?}");
        scene.is_as(&before);
        assert_eq!(snapshots(&scene), 1);
    }
    scene.restore(&["--mode", "replace"]).ended(0);
}

#[test]
fn no_password_is_ever_shown() {
    const SECRET: &str = "s3cretw0rd";
    let options = Options { tcp: true, access: &["host all ana 127.0.0.1/32 scram-sha-256"], ..Options::default() };
    let Some(server) = major().and_then(|major| Server::start_with(major, &options)) else { return };
    let scene = Scene::on(server.database("fail_password"));
    scene.database.psql(&format!("CREATE ROLE ana SUPERUSER LOGIN PASSWORD '{SECRET}'; {BIG}"));
    let url = server.tcp_url("ana", "fail_password");
    let seen = |ran: &Ran| assert!(!format!("{ran:?}").contains(SECRET), "{ran:#?}");
    let wrong =
        Ran::of(scene.command(&["dump", &url, "app.tabark"]).env("PGPASSWORD", format!("{SECRET}x")).output().unwrap());
    seen(&wrong.ended(1).says("password authentication failed"));
    let none = scene.run(&["dump", &url, "app.tabark"]).ended(1).says("PGPASSWORD");
    seen(&none);
    for arguments in [["dump", url.as_str(), "app.tabark", "--json"], ["restore", "app.tabark", &url, "--mode=replace"]]
    {
        let child = scene.command(&arguments).env("PGPASSWORD", SECRET).spawn().unwrap();
        let path = format!("/proc/{}/cmdline", child.id());
        for _ in 0..20 {
            let told = std::fs::read(Path::new(&path)).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&told).contains(SECRET));
            std::thread::sleep(Duration::from_millis(5));
        }
        let ran = Ran::of(child.wait_with_output().unwrap()).ended(0);
        seen(&ran);
    }
    // In the URL it is where the user put it, and nowhere else.
    let with = url.replacen("ana@", &format!("ana:{SECRET}@"), 1);
    for arguments in
        [["dump", with.as_str(), "app.tabark", "--json"], ["restore", "app.tabark", &with, "--mode=replace"]]
    {
        seen(&scene.run(&arguments).ended(0));
    }
    seen(&scene.run(&["restore", "app.tabark", &with]).ended(1));
    seen(&scene.run(&["show", "app.tabark", "--json"]).ended(0));
    let stored = std::fs::read(scene.archive()).unwrap();
    assert!(!stored.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
    assert!(!PROGRAM.is_empty() && scene.folder().exists());
}

#[test]
fn a_dump_that_is_killed_leaves_the_last_snapshot() {
    let Some(scene) = Scene::with("fail_killed", BIG) else { return };
    scene.dump(&[]).ended(0);
    let before = scene.state();
    let url = scene.database.url();
    for arguments in [["dump", url.as_str(), "app.tabark", "--fast"], ["restore", "app.tabark", &url, "--mode=replace"]]
    {
        let child = scene.start(&arguments);
        stopped_at(&scene, &child, "COPY%");
        interrupt(&child, "KILL");
        assert_eq!(child.wait_with_output().unwrap().status.signal(), Some(9));
        wait_until("the server has noticed", || !is_at(&scene, "COPY%"));
        scene.is_as(&before);
        assert_eq!(snapshots(&scene), 1);
    }
}

#[test]
fn how_long_a_dump_held_back_vacuum_is_told() {
    let Some(scene) = Scene::app("held") else { return };
    let began = std::time::Instant::now();
    let told = scene.dump(&["--json"]).ended(0).json()["held_seconds"].as_f64().unwrap();
    assert!(told > 0.0 && told <= began.elapsed().as_secs_f64(), "{told}");
    let ran = scene.dump(&[]).ended(0);
    assert!(ran.out.contains(" s, which keeps VACUUM from removing old rows"), "{ran:#?}");
}
