//! `tabark cat`.

use tabark::Error;
use tabark::export::{Chosen, choose_columns, write_csv, write_json_lines};
use tabark::model::TableSchema;

use super::Outcome;
use crate::args::{CatArgs, Format};
use crate::exit::{Exit, Failure};
use crate::pipe::{Pipe, Rows};

pub(crate) fn run(args: &CatArgs, out: &mut Pipe) -> Outcome {
    if args.exact && args.format != Format::Jsonl {
        return Err(Failure::Usage(Error::request("--exact goes with --format jsonl only")));
    }
    let archive = super::open(&args.archive)?;
    let table = archive.select(&args.at.or_latest())?.table(&args.table)?;
    let names = column_names(&args.columns, table.schema());
    let chosen = match (names.as_slice(), args.rowid) {
        ([], true) => Chosen::All,
        ([], false) => Chosen::Visible,
        (names, _) => Chosen::Named(names),
    };
    let columns = choose_columns(table.schema(), chosen)?;
    let mut rows = Rows::to(out);
    let written = match args.format {
        Format::Csv => write_csv(&table, &columns, args.limit, &mut rows),
        Format::Jsonl => write_json_lines(&table, &columns, args.limit, args.exact, &mut rows),
    };
    match written {
        Err(_) if out.is_closed() => Ok(Exit::Well),
        result => result.map(|_| Exit::Well).map_err(Failure::from),
    }
}

/// Names parted by commas, unless all of it is a column's name.
fn column_names(given: &[String], schema: &TableSchema) -> Vec<String> {
    let is_column = |name: &str| schema.columns.iter().any(|column| column.name == name);
    let mut names = Vec::new();
    for text in given {
        if is_column(text) {
            names.push(text.clone());
        } else {
            names.extend(text.split(',').map(str::to_owned));
        }
    }
    names
}
