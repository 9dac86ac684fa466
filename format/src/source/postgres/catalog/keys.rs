//! The key by which a table's rows are ordered.

use super::columns::ColumnEntry;
use super::indexes::UniqueIndex;
use crate::model::KeyPart;
use crate::postgres::types::KeyOrder;

/// The primary key, else the unique index of the fewest columns, if all its columns have an order of cells that is the
/// server's; else nothing. `columns` are those with stored cells.
pub(super) fn choose(indexes: &[&UniqueIndex], columns: &[&ColumnEntry], texts_are_ordered: bool) -> Vec<KeyPart> {
    let mut indexes: Vec<&&UniqueIndex> = indexes.iter().collect();
    indexes.sort_by_key(|index| (!index.is_primary, index.columns.len(), &index.name));
    indexes.iter().find_map(|index| parts(index, columns, texts_are_ordered)).unwrap_or_default()
}

fn parts(index: &UniqueIndex, columns: &[&ColumnEntry], texts_are_ordered: bool) -> Option<Vec<KeyPart>> {
    let part = |attnum: &i16| {
        let (at, column) = columns.iter().enumerate().find(|(_, column)| column.facts.attnum == *attnum)?;
        let is_ordered = match column.facts.column_type.key_order() {
            KeyOrder::Same => true,
            KeyOrder::WithCollateC => texts_are_ordered,
            KeyOrder::None => false,
        };
        let fits = is_ordered && column.not_null;
        fits.then_some(())?;
        Some(KeyPart { column: u32::try_from(at).ok()?, descending: false, collation: "BINARY".to_owned() })
    };
    index.columns.iter().map(part).collect::<Option<Vec<_>>>().filter(|parts| !parts.is_empty())
}
