//! Disks that are full, where a small one can be mounted.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::major;
use super::scene::Scene;
use crate::note::note;
use crate::postgres::Server;

/// A file system of a few megabytes, gone when dropped.
struct Small(TempDir);

impl Small {
    /// `None`, with one line that says so, where nothing may be mounted.
    fn mounted(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .output();
        if mount.is_ok_and(|mount| mount.status.success()) {
            return Some(Self(folder));
        }
        note("skipped: full disks (nothing may be mounted here)");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // A server that is being stopped may still use it.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

const ROWS: &str = "
    CREATE TABLE big (id int PRIMARY KEY, payload text);
    INSERT INTO big SELECT n, string_agg(md5(n::text || m), '') FROM generate_series(1, 20000) n, generate_series(1, 20) m GROUP BY n;
";

#[test]
fn a_full_disk_of_the_server_takes_the_restore_back() {
    let Some(small) = Small::mounted("6m") else { return };
    let Some(server) = major().and_then(Server::start) else { return };
    let scene = Scene::on(server.database("full_target"));
    scene.database.psql(ROWS);
    scene.dump(&[]).ended(0);
    let owner = std::fs::metadata(server.socket_folder().join("data")).unwrap();
    chown(small.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
    scene.database.psql(&format!("CREATE TABLESPACE small LOCATION '{}'", small.path().display()));
    scene.database.psql("ALTER DATABASE full_target SET default_tablespace = small");
    let before = scene.state();
    scene
        .restore(&["--mode", "replace"])
        .ended(1)
        .says("No space left on device")
        .says("free space on the server's disk");
    scene.is_as(&before);
    scene.database.psql("ALTER DATABASE full_target RESET default_tablespace");
    scene.restore(&["--mode", "replace"]).ended(0);
    server.stop();
}

#[test]
fn a_full_disk_of_the_archive_keeps_its_last_snapshot() {
    let Some(small) = Small::mounted("3m") else { return };
    let Some(scene) = Scene::with("full_archive", "CREATE TABLE big (id int PRIMARY KEY, payload text)") else {
        return;
    };
    let archive = small.path().join("app.tabark").display().to_string();
    let url = scene.database.url();
    scene.run(&["dump", &url, &archive]).ended(0);
    let before = std::fs::read(&archive).unwrap();
    scene.database.psql(&ROWS.replace("CREATE TABLE", "DROP TABLE big; CREATE TABLE"));
    scene.run(&["dump", &url, &archive]).ended(1).says("No space left on device").says("free space");
    scene.run(&["verify", &archive]).ended(0);
    let now = std::fs::read(&archive).unwrap();
    assert!(now.starts_with(&before));
    let told = scene.run(&["list", &archive, "--json"]).ended(0).json();
    assert_eq!(told["snapshots"].as_array().unwrap().len(), 1);
}
