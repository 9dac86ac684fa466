//! Columns of logical types as people and programs see them, in the archive that the specification has of all of them.

use std::path::Path;

use serde_json::json;

use super::{Folder, Ran};

/// What the program says of that archive.
fn run(arguments: &[&str]) -> Ran {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/logical.tabark");
    let (command, options) = arguments.split_first().unwrap();
    Folder::dumped().run(&[&[*command, archive.to_str().unwrap()], options].concat()).ended(0)
}

#[test]
fn json_lines_hold_what_cells_stand_for() {
    let columns = "c0,c1,c6,c7,c8,c9,c11,c12,c34";
    let ran = run(&["cat", "-t", "t", "--format", "jsonl", "--columns", columns]);
    let lines: Vec<&str> = ran.out.lines().collect();
    let first = r#"{"c0":1,"c1":false,"c6":"-infinity","c7":"00:00:00","c8":"-infinity","c9":"1969-12-31T23:59:59.999999Z","c11":"{\"a\" :  [1.50]}","c12":-5,"c34":1.50}"#;
    assert_eq!(lines[0], first);
    let second = r#"{"c0":"any","c1":true,"c6":"2026-03-01","c7":"24:00:00","c8":"294247-01-10T04:00:54.775807","c9":"294247-01-10 04:00:54.775808+00","c11":"null","c12":0.50,"c34":"NaN"}"#;
    assert_eq!(lines[1], second);
    let decimal = r#""c12":"NaN","c34":-123456789012345678901234567890.5}"#;
    assert!(lines[2].ends_with(decimal) && lines[2].contains(r#""c6":"infinity""#), "{}", lines[2]);
}

#[test]
fn csv_holds_the_same() {
    let ran = run(&["cat", "-t", "t", "--columns", "c1,c6,c9,c50"]);
    let rows = "c1,c6,c9,c50\r\nfalse,-infinity,1969-12-31T23:59:59.999999Z,0.000000000000000150\r\ntrue,2026-03-01,294247-01-10 04:00:54.775808+00,NaN\r\n,infinity,infinity,-123456789012345678901234567890.5\r\n";
    assert_eq!(ran.out, rows);
}

#[test]
fn show_names_the_types() {
    let people = run(&["show", "-t", "t"]).out;
    assert!(people.contains("timestamp with time zone") && people.contains("decimal of scale 18"), "{people}");
    let shown = run(&["show", "-t", "t", "--json"]).json();
    let columns = &shown["tables"][0]["columns"];
    assert_eq!((&columns[1]["logical"], &columns[6]["logical"]), (&json!("boolean"), &json!("date")));
    assert_eq!((&columns[1]["minimum"]["value"], &columns[1]["maximum"]["value"]), (&json!(false), &json!(true)));
    assert_eq!(
        (&columns[6]["minimum"]["value"], &columns[6]["maximum"]["value"]),
        (&json!("-infinity"), &json!("infinity"))
    );
    assert_eq!(columns[17]["minimum"]["value"], json!("1.50"));
}
