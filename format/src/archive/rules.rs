//! Rules that metadata must keep beyond its encoding; the same ones when it is written and when it is read.

use super::manifest::{Catalog, SnapshotManifest, TableManifest};
use crate::error::{Error, Layer, Result};
use crate::limits::{MAX_COLUMNS, MAX_NAME_BYTES, MAX_PAGE_DEPTH, MAX_PAGE_ENTRIES, MAX_TABLES, MAX_TAG_BYTES};
use crate::model::{Bound, Filter, Logical, TableSchema, Value, roles};

/// A rule that is broken: where in the format it stands, and in words.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) layer: Layer,
    pub(super) why: String,
}

/// A limit of §2.2 or a form of §5.3 that does not hold.
fn metadata(why: impl Into<String>) -> Broken {
    Broken { layer: Layer::Metadata, why: why.into() }
}

/// Something that a manifest must hold to.
pub(super) fn manifest(why: impl Into<String>) -> Broken {
    Broken { layer: Layer::Manifest, why: why.into() }
}

/// What a reader says of a broken rule.
pub(super) fn damaged(result: Check, offset: u64) -> Result<()> {
    result.map_err(|broken| Error::damaged(broken.layer, broken.why).at(offset))
}

/// What a writer says of a broken rule.
pub(super) fn refused(result: Check) -> Result<()> {
    result.map_err(|broken| Error::request(broken.why))
}

type Check = std::result::Result<(), Broken>;

/// The rule, unless it is broken.
fn require(holds: bool, broken: impl FnOnce() -> Broken) -> Check {
    if holds { Ok(()) } else { Err(broken()) }
}

/// Names are not longer than allowed.
pub(super) fn check_names<'n>(mut names: impl Iterator<Item = &'n str>) -> Check {
    require(names.all(|name| name.len() <= MAX_NAME_BYTES), || metadata("an overlong name"))
}

/// Pairs sorted by name, names unique and not empty.
pub(super) fn check_pairs(pairs: &[(String, String)], what: &str) -> Check {
    check_names(pairs.iter().map(|(name, _)| name.as_str()))?;
    require(pairs.iter().all(|(name, _)| !name.is_empty()), || manifest(format!("a {what} without a name")))?;
    let ascends = pairs.windows(2).all(|pair| matches!(pair, [(a, _), (b, _)] if a < b));
    require(ascends, || manifest(format!("{what}s that are not sorted or not unique")))
}

/// Tags are pairs, and so small that a history page can hold those of 64 snapshots.
pub(super) fn check_tags(tags: &[(String, String)]) -> Check {
    let bytes: usize = tags.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
    require(bytes <= MAX_TAG_BYTES, || {
        metadata(format!("{bytes} bytes of tags; at most {MAX_TAG_BYTES} are allowed"))
    })?;
    check_pairs(tags, "tag")
}

pub(super) fn check_snapshot(manifest: &SnapshotManifest) -> Check {
    check_tags(&manifest.tags)?;
    check_pairs(&manifest.source.settings, "setting")
}

pub(super) fn check_catalog(catalog: &Catalog) -> Check {
    let tables = catalog.tables.len();
    require(tables <= MAX_TABLES, || metadata(format!("{tables} tables; at most {MAX_TABLES} are allowed")))?;
    check_names(catalog.tables.iter().map(|table| table.name.as_str()))?;
    let ascends = catalog.tables.windows(2).all(|pair| matches!(pair, [a, b] if a.name < b.name));
    require(ascends, || manifest("tables of a catalog that are not sorted or not unique"))
}

pub(super) fn check_schema(schema: &TableSchema) -> Check {
    let columns = schema.columns.len();
    require(columns <= MAX_COLUMNS, || metadata(format!("{columns} columns; at most {MAX_COLUMNS} are allowed")))?;
    let mut names: Vec<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
    check_names(names.iter().copied().chain([schema.name.as_str()]))?;
    names.sort_unstable();
    let unique = names.windows(2).all(|pair| matches!(pair, [a, b] if a != b));
    require(unique, || manifest("two columns of one name"))?;
    let hidden = schema.columns.iter().skip(1).any(|column| column.hidden);
    require(!hidden, || manifest("a hidden column that is not the first"))?;
    let known_role = [roles::TABLE, roles::SHADOW, roles::INTERNAL].contains(&schema.role.as_str());
    require(known_role, || manifest(format!("unknown role \"{}\" of a table", schema.role)))?;
    let key_fits = schema.key.iter().all(|part| (part.column as usize) < columns);
    require(key_fits, || manifest("a key over a column that the table does not have"))?;
    check_pairs(&schema.options, "option")
}

/// Rows are left out of ordinary tables only, by times in a column that is stored.
pub(super) fn check_filters(schema: &TableSchema, filters: &[Filter]) -> Check {
    require(filters.is_empty() || schema.role == roles::TABLE, || {
        manifest(format!("a filter on a table of the role \"{}\"", schema.role))
    })?;
    let known = |filter: &Filter| match filter {
        Filter::Where { .. } => true,
        Filter::Expire(rule) => schema.columns.iter().any(|column| column.name == rule.column),
    };
    require(filters.iter().all(known), || manifest("a filter by a column that the table does not have"))
}

pub(super) fn check_table(table: &TableManifest) -> Check {
    let TableManifest { schema, filters, columns, page_depth, pages, rows, .. } = table;
    require(*page_depth <= MAX_PAGE_DEPTH, || manifest(format!("{page_depth} levels of inner pages")))?;
    require(pages.len() <= MAX_PAGE_ENTRIES, || metadata(format!("{} pages in a table manifest", pages.len())))?;
    check_schema(schema)?;
    check_filters(schema, filters)?;
    require(columns.len() == schema.columns.len(), || manifest("column summaries that are not one per column"))?;
    for column in columns {
        check_range(column.minimum.as_ref(), column.maximum.as_ref())?;
    }
    for page in pages {
        check_bounds(page.first_key.iter().chain(&page.last_key))?;
    }
    require(pages.is_empty() == (*rows == 0), || manifest(format!("{} pages for {rows} rows", pages.len())))
}

/// Minimum and maximum stand together, are no nulls, and are held as bounds must be.
pub(super) fn check_range(minimum: Option<&Bound>, maximum: Option<&Bound>) -> Check {
    require(minimum.is_some() == maximum.is_some(), || {
        metadata("a minimum without a maximum, or the other way round")
    })?;
    let any_null = minimum.into_iter().chain(maximum).any(|bound| bound.value == Value::Null);
    require(!any_null, || metadata("a null as minimum or maximum"))?;
    check_bounds(minimum.into_iter().chain(maximum))
}

/// Bounds are no longer than allowed, and whole if and only if they say so.
pub(super) fn check_bounds<'b>(mut bounds: impl Iterator<Item = &'b Bound>) -> Check {
    require(bounds.all(Bound::is_well_formed), || {
        metadata("a bound that is longer than allowed, or wrongly said to be exact")
    })
}

/// Column types that only a newer program knows.
pub(super) fn check_logical_types(schema: &TableSchema) -> Result<()> {
    match schema.columns.iter().find(|column| Logical::from_number(column.logical).is_none()) {
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
