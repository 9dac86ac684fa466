//! Making numbers of decimals again, of bytes that may be anybody's.

use super::{BY_VALUE, MOST, POWERS, fixed_kinds, integer_power, kind_at, to_real, whole};
use crate::encoding::numbers;
use crate::encoding::parts::{self, Counts, damaged};
use crate::error::{Layer, Result};
use crate::model::{CellKind, Cells, CellsParts, Kinds};
use crate::wire::Cursor;

/// Kinds that are stated, or which rows are not null.
enum StatedKinds {
    Kinds(Kinds),
    ByValue(Option<Vec<bool>>),
}

pub(in crate::encoding) fn decode(bytes: &[u8], rows: u32) -> Result<Cells> {
    let mut cursor = Cursor::new(bytes, Layer::Cells);
    parts::read_rows(&mut cursor, rows)?;
    let stated = read_kinds(bytes, &mut cursor, rows)?;
    let counts = match &stated {
        StatedKinds::Kinds(kinds) => Counts::of(kinds, rows),
        StatedKinds::ByValue(None) => Counts { rows: rows as usize, fixed: rows as usize, variable: 0 },
        StatedKinds::ByValue(Some(present)) => {
            Counts { rows: rows as usize, fixed: present.iter().filter(|present| **present).count(), variable: 0 }
        }
    };
    if counts.fixed == 0 {
        return Err(damaged("decimals without a number"));
    }
    counts.check_row_bytes(0)?;
    let exponent = usize::from(cursor.u8()?);
    let power = *POWERS.get(exponent).ok_or_else(|| damaged(format!("decimals with exponent {exponent}")))?;
    let exceptions = read_exceptions(&mut cursor, counts.fixed)?;
    let decimals = numbers::read(&mut cursor, counts.fixed)?;
    let (ends, data) = parts::read_variable(&mut cursor, counts.variable)?;
    counts.check_row_bytes(data.len() as u64)?;
    cursor.finish()?;
    let scale = Scale { power, integer_power: integer_power(exponent) };
    let (kinds, fixed) = match stated {
        StatedKinds::Kinds(kinds) => {
            let fixed = values(&kinds, decimals, &exceptions, &scale)?;
            (kinds, fixed)
        }
        StatedKinds::ByValue(present) => values_by_value(present, decimals, &exceptions, &scale)?,
    };
    Cells::from_parts(CellsParts { rows, kinds, fixed, ends, data: data.to_vec() }).map_err(damaged)
}

fn read_kinds(bytes: &[u8], cursor: &mut Cursor<'_>, rows: u32) -> Result<StatedKinds> {
    if bytes.get(cursor.position()) != Some(&BY_VALUE) {
        return parts::read_kinds(cursor, rows).map(StatedKinds::Kinds);
    }
    cursor.u8()?;
    match cursor.u8()? {
        0 => Ok(StatedKinds::ByValue(None)),
        1 => parts::read_bitmap(cursor, rows).map(|present| StatedKinds::ByValue(Some(present))),
        other => Err(damaged(format!("{other} where 0 or 1 says whether there are nulls"))),
    }
}

struct Scale {
    power: f64,
    integer_power: Option<i64>,
}

/// Place, kind and payload of each.
fn read_exceptions(cursor: &mut Cursor<'_>, fixed: usize) -> Result<Vec<(usize, CellKind, u64)>> {
    let count = cursor.u32()? as usize;
    if count >= fixed {
        return Err(damaged(format!("{count} exceptions among {fixed} numbers")));
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    let places = numbers::read_places(cursor, count, fixed)?;
    let payloads = cursor.take(9 * count)?.as_chunks::<9>().0;
    let exceptions = places.into_iter().zip(payloads).map(|(place, [kind, payload @ ..])| {
        let kind = match *kind {
            1 => CellKind::Integer,
            2 => CellKind::Real,
            kind => return Err(damaged(format!("an exception of kind {kind} among numbers"))),
        };
        Ok((place, kind, u64::from_le_bytes(*payload)))
    });
    exceptions.collect()
}

fn check_size(decimals: &[u64], exceptions: &[(usize, CellKind, u64)]) -> Result<()> {
    let large = |decimal: &u64| decimal.cast_signed().unsigned_abs() > MOST;
    if !decimals.iter().any(large) {
        return Ok(());
    }
    let mut places = exceptions.iter().map(|(place, _, _)| *place).peekable();
    for (at, decimal) in decimals.iter().enumerate() {
        if places.next_if_eq(&at).is_none() && large(decimal) {
            return Err(damaged(format!("the decimal {}; at most 2^53 are exact", decimal.cast_signed())));
        }
    }
    Ok(())
}

/// The fixed payloads where the kinds are known.
fn values(kinds: &Kinds, decimals: Vec<u64>, exceptions: &[(usize, CellKind, u64)], scale: &Scale) -> Result<Vec<u64>> {
    check_size(&decimals, exceptions)?;
    let of_fixed = fixed_kinds(kinds);
    let only_reals = match &of_fixed {
        Kinds::Uniform(kind) => *kind == CellKind::Real,
        Kinds::Mixed(kinds) => !kinds.contains(&CellKind::Integer),
    };
    let mut fixed = decimals;
    if only_reals {
        to_reals(&mut fixed, scale.power);
        for (place, kind, payload) in exceptions {
            put(&mut fixed, *place, *payload);
            check_kind(*kind, CellKind::Real)?;
        }
        return Ok(fixed);
    }
    let mut exceptions = exceptions.iter().peekable();
    for (at, word) in fixed.iter_mut().enumerate() {
        let kind = kind_at(&of_fixed, at);
        let decimal = word.cast_signed();
        *word = match exceptions.next_if(|(place, _, _)| *place == at) {
            Some((_, stated, payload)) => {
                check_kind(*stated, kind)?;
                *payload
            }
            None if kind == CellKind::Real => (to_real(decimal) / scale.power).to_bits(),
            None => whole(decimal, scale.power, scale.integer_power)
                .ok_or_else(|| damaged("an integer that is not whole"))?
                .cast_unsigned(),
        };
    }
    Ok(fixed)
}

fn to_reals(words: &mut [u64], power: f64) {
    for word in words {
        *word = (to_real(word.cast_signed()) / power).to_bits();
    }
}

fn put(words: &mut [u64], place: usize, payload: u64) {
    if let Some(word) = words.get_mut(place) {
        *word = payload;
    }
}

fn check_kind(stated: CellKind, kind: CellKind) -> Result<()> {
    if stated == kind { Ok(()) } else { Err(damaged("an exception of another kind than its cell")) }
}

/// The kinds of all rows and the fixed payloads, where whole numbers are integers.
fn values_by_value(
    present: Option<Vec<bool>>,
    decimals: Vec<u64>,
    exceptions: &[(usize, CellKind, u64)],
    scale: &Scale,
) -> Result<(Kinds, Vec<u64>)> {
    check_size(&decimals, exceptions)?;
    let mut fixed = decimals;
    let mut of_fixed = vec![CellKind::Real; fixed.len()];
    for (word, kind) in fixed.iter_mut().zip(&mut of_fixed) {
        let decimal = word.cast_signed();
        let integer = whole(decimal, scale.power, scale.integer_power);
        *word = match integer {
            Some(integer) => {
                *kind = CellKind::Integer;
                integer.cast_unsigned()
            }
            None => (to_real(decimal) / scale.power).to_bits(),
        };
    }
    for (place, stated, payload) in exceptions {
        put(&mut fixed, *place, *payload);
        if let Some(kind) = of_fixed.get_mut(*place) {
            *kind = *stated;
        }
    }
    let kinds = match present {
        None => of_fixed,
        Some(present) => {
            let mut of_fixed = of_fixed.into_iter();
            present
                .into_iter()
                .map(|present| if present { of_fixed.next().unwrap_or(CellKind::Null) } else { CellKind::Null })
                .collect()
        }
    };
    Ok((Kinds::of(kinds), fixed))
}
