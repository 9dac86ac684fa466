//! Reading back what was written, inside the same transaction, and comparing it with the snapshot.

use std::slice;
use std::sync::Mutex;

use crate::archive::Fingerprinter;
use crate::error::{Error, Result};
use crate::model::TableSchema;
use crate::observer::{Observer, Phase};
use crate::postgres::client::Client;
use crate::restore::kept::ChosenTable;
use crate::restore::proof::Watched;
use crate::restore::row_sum::RowSum;
use crate::source::postgres::catalog::TableFacts;
use crate::source::postgres::rows::{Order, TableRows};

/// Reads a restored table back and compares it with the snapshot's.
///
/// Rows that one connection wrote in the order of the key into a new table can be read as they lie (`first`), which needs no
/// sorting. What comes in another order is no proof of anything: it is then read once more in the order of the key.
///
/// Several connections share a table that is read by its key; they must see the same rows.
pub(super) fn check_rows(
    clients: &[Mutex<Client>],
    made: &TableSchema,
    facts: &TableFacts,
    table: &ChosenTable<'_>,
    first: Order,
    observer: &dyn Observer,
) -> Result<()> {
    let wanted = table.schema();
    check_shape(made, wanted)?;
    observer.begin(Phase::Prove, Some(&wanted.name), Some(table.rows()), None);
    // The key that rows are in is the snapshot's, whether or not the target's table has it by now.
    let mut made = made.clone();
    made.key.clone_from(&wanted.key);
    let read = |order: Order| {
        let mut fingerprinter = Fingerprinter::new(wanted);
        let rows = TableRows::new(&made, facts);
        rows.read_ordered(clients, &[], order, &mut Watched::new(observer, &mut fingerprinter))?;
        Ok::<_, Error>(fingerprinter.finish())
    };
    let expected = &table.wanted().fingerprint;
    let mut found = read(first)?;
    if found.table != expected.table && first == Order::AsTheyLie && !wanted.key.is_empty() {
        found = read(Order::Key)?;
    }
    if found.table == expected.table && found.rows == expected.rows {
        return Ok(());
    }
    if found.rows != expected.rows {
        return Err(Error::not_proven(format!(
            "{} rows were read back, to be restored were {}",
            found.rows, expected.rows
        )));
    }
    let pairs = expected.columns.iter().zip(&found.columns).zip(&wanted.columns);
    let differing: Vec<String> = pairs
        .filter(|((wanted, found), _)| wanted != found)
        .map(|(_, column)| format!("\"{}\"", column.name))
        .collect();
    Err(Error::not_proven("the rows read back are not the snapshot's; nothing was changed")
        .noting(format_args!("columns that differ: {}", differing.join(", "))))
}

/// A partition whose rows were sent to a table that it is a partition of.
pub(super) struct Leaf<'l, 'a> {
    pub(super) table: &'l ChosenTable<'a>,
    /// What the target says of it.
    pub(super) made: &'l TableSchema,
    pub(super) facts: &'l TableFacts,
}

/// Reads all of these back and compares what they hold in all with what the snapshot's hold in all: the sums of their rows, whatever
/// the order and the partition. Columns are taken in the order of the first, by their names.
pub(super) fn check_together(client: &Mutex<Client>, leaves: &[Leaf<'_, '_>], observer: &dyn Observer) -> Result<()> {
    let Some(first) = leaves.first() else { return Ok(()) };
    let names: Vec<&str> = first.table.schema().columns.iter().map(|column| column.name.as_str()).collect();
    let (mut wanted, mut found) = (RowSum::new(first.table.schema()), RowSum::new(first.table.schema()));
    for leaf in leaves {
        let schema = leaf.table.schema();
        check_shape(leaf.made, schema).map_err(|error| error.in_table(&schema.name))?;
        let places = places(schema, &names)?;
        leaf.table.add_to(&mut wanted, &places, observer)?;
        observer.begin(Phase::Prove, Some(&schema.name), Some(leaf.table.rows()), None);
        let (mut made, mut facts) = (leaf.made.clone(), leaf.facts.clone());
        made.columns = places.iter().filter_map(|place| leaf.made.columns.get(*place).cloned()).collect();
        facts.columns = places.iter().filter_map(|place| leaf.facts.columns.get(*place).cloned()).collect();
        TableRows::new(&made, &facts).read_ordered(
            slice::from_ref(client),
            &[],
            Order::AsTheyLie,
            &mut Watched::new(observer, &mut found),
        )?;
    }
    if found.is_same(&wanted) {
        return Ok(());
    }
    let all: Vec<String> = leaves.iter().map(|leaf| format!("\"{}\"", leaf.table.schema().name)).collect();
    Err(Error::not_proven(format!(
        "the rows read back of {} together are not the snapshot's; nothing was changed",
        all.join(", ")
    )))
}

/// Where columns of these names are in a table, which must have no others.
fn places(schema: &TableSchema, names: &[&str]) -> Result<Vec<usize>> {
    let place = |name: &&str| schema.columns.iter().position(|column| column.name == **name);
    let places: Option<Vec<usize>> = names.iter().map(place).collect();
    places.filter(|places| places.len() == schema.columns.len()).ok_or_else(|| {
        super::chosen::contradiction(format!("partition \"{}\" has other columns than those beside it", schema.name))
    })
}

/// Does the table that was made have the columns that the snapshot's rows are in?
fn check_shape(made: &TableSchema, wanted: &TableSchema) -> Result<()> {
    let columns = |table: &TableSchema| {
        let columns = table.columns.iter().map(|column| (column.name.clone(), column.logical));
        columns.collect::<Vec<_>>()
    };
    if columns(made) == columns(wanted) && made.generated == wanted.generated {
        return Ok(());
    }
    Err(super::chosen::contradiction("a table whose definition gives it other columns than its rows have".into()))
}
