//! Cutting a table into ranges of its rows that several connections read: by the first column of its key, or by where rows
//! lie where there is no key.
//!
//! Where the cuts are does not matter to what is read: ranges follow one another in the order of the rows, and each row is
//! in one of them. They only should be of like size, and small, since what is read ahead waits in memory.

use crate::error::Result;
use crate::model::{Logical, TableSchema};
use crate::postgres::client::{Client, TextRow};
use crate::postgres::sql::{literal, quote};

/// Bytes of the table that a range is to be about.
const RANGE_BYTES: u64 = 4 << 20;

/// The most ranges, whatever the size of a table: each is a statement.
const MAX_RANGES: u64 = 100_000;

/// The first version that reads a range of places without reading what lies before it.
const READS_RANGES_OF_PLACES: u32 = 14_00_00;

/// Conditions that cut a table, in the order of its rows; one that is always true where it is not cut. The column that
/// decides is the one that `select` has under its own name.
pub(super) fn ranges(client: &mut Client, table: &TableSchema, oid: u32) -> Result<Vec<String>> {
    let size: u64 = client.value(&format!("SELECT pg_catalog.pg_relation_size({oid})"))?.number(0)?;
    let wanted = (size / RANGE_BYTES).min(MAX_RANGES);
    if wanted < 2 {
        return Ok(whole());
    }
    match table.key.first().and_then(|part| table.columns.get(part.column as usize)) {
        None if client.version() < READS_RANGES_OF_PLACES => Ok(whole()),
        None => Ok(by_place(size, wanted)),
        Some(column) => {
            let cuts = match Logical::from_number(column.logical) {
                Some(Logical::Integer) => integer_cuts(client, table, oid, &column.name, wanted)?,
                Some(Logical::Uuid) => uuid_cuts(wanted),
                _ => Vec::new(),
            };
            Ok(between(&quote(&column.name), &cuts))
        }
    }
}

fn whole() -> Vec<String> {
    vec!["true".to_owned()]
}

/// Ranges of pages. Rows lie in pages in the order in which they are scanned.
fn by_place(size: u64, wanted: u64) -> Vec<String> {
    /// The size of a page, by default: where it is another one, ranges are of another size.
    const PAGE: u64 = 8192;
    let step = (size / PAGE / wanted).max(1);
    let cuts: Vec<String> = (1..wanted).map(|cut| format!("'({},0)'::pg_catalog.tid", cut * step)).collect();
    between("ctid", &cuts)
}

/// Conditions between cuts that ascend.
fn between(what: &str, cuts: &[String]) -> Vec<String> {
    let (Some(first), Some(last)) = (cuts.first(), cuts.last()) else { return whole() };
    let inner = cuts.windows(2).filter_map(|pair| match pair {
        [from, to] => Some(format!("{what} >= {from} AND {what} < {to}")),
        _ => None,
    });
    let mut conditions = vec![format!("{what} < {first}")];
    conditions.extend(inner);
    conditions.push(format!("{what} >= {last}"));
    conditions
}

/// Cuts by the server's statistics of the column, with even steps between what these name; by the least and greatest value
/// alone where there are none.
fn integer_cuts(client: &mut Client, table: &TableSchema, oid: u32, column: &str, wanted: u64) -> Result<Vec<String>> {
    let (schema, relation) = (table.option("schema").unwrap_or_default(), table.option("relation").unwrap_or_default());
    let name = quote(column);
    let place = crate::postgres::sql::qualified(schema, relation);
    let (column, _) = (literal(column), oid);
    let known = format!(
        "SELECT bound FROM (SELECT pg_catalog.unnest(histogram_bounds::text::text[]) AS bound FROM pg_catalog.pg_stats \
         WHERE schemaname = {} AND tablename = {} AND attname = {column} AND NOT inherited) AS known \
         UNION ALL SELECT pg_catalog.min({name})::text FROM ONLY {place} \
         UNION ALL SELECT pg_catalog.max({name})::text FROM ONLY {place}",
        literal(schema),
        literal(relation)
    );
    let rows = client.rows(&known)?;
    let number = |row: &TextRow| row.get(0).and_then(|text| text.parse::<i64>().ok());
    let mut bounds: Vec<i64> = rows.iter().filter_map(number).collect();
    bounds.sort_unstable();
    bounds.dedup();
    // The sign binds less than a cast would: a negative number is given as text.
    Ok(even_cuts(&bounds, wanted).iter().map(|cut| format!("'{cut}'")).collect())
}

/// So many cuts that there are about `wanted` ranges, spread alike over the spaces between the bounds.
fn even_cuts(bounds: &[i64], wanted: u64) -> Vec<i64> {
    let spaces = bounds.len().saturating_sub(1) as u64;
    let steps = i128::from(wanted.div_ceil(spaces.max(1)));
    let mut cuts: Vec<i64> = Vec::new();
    for pair in bounds.windows(2) {
        let [from, to] = *pair else { continue };
        let width = i128::from(to) - i128::from(from);
        cuts.extend((1..=steps).filter_map(|step| i64::try_from(i128::from(from) + width * step / steps).ok()));
    }
    cuts.dedup();
    // The last is the greatest value, behind which one row or few would stand alone.
    cuts.pop();
    cuts
}

/// UUIDs are as good as random: cuts are even.
fn uuid_cuts(wanted: u64) -> Vec<String> {
    let step = u64::MAX / wanted.max(1);
    let cut = |number: u64| {
        let first = number.saturating_mul(step);
        format!("'{:08x}-{:04x}-{:04x}-0000-000000000000'", first >> 32, (first >> 16) & 0xFFFF, first & 0xFFFF)
    };
    (1..wanted).map(cut).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_leave_no_row_out() {
        assert_eq!(between("k", &[]), ["true"]);
        assert_eq!(between("k", &["1".into()]), ["k < 1", "k >= 1"]);
        assert_eq!(between("k", &["1".into(), "2".into()]), ["k < 1", "k >= 1 AND k < 2", "k >= 2"]);
        assert_eq!(by_place(8192 * 100, 2), ["ctid < '(50,0)'::pg_catalog.tid", "ctid >= '(50,0)'::pg_catalog.tid"]);
    }

    #[test]
    fn cuts_ascend_between_the_bounds() {
        assert_eq!(even_cuts(&[0, 100], 4), [25, 50, 75]);
        assert_eq!(even_cuts(&[0, 2, 100], 4), [1, 2, 51]);
        assert_eq!(even_cuts(&[i64::MIN, i64::MAX], 2), [-1]);
        assert_eq!(even_cuts(&[5, 6], 1000), [5]);
        assert!(even_cuts(&[7], 10).is_empty() && even_cuts(&[], 10).is_empty());
        let cuts = uuid_cuts(3);
        assert_eq!(cuts, ["'55555555-5555-5555-0000-000000000000'", "'aaaaaaaa-aaaa-aaaa-0000-000000000000'"]);
    }
}
