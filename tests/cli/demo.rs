//! `tabark demo`.

use super::{Folder, names_in};

#[test]
fn the_demo_runs_and_its_commands_are_real() {
    let folder = Folder::new();
    let ran = folder.run(&["demo", "shown"]).ended(0);
    let names = ["app.sqlite", "app.tabark", "before.sqlite", "damaged.tabark", "rescued.sqlite"];
    assert_eq!(names_in(&folder.path("shown")), names);
    let commands: Vec<&str> = ran.out.lines().filter_map(|line| line.strip_prefix("$ tabark ")).collect();
    assert_eq!(commands.len(), 7, "{}", ran.out);
    assert!(ran.out.contains("(exit code 3)") && ran.out.contains("table \"driver_profiles\""), "{}", ran.out);
    assert_eq!(ran.out.matches("proved: 1 of 1 table equals the snapshot").count(), 2, "{}", ran.out);
    assert!(ran.out.lines().skip(1).all(|line| line.chars().count() < 100), "{}", ran.out);
    assert_eq!(ran.err, "");
    // Whoever repeats a command gets the same, the times apart.
    let verify = commands.iter().find(|command| command.starts_with("verify damaged")).unwrap();
    let arguments: Vec<&str> = verify.split(' ').collect();
    let mut command = folder.command(&arguments);
    let again = super::Ran::of(command.current_dir(folder.path("shown")).output().unwrap()).ended(3);
    assert!(ran.out.contains(&again.out), "{}", again.out);
}

#[test]
fn a_folder_with_something_in_it_is_not_touched() {
    let folder = Folder::new();
    let names = folder.names();
    folder.run(&["demo", "."]).ended(1).says("not empty").says("hint: ");
    folder.run(&["demo", "app.sqlite"]).ended(1).says("error: ");
    assert_eq!(folder.names(), names);
}

#[test]
fn without_a_folder_the_demo_makes_one_and_names_it() {
    let folder = Folder::new();
    let mut command = folder.command(&["demo"]);
    let ran = super::Ran::of(command.env("TMPDIR", folder.folder.path()).output().unwrap()).ended(0);
    let made = ran.out.lines().next().unwrap().strip_prefix("Everything happens in ").unwrap();
    assert!(names_in(std::path::Path::new(made)).contains(&"app.tabark".to_owned()), "{made}");
}
