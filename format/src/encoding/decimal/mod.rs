//! Numbers that are decimals of few digits, as integers (`spec/format.md` §6.4).
//!
//! Whether a real is such a decimal is not guessed: each is computed back and compared to the last bit when it is encoded. What
//! differs (−0.0, infinities, NaN, more digits than fit) is an exception.

mod reading;
mod writing;

pub(super) use self::reading::decode;
pub(super) use self::writing::{Decimals, encode, exponent_of};
use crate::model::{CellKind, Kinds};

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

/// The kinds of the fixed payloads, in their order.
fn fixed_kinds(kinds: &Kinds) -> Kinds {
    match kinds {
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

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::Profile;
    use crate::encoding::codec_choice::Choice;
    use crate::encoding::plain;
    use crate::model::{Cell, Cells};

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
