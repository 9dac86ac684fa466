//! Which columns of two states of a table are the same ones, and whether their rows can be told apart in the same way.

use crate::history::key_order::KeyOrder;
use crate::model::{Column, KeyPart, SourceDescription, TableSchema};

/// Two states of a table beside each other, column by column. Columns are told by their names; the hidden one, a row id, by
/// being hidden, whatever it is called.
#[derive(Debug)]
pub(crate) struct Pairing<'s> {
    pub(crate) before: &'s TableSchema,
    pub(crate) after: &'s TableSchema,
    /// Indexes, before and after, of the columns that both have, in the order of those after.
    pub(crate) common: Vec<(usize, usize)>,
    /// Indexes, before and after, of the key's columns, in its order. Empty where rows have no key, or another one.
    pub(crate) key: Vec<(usize, usize)>,
    pub(crate) matching: RowMatching,
    /// How keys follow one another, where that is known and the same in both states.
    pub(crate) order: Option<KeyOrder>,
}

/// How rows of one state of a table were found again in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowMatching {
    /// By their keys: rows with another cell are changed ones.
    ByKey,
    /// By their cells, since the table has no key: rows are only added or removed.
    ByContent,
    /// By the cells of the columns that both states have, since the key is another one: rows are only added or removed.
    KeyChanged,
}

impl RowMatching {
    /// The name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ByKey => "key",
            Self::ByContent => "content",
            Self::KeyChanged => "content, since the key changed",
        }
    }
}

impl<'s> Pairing<'s> {
    pub(crate) fn new(
        (before, from): (&'s TableSchema, &SourceDescription),
        (after, to): (&'s TableSchema, &SourceDescription),
    ) -> Self {
        let common: Vec<(usize, usize)> = after
            .columns
            .iter()
            .enumerate()
            .filter_map(|(index, column)| Some((position_of(&before.columns, column)?, index)))
            .collect();
        let part = |index: usize, part: &KeyPart| (index, part.descending, part.collation.clone());
        let new: Vec<_> = after.key.iter().map(|key| part(key.column as usize, key)).collect();
        let old: Option<Vec<_>> = before
            .key
            .iter()
            .map(|key| {
                let (_, same) = common.iter().find(|(old, _)| *old == key.column as usize)?;
                Some(part(*same, key))
            })
            .collect();
        let matching = match old {
            Some(old) if old != new => RowMatching::KeyChanged,
            None => RowMatching::KeyChanged,
            Some(old) if old.is_empty() => RowMatching::ByContent,
            Some(_) => RowMatching::ByKey,
        };
        let mut pairing = Self { before, after, common, key: Vec::new(), matching, order: None };
        if matching == RowMatching::ByKey {
            let columns = |schema: &TableSchema| schema.key.iter().map(|part| part.column as usize).collect::<Vec<_>>();
            pairing.key = columns(before).into_iter().zip(columns(after)).collect();
            let orders = (KeyOrder::new(before, from), KeyOrder::new(after, to));
            pairing.order = match orders {
                (Some(order), Some(other)) if order.is_like(&other) => Some(order),
                _ => None,
            };
        }
        pairing
    }

    /// Are these the key's columns?
    pub(crate) fn is_key(&self, pair: (usize, usize)) -> bool {
        self.key.contains(&pair)
    }

    /// Has one of the states a column that the other has not?
    pub(crate) fn has_others(&self) -> bool {
        self.common.len() != self.before.columns.len() || self.common.len() != self.after.columns.len()
    }
}

/// The index of the same column in another state.
fn position_of(columns: &[Column], column: &Column) -> Option<usize> {
    let same = |other: &Column| other.hidden == column.hidden && (other.hidden || other.name == column.name);
    columns.iter().position(same)
}
