//! Finding the decimals of a column, and writing them.

use super::{BY_VALUE, MOST, POWERS, decimal_of, fixed_kinds, integer_power, kind_at, whole};
use crate::encoding::codec_choice::{self, Choice};
use crate::encoding::{Encoding, Profile, parts};
use crate::model::{CellKind, Cells, Kinds};

/// The decimals of a column and what is none.
pub(in crate::encoding) struct Decimals {
    exponent: usize,
    by_value: bool,
    all: bool,
    pub(in crate::encoding) decimals: Vec<u64>,
    places: Vec<u64>,
    exceptions: Vec<u8>,
}

/// The least exponent that nearly all of some reals have; `None` if they are not decimals.
pub(in crate::encoding) fn exponent_of(reals: impl Iterator<Item = f64>) -> Option<usize> {
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
    pub(in crate::encoding) fn of(cells: &Cells, exponent: usize) -> Option<Self> {
        let kinds = fixed_kinds(cells.kinds());
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
    pub(in crate::encoding) fn are_all(&self) -> bool {
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
pub(in crate::encoding) fn encode(cells: &Cells, decimals: &Decimals, choice: Choice, profile: Profile) -> Vec<u8> {
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
