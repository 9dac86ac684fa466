//! The runbook, run as it is written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::major;
use super::scene::{PROGRAM, Ran, Scene};
use crate::postgres::tools;

/// The steps of a procedure: what is run, and what it must print.
fn steps(title: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/runbook.md");
    let page = fs::read_to_string(path).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with(title)).unwrap();
    let blocks = |kind: &str| -> Vec<String> {
        let opening = format!("```{kind}\n");
        section.split(opening.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
    };
    let (commands, outputs) = (blocks("sh"), blocks("text"));
    assert_eq!(commands.len(), outputs.len(), "each step says what it prints");
    commands.into_iter().zip(outputs).collect()
}

/// Runs one step in the scene's folder, and looks for each line of what it should print.
#[track_caller]
fn follow(scene: &Scene<'_>, (commands, expected): &(String, String)) -> Ran {
    let bin = scene.folder().join("bin");
    fs::create_dir_all(&bin).unwrap();
    // Stands for the deployment's repository.
    let git = bin.join("git");
    fs::write(&git, "#!/bin/sh\necho 0123456789abcdef0123456789abcdef01234567\n").unwrap();
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    let psql = major().and_then(tools).unwrap().command("psql");
    let psql = Path::new(psql.get_program()).parent().unwrap().to_owned();
    let path =
        [bin.as_path(), Path::new(PROGRAM).parent().unwrap(), &psql].map(|path| path.display().to_string()).join(":");
    let mut command = Command::new("sh");
    command.args(["-euc", commands]).current_dir(scene.folder()).stdin(Stdio::null());
    command.env("DATABASE_URL", scene.database.url()).env("PATH", format!("{path}:/usr/bin:/bin"));
    let ran = Ran::of(command.output().unwrap()).ended(0);
    let mut rest = ran.out.as_str();
    for part in expected.lines().flat_map(|line| line.split('…')).filter(|part| !part.is_empty()) {
        let after = rest.split_once(part).map(|(_, after)| after);
        assert!(after.is_some(), "no \"{part}\" in the rest of {ran:#?}");
        let Some(after) = after else { continue };
        rest = after;
    }
    ran
}

#[test]
fn a_table_is_corrupted() {
    let Some(scene) = Scene::dumped("runbook_corrupted") else { return };
    let good = scene.state();
    scene.database.psql("UPDATE users SET credit = -1; UPDATE driver_profiles SET licence = NULL WHERE id % 3 = 0");
    let steps = steps("A table is corrupted");
    assert_eq!(steps.len(), 6);
    for (place, step) in steps.iter().enumerate() {
        follow(&scene, step);
        if (0..5).contains(&place) {
            let refused = scene.database.try_psql("DELETE FROM trips").unwrap_err();
            assert!(refused.contains("read-only transaction"), "{refused}");
        }
    }
    let kept = scene.database.psql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tabark_old%'");
    scene.database.psql(&format!("DROP SCHEMA {kept} CASCADE"));
    scene.is_as(&good);
}

#[test]
fn before_a_deployment_and_back() {
    let Some(scene) = Scene::app("runbook_deployment") else { return };
    let good = scene.state();
    let steps = steps("Before a deployment, and back");
    assert_eq!(steps.len(), 3);
    follow(&scene, &steps[0]);
    // The deployment, and what came in since.
    scene.database.psql(
        "ALTER TABLE users ADD phone text; ALTER TABLE trips DROP fare CASCADE; INSERT INTO users (email) VALUES ('late');
         CREATE TABLE features (id int); UPDATE driver_profiles SET tags = '{}'; DROP TRIGGER give ON rich_users",
    );
    follow(&scene, &steps[1]);
    follow(&scene, &steps[2]);
    scene.database.psql("DROP TABLE features");
    scene.is_as(&good);
}
