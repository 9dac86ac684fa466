//! Rules that metadata must keep beyond its encoding; the same ones when it is written and when it is read.

use super::manifest::{Catalog, SnapshotManifest, TableManifest};
use crate::error::{Error, Layer, Result};
use crate::limits::{MAX_COLUMNS, MAX_NAME_BYTES, MAX_PAGE_DEPTH, MAX_PAGE_ENTRIES, MAX_TABLES};
use crate::model::{Bound, TableSchema, Value, roles};

/// A rule that is broken, in words.
pub(super) type Broken = String;

/// What a reader says of a broken rule.
pub(super) fn damaged(result: std::result::Result<(), Broken>, offset: u64) -> Result<()> {
    result.map_err(|why| Error::damaged(Layer::Manifest, why).at(offset))
}

/// What a writer says of a broken rule.
pub(super) fn refused(result: std::result::Result<(), Broken>) -> Result<()> {
    result.map_err(Error::request)
}

/// Pairs sorted by name, names unique and not empty.
pub(super) fn check_pairs(pairs: &[(String, String)], what: &str) -> std::result::Result<(), Broken> {
    for (name, _) in pairs {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(format!("a {what} with an empty or overlong name"));
        }
    }
    match pairs.windows(2).find(|pair| matches!(pair, [(a, _), (b, _)] if a >= b)) {
        Some(_) => Err(format!("{what}s that are not sorted or not unique")),
        None => Ok(()),
    }
}

pub(super) fn check_snapshot(manifest: &SnapshotManifest) -> std::result::Result<(), Broken> {
    check_pairs(&manifest.tags, "tag")?;
    check_pairs(&manifest.source.settings, "setting")
}

pub(super) fn check_catalog(catalog: &Catalog) -> std::result::Result<(), Broken> {
    if catalog.tables.len() > MAX_TABLES {
        return Err(format!("{} tables in a snapshot; at most {MAX_TABLES} are allowed", catalog.tables.len()));
    }
    match catalog.tables.windows(2).find(|pair| matches!(pair, [a, b] if a.name >= b.name)) {
        Some(_) => Err("tables of a catalog that are not sorted or not unique".into()),
        None => Ok(()),
    }
}

pub(super) fn check_schema(schema: &TableSchema) -> std::result::Result<(), Broken> {
    let columns = schema.columns.len();
    if columns > MAX_COLUMNS {
        return Err(format!("{columns} columns in a table; at most {MAX_COLUMNS} are allowed"));
    }
    let mut names: Vec<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
    if schema.name.len() > MAX_NAME_BYTES || names.iter().any(|name| name.len() > MAX_NAME_BYTES) {
        return Err("an overlong name of a table or column".into());
    }
    names.sort_unstable();
    if names.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err("two columns of one name".into());
    }
    if schema.columns.iter().skip(1).any(|column| column.hidden) {
        return Err("a hidden column that is not the first".into());
    }
    if ![roles::TABLE, roles::SHADOW, roles::INTERNAL].contains(&schema.role.as_str()) {
        return Err(format!("unknown role \"{}\" of a table", schema.role));
    }
    if schema.key.iter().any(|part| part.column as usize >= columns) {
        return Err("a key over a column that the table does not have".into());
    }
    check_pairs(&schema.options, "option")
}

pub(super) fn check_table(manifest: &TableManifest) -> std::result::Result<(), Broken> {
    check_schema(&manifest.schema)?;
    if manifest.columns.len() != manifest.schema.columns.len() {
        return Err("column summaries that are not one per column".into());
    }
    if manifest.page_depth > MAX_PAGE_DEPTH || manifest.pages.len() > MAX_PAGE_ENTRIES {
        return Err("too many pages, or levels of pages".into());
    }
    for column in &manifest.columns {
        check_range(column.minimum.as_ref(), column.maximum.as_ref())?;
    }
    if manifest.pages.is_empty() != (manifest.rows == 0) {
        return Err(format!("{} pages for {} rows", manifest.pages.len(), manifest.rows));
    }
    Ok(())
}

/// Minimum and maximum stand together, are no nulls, and are held as bounds must be.
pub(super) fn check_range(minimum: Option<&Bound>, maximum: Option<&Bound>) -> std::result::Result<(), Broken> {
    if minimum.is_some() != maximum.is_some() {
        return Err("a minimum without a maximum, or the other way round".into());
    }
    if minimum.into_iter().chain(maximum).any(|bound| bound.value == Value::Null) {
        return Err("a null as minimum or maximum".into());
    }
    check_bounds(minimum.into_iter().chain(maximum))
}

/// Bounds are no longer than allowed, and whole if and only if they say so.
pub(super) fn check_bounds<'b>(mut bounds: impl Iterator<Item = &'b Bound>) -> std::result::Result<(), Broken> {
    if bounds.all(Bound::is_well_formed) {
        return Ok(());
    }
    Err("a bound that is longer than allowed, or wrongly said to be exact".into())
}

/// Column types that only a newer program knows.
pub(super) fn check_logical_types(schema: &TableSchema) -> Result<()> {
    match schema.columns.iter().find(|column| column.logical != 0) {
        Some(column) => {
            Err(Error::unsupported(format!("logical type {} of column \"{}\"", column.logical, column.name)))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_sorted_unique_and_named() {
        let pair = |name: &str| (name.to_owned(), String::new());
        assert!(check_pairs(&[], "tag").is_ok());
        assert!(check_pairs(&[pair("a"), pair("b")], "tag").is_ok());
        assert!(check_pairs(&[pair("b"), pair("a")], "tag").is_err());
        assert!(check_pairs(&[pair("a"), pair("a")], "tag").is_err());
        assert!(check_pairs(&[pair("")], "tag").is_err());
    }
}
