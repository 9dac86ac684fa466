//! What tests do with a database: read its catalog, make another from it, and compare.

use super::super::{Inventory, discover, read};
use super::postgres::{Database, Server};
use crate::model::SchemaObject;
use crate::postgres::client::Client;
use crate::postgres::settings::ConnectionSettings;
use crate::selection::Selection;

pub(super) fn connect(database: &Database<'_>) -> Client {
    let mut client = Client::connect(&ConnectionSettings::parse(&database.url()).unwrap()).unwrap();
    client
        .run(
            "SET search_path = ''; SET DateStyle = ISO; SET IntervalStyle = postgres; SET TimeZone = 'UTC';
             SET extra_float_digits = 3; SET quote_all_identifiers = off; SET check_function_bodies = off;
             SET standard_conforming_strings = on",
        )
        .unwrap();
    // Who reads tables must not be led into views; who fills materialized views must.
    let lifted = "SELECT pg_catalog.set_config(name, '', false) FROM pg_catalog.pg_settings
        WHERE name = 'restrict_nonsystem_relation_kind'";
    client.rows(lifted).unwrap();
    client
}

/// The catalog of what patterns choose; of everything where there are none.
pub(super) fn inventory(database: &Database<'_>, include: &[&str], exclude: &[&str]) -> Inventory {
    let selection = Selection::new(include, exclude).unwrap();
    let mut client = connect(database);
    let relations = discover(&mut client, &selection).unwrap();
    read(&mut client, &relations, selection.is_everything()).unwrap()
}

/// All statements in their order, each with its kind and name.
pub(super) fn statements(inventory: &Inventory) -> Vec<(u64, String, String)> {
    let named = |object: &SchemaObject| {
        (object.position, format!("{} {} of {}", object.kind, object.name, object.table), object.definition.clone())
    };
    let catalog = &inventory.catalog;
    let mut all: Vec<_> = catalog.objects.iter().map(named).collect();
    // The table of an extension comes with it.
    for table in catalog.tables.iter().filter(|table| table.option("extension").is_none()) {
        all.push((table.position, format!("table {}", table.name), table.definition.clone()));
        all.extend(table.attached.iter().map(named));
    }
    all.sort();
    all
}

/// Runs all of them in an empty database. All failures are told at once.
pub(super) fn make(inventory: &Inventory, database: &Database<'_>) {
    let mut client = connect(database);
    let mut failures = Vec::new();
    for (position, what, definition) in statements(inventory) {
        if let Err(error) = client.run_one(&definition) {
            failures.push(format!("{position}: {what}\n    {definition}\n    {error}"));
        }
    }
    assert!(failures.is_empty(), "{} statements fail:\n{}", failures.len(), failures.join("\n"));
}

/// Runs all of them in a transaction that comes to nothing, up to the first that fails.
pub(super) fn try_making(client: &mut Client, inventory: &Inventory) -> Result<(), String> {
    client.run("BEGIN").unwrap();
    let mut made = statements(inventory).into_iter().map(|(position, what, definition)| {
        client.run_one(&definition).map_err(|error| format!("{position}: {what}\n    {definition}\n    {error}"))
    });
    let outcome = made.by_ref().find(Result::is_err).unwrap_or(Ok(()));
    drop(made);
    client.run("ROLLBACK").unwrap();
    outcome
}

/// Makes another database from the catalog of this one: `pg_dump` finds the same schema in both, and so do we.
pub(super) fn judge(server: &Server, original: &Database<'_>) -> Inventory {
    let made = server.database(&format!("{} made again", original.name));
    judge_in(original, &made)
}

/// The same, in a database that has what the catalog says it must have.
pub(super) fn judge_in(original: &Database<'_>, made: &Database<'_>) -> Inventory {
    let found = inventory(original, &[], &[]);
    make(&found, made);
    let sorted = |database: &Database<'_>| -> Vec<String> {
        database.normalized_schema().iter().map(|statement| with_sorted_options(statement)).collect()
    };
    let (wanted, is) = (sorted(original), sorted(made));
    let lacking: Vec<&String> =
        wanted.iter().filter(|line| !is.contains(line) && !super::everything::is_not_kept(line)).collect();
    let too_much: Vec<&String> = is.iter().filter(|line| !wanted.contains(line)).collect();
    assert!(
        lacking.is_empty() && too_much.is_empty(),
        "{} lacking:\n{}\n\n{} too much:\n{}",
        lacking.len(),
        join(&lacking),
        too_much.len(),
        join(&too_much)
    );
    let again = inventory(made, &[], &[]);
    let (first, second) = (statements(&found), statements(&again));
    let differ = first.iter().zip(&second).find(|(a, b)| a != b);
    assert_eq!(differ, None, "read again it differs");
    assert_eq!(first.len(), second.len());
    for (a, b) in found.catalog.tables.iter().zip(&again.catalog.tables) {
        assert_eq!(a, b, "read again the table differs");
    }
    found
}

/// Options of storage in the order of their names: their own order says nothing.
fn with_sorted_options(statement: &str) -> String {
    let Some((start, rest)) = statement.rsplit_once(" WITH (") else { return statement.to_owned() };
    let Some((options, end)) = rest.split_once(')') else { return statement.to_owned() };
    let mut options: Vec<&str> = options.split(", ").collect();
    options.sort_by_key(|option| (option.starts_with("toast."), *option));
    format!("{start} WITH ({}){end}", options.join(", "))
}

fn join(lines: &[&String]) -> String {
    lines.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("\n")
}
