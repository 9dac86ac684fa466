//! Numbers that are decimals of few digits, as integers (`spec/format.md` §6.4).
//!
//! Whether a real is such a decimal is not guessed: each is computed back and compared to the last bit when it is encoded. What
//! differs (−0.0, infinities, NaN, more digits than fit) is an exception.

use super::codec_choice::{self, Choice};
use super::parts::{self, Counts, damaged};
use super::{Encoding, Profile, numbers};
use crate::error::{Layer, Result};
use crate::model::{CellKind, Cells, CellsParts, Kinds};
use crate::wire::Cursor;

/// The form of kinds that follow from the values.
const BY_VALUE: u8 = 3;

/// Powers of ten that an f64 holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// A larger integer is not every f64's own.
const MOST: u64 = 1 << 53;

/// Adding it to a smaller number than [`ROUNDED_BELOW`] leaves the nearest integer in the lower bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
const ROUNDED_BELOW: f64 = 2_251_799_813_685_248.0;

/// The nearest integer, as a number and as a real.
fn round(value: f64) -> (i64, f64) {
    let moved = value + ROUNDER;
    (moved.to_bits().cast_signed().wrapping_sub(ROUNDER.to_bits().cast_signed()), moved - ROUNDER)
}

/// A decimal of a real, if it comes back to the last bit.
fn decimal_of(value: f64, power: f64) -> (i64, bool) {
    let scaled = value * power;
    let (decimal, rounded) = round(scaled);
    let same = (rounded / power).to_bits() == value.to_bits();
    (decimal, same && scaled.abs() < ROUNDED_BELOW)
}

/// Does a decimal stand for a whole number? Only of decimals of at most [`MOST`].
fn whole(decimal: i64, power: f64, integer_power: Option<i64>) -> Option<i64> {
    if decimal == 0 || power == 1.0 {
        return Some(decimal);
    }
    let integer_power = integer_power?;
    // The decimal is at most 2^53 and the power at least 10, so the quotient is small enough to be rounded.
    let (quotient, _) = round(to_real(decimal) / power);
    (quotient.wrapping_mul(integer_power) == decimal).then_some(quotient)
}

/// Exact for decimals of at most [`MOST`].
fn to_real(decimal: i64) -> f64 {
    decimal as f64
}

/// 10 to this power, where an i64 holds it.
fn integer_power(exponent: usize) -> Option<i64> {
    10_i64.checked_pow(u32::try_from(exponent).ok()?)
}

/// The decimals of a column and what is none.
pub(super) struct Decimals {
    exponent: usize,
    by_value: bool,
    all: bool,
    pub(super) decimals: Vec<u64>,
    places: Vec<u64>,
    exceptions: Vec<u8>,
}

/// The kinds of the fixed payloads, in their order.
fn fixed_kinds(cells: &Cells) -> Kinds {
    match cells.kinds() {
        Kinds::Uniform(kind) => Kinds::Uniform(*kind),
        Kinds::Mixed(kinds) => Kinds::Mixed(kinds.iter().copied().filter(|kind| kind.is_fixed()).collect()),
    }
}

fn kind_at(kinds: &Kinds, place: usize) -> CellKind {
    match kinds {
        Kinds::Uniform(kind) => *kind,
        Kinds::Mixed(kinds) => kinds.get(place).copied().unwrap_or(CellKind::Null),
    }
}

/// The least exponent that nearly all of some reals have; `None` if they are not decimals.
pub(super) fn exponent_of(reals: impl Iterator<Item = f64>) -> Option<usize> {
    let mut counts = [0_usize; POWERS.len()];
    let (mut all, mut none) = (0_usize, 0_usize);
    for real in reals {
        all += 1;
        match POWERS.iter().position(|power| decimal_of(real, *power).1) {
            Some(exponent) => {
                if let Some(count) = counts.get_mut(exponent) {
                    *count += 1;
                }
            }
            None => none += 1,
        }
    }
    if all == 0 || none * 10 > all {
        return None;
    }
    // Reals of many digits are better packed as they are; a few of them are exceptions.
    let mut above = all - none;
    for (exponent, count) in counts.iter().enumerate() {
        above -= count;
        if above * 50 <= all {
            return Some(exponent);
        }
    }
    None
}

impl Decimals {
    /// The decimals at an exponent; `None` if more than one in eight is none.
    pub(super) fn of(cells: &Cells, exponent: usize) -> Option<Self> {
        let kinds = fixed_kinds(cells);
        let power = *POWERS.get(exponent)?;
        let integer_power = integer_power(exponent);
        let mut by_value = matches!(&kinds, Kinds::Mixed(kinds) if kinds.contains(&CellKind::Integer) && kinds.contains(&CellKind::Real))
            && cells.ends().is_empty();
        let words = cells.fixed();
        let mut exact: Vec<(i64, bool)> = match &kinds {
            Kinds::Uniform(CellKind::Real) => reals(words, power),
            Kinds::Mixed(kinds) if !kinds.contains(&CellKind::Integer) => reals(words, power),
            _ => words
                .iter()
                .enumerate()
                .map(|(place, word)| match kind_at(&kinds, place) {
                    CellKind::Real => decimal_of(f64::from_bits(*word), power),
                    _ => decimal_of_integer(word.cast_signed(), integer_power),
                })
                .collect(),
        };
        let inexact = |exact: &[(i64, bool)]| exact.iter().filter(|(_, same)| !same).count();
        let most = words.len() / 8;
        if inexact(&exact) > most {
            return None;
        }
        if by_value {
            let kept: Vec<(i64, bool)> = exact
                .iter()
                .enumerate()
                .map(|(place, (decimal, same))| {
                    let integer = whole(*decimal, power, integer_power).is_some();
                    (*decimal, *same && integer == (kind_at(&kinds, place) == CellKind::Integer))
                })
                .collect();
            by_value = inexact(&kept) <= words.len() / 50;
            if by_value {
                exact = kept;
            }
        }
        let (mut places, mut exceptions) = (Vec::new(), Vec::new());
        let mut decimals = Vec::with_capacity(words.len());
        let mut last = exact.iter().find(|(_, same)| *same)?.0;
        for (((decimal, same), word), place) in exact.into_iter().zip(words).zip(0_u64..) {
            if same {
                last = decimal;
            } else {
                places.push(place);
                exceptions.push(kind_at(&kinds, usize::try_from(place).unwrap_or(usize::MAX)).number());
                exceptions.extend_from_slice(&word.to_le_bytes());
            }
            decimals.push(last.cast_unsigned());
        }
        let all = places.is_empty() && (by_value || matches!(cells.kinds(), Kinds::Uniform(_)));
        Some(Self { exponent, by_value, all, decimals, places, exceptions })
    }

    /// Are decimals all there is, or nearly: no exceptions, and hardly anything said of kinds?
    pub(super) fn are_all(&self) -> bool {
        self.all
    }
}

fn reals(words: &[u64], power: f64) -> Vec<(i64, bool)> {
    words.iter().map(|word| decimal_of(f64::from_bits(*word), power)).collect()
}

fn decimal_of_integer(value: i64, integer_power: Option<i64>) -> (i64, bool) {
    match integer_power.and_then(|power| value.checked_mul(power)) {
        Some(decimal) if decimal.unsigned_abs() <= MOST => (decimal, true),
        _ => (0, false),
    }
}

/// The block, its decimals written as chosen.
pub(super) fn encode(cells: &Cells, decimals: &Decimals, choice: Choice, profile: Profile) -> Vec<u8> {
    let mut out = vec![Encoding::Decimal.number()];
    parts::write_rows(cells, &mut out);
    if decimals.by_value {
        out.push(BY_VALUE);
        match cells.kinds() {
            Kinds::Mixed(kinds) if kinds.contains(&CellKind::Null) => {
                out.push(1);
                parts::write_bitmap(kinds, &mut out);
            }
            _ => out.push(0),
        }
    } else {
        parts::write_kinds(cells, &mut out);
    }
    out.extend(u8::try_from(decimals.exponent));
    // At most as many as rows.
    out.extend_from_slice(&u32::try_from(decimals.places.len()).unwrap_or(u32::MAX).to_le_bytes());
    if !decimals.places.is_empty() {
        codec_choice::write_best(&decimals.places, profile, &mut out);
        out.extend_from_slice(&decimals.exceptions);
    }
    codec_choice::write_chosen(&decimals.decimals, choice, &mut out);
    parts::write_variable(cells.ends(), cells.data(), &mut out);
    out
}

/// Kinds that are stated, or which rows are not null.
enum StatedKinds {
    Kinds(Kinds),
    ByValue(Option<Vec<bool>>),
}

pub(super) fn decode(bytes: &[u8], rows: u32) -> Result<Cells> {
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
    let of_fixed = match kinds {
        Kinds::Uniform(kind) => Kinds::Uniform(*kind),
        Kinds::Mixed(kinds) => Kinds::Mixed(kinds.iter().copied().filter(|kind| kind.is_fixed()).collect()),
    };
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

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::plain;
    use crate::model::Cell;

    const PLANES: Choice = Choice::planes(0);

    fn encoded(cells: &Cells, exponent: usize) -> Option<Vec<u8>> {
        let decimals = Decimals::of(cells, exponent)?;
        Some(encode(cells, &decimals, PLANES, Profile::Fast)[1..].to_vec())
    }

    /// As bytes: reals compare bit by bit.
    fn canonical(cells: &Cells) -> Vec<u8> {
        plain::canonical(cells)
    }

    fn prices(count: i32) -> Vec<f64> {
        (0..count).map(|at| f64::from(at * 7919 % 100_000 + 1) / 100.0).collect()
    }

    fn samples() -> Vec<Cells> {
        let odd = [-0.0, f64::NAN, f64::INFINITY, 1.0 / 3.0, 1e300, f64::from_bits(0x7FF8_0000_0000_0123)];
        let reals: Vec<Cell<'_>> = prices(100).into_iter().chain(odd).map(Cell::Real).collect();
        let numeric = |value: &f64| match value.fract() == 0.0 {
            true => Cell::Integer(i64::from(value.abs() < 1e9) * round(*value).0),
            false => Cell::Real(*value),
        };
        let by_value: Vec<Cell<'_>> = prices(400).iter().map(numeric).collect();
        let with_nulls: Vec<Cell<'_>> = by_value.iter().flat_map(|cell| [*cell, Cell::Null]).collect();
        let mut odd_ones = with_nulls.clone();
        odd_ones.extend([Cell::Real(5.0), Cell::Integer(i64::MAX), Cell::Real(-0.0), Cell::Null]);
        let mut texts = with_nulls.clone();
        texts.push(Cell::Text(b"n/a"));
        let wholes: Vec<Cell<'_>> = (0..50).map(|at| Cell::Real(f64::from(at))).collect();
        [reals, by_value, with_nulls, odd_ones, texts, wholes].iter().map(|cells| Cells::of(cells)).collect()
    }

    #[test]
    fn numbers_come_back_to_the_last_bit() {
        for cells in samples() {
            for exponent in [2, 3, 7] {
                let bytes = encoded(&cells, exponent).unwrap();
                assert_eq!(canonical(&decode(&bytes, cells.rows()).unwrap()), canonical(&cells));
            }
        }
    }

    #[test]
    fn kinds_that_follow_from_the_values_are_not_written() {
        let samples = samples();
        assert_eq!(encoded(&samples[1], 2).unwrap()[4..6], [BY_VALUE, 0]);
        assert_eq!(encoded(&samples[2], 2).unwrap()[4..6], [BY_VALUE, 1]);
        assert_eq!(encoded(&samples[3], 2).unwrap()[4..6], [BY_VALUE, 1]);
        assert_eq!(encoded(&samples[4], 2).unwrap()[4], 1);
        assert_eq!(encoded(&samples[5], 2).unwrap()[4..6], [0, 2]);
    }

    #[test]
    fn the_exponent_is_the_least_that_nearly_all_have() {
        assert_eq!(exponent_of(prices(1000).into_iter()), Some(2));
        assert_eq!(exponent_of(prices(1000).into_iter().chain([0.12345])), Some(2));
        assert_eq!(exponent_of([0.0; 9].into_iter()), Some(0));
        assert_eq!(exponent_of((1..1000).map(|at| f64::from(at).sqrt())), None);
        assert_eq!(exponent_of(std::iter::empty()), None);
    }

    #[test]
    fn what_is_no_decimal_is_not_encoded() {
        let roots: Vec<Cell<'_>> = (1..1000).map(|at| Cell::Real(f64::from(at).sqrt())).collect();
        assert!(Decimals::of(&Cells::of(&roots), 15).is_none());
        assert!(Decimals::of(&Cells::of(&[Cell::Null]), 2).is_none());
    }

    #[test]
    fn every_cut_is_refused_and_every_flip_is_a_column_or_refused() {
        for cells in samples() {
            let bytes = encoded(&cells, 2).unwrap();
            for length in 0..bytes.len() {
                assert!(decode(&bytes[..length], cells.rows()).is_err(), "{length}");
            }
            assert!(decode(&[&bytes[..], &[0]].concat(), cells.rows()).is_err());
            for place in 0..bytes.len() {
                for bit in 0..8 {
                    let mut flipped = bytes.clone();
                    flipped[place] ^= 1 << bit;
                    if let Ok(other) = decode(&flipped, cells.rows()) {
                        let again = Cells::from_parts(other.clone().into_parts()).unwrap();
                        assert_eq!(canonical(&again), canonical(&other));
                    }
                }
            }
        }
    }

    #[test]
    fn what_no_writer_makes_is_refused() {
        // Rows, kinds, exponent, no exceptions, then one decimal in the codec "plain".
        let block = |kind: u8, exponent: u8, decimal: i64| {
            let head = [1, 0, 0, 0, 0, kind, exponent, 0, 0, 0, 0, 0];
            decode(&[&head[..], &decimal.to_le_bytes()].concat(), 1)
        };
        let largest = 1 << 53;
        assert_eq!(block(2, 22, largest).unwrap(), Cells::of(&[Cell::Real(9_007_199_254_740_992.0 / 1e22)]));
        assert_eq!(block(1, 2, -500).unwrap(), Cells::of(&[Cell::Integer(-5)]));
        assert_eq!(block(1, 22, 0).unwrap(), Cells::of(&[Cell::Integer(0)]));
        for (kind, exponent, decimal) in
            [(2, 23, 1), (2, 2, largest + 1), (2, 2, i64::MIN), (1, 2, 501), (1, 22, 1), (3, 2, 1)]
        {
            assert!(block(kind, exponent, decimal).unwrap_err().is_damaged(), "{kind} {exponent} {decimal}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_decimals_come_back(
            values in proptest::collection::vec((any::<i32>(), 0_u8..4), 1..200),
            exponent in 0_usize..23,
            noise in proptest::collection::vec(any::<u64>(), 0..10),
        ) {
            let power = POWERS[exponent];
            let cells: Vec<Cell<'_>> = values
                .iter()
                .map(|(value, sort)| match sort {
                    0 => Cell::Integer(i64::from(*value)),
                    1 => Cell::Null,
                    _ => Cell::Real(f64::from(*value) / power),
                })
                .chain(noise.iter().map(|bits| Cell::Real(f64::from_bits(*bits))))
                .collect();
            let cells = Cells::of(&cells);
            if let Some(bytes) = encoded(&cells, exponent) {
                prop_assert_eq!(canonical(&decode(&bytes, cells.rows()).unwrap()), canonical(&cells));
            }
        }
    }
}
