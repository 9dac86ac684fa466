//! `spec/cli.md` names every field that the program writes.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::Folder;

/// Objects whose keys are data.
const FREE: [&str; 3] = ["tags", "settings", "options"];

fn collect(value: &Json, names: &mut BTreeSet<String>) {
    match value {
        Json::Object(object) => {
            for (name, value) in object {
                names.insert(name.clone());
                if !FREE.contains(&name.as_str()) {
                    collect(value, names);
                }
            }
        }
        Json::Array(values) => values.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}

#[test]
fn the_specification_names_every_field() {
    let folder = Folder::with("CREATE TABLE t (a, b AS (a)); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT 1;");
    let mut names = BTreeSet::new();
    let mut run = |arguments: &[&str]| collect(&folder.run(&[arguments, &["--json"]].concat()).json(), &mut names);
    run(&["dump", "app.sqlite", "app.tabark"]);
    run(&["list", "app.tabark"]);
    run(&["show", "app.tabark", "-t", "t"]);
    run(&["verify", "app.tabark", "--root", &"0".repeat(64)]);
    run(&["restore", "app.tabark", "new.sqlite"]);
    run(&["diff", "app.tabark", "1", "1"]);
    folder.sql("app.sqlite", "DROP VIEW v; UPDATE t SET a = 2; PRAGMA user_version = 3");
    run(&["compare", "app.tabark", "app.sqlite"]);
    run(&["show", "app.tabark", "--at", "9"]);
    assert!(names.len() > 60, "{names:?}");
    let page = include_str!("../../spec/cli.md");
    let named = |name: &String| page.contains(&format!("`{name}`")) || page.contains(&format!("`{name}[]`"));
    let missing: Vec<_> = names.iter().filter(|name| !named(name)).collect();
    assert!(missing.is_empty(), "spec/cli.md does not name {missing:?}");
}
