//! numeric as the server sends it: digits of base 10,000, to integers of a fixed scale and to text.

use super::{Checked, Wrong};
use crate::model::Cell;

/// Decimal digits of one digit of the server's.
pub(super) const GROUP: usize = 4;
/// One more than the largest digit.
const BASE: u16 = 10_000;
/// The most decimal digits behind the point that are printed.
pub(super) const MAX_SCALE: u16 = 0x3fff;

pub(super) const POSITIVE: u16 = 0;
pub(super) const NEGATIVE: u16 = 0x4000;
pub(super) const NAN: u16 = 0xc000;
pub(super) const INFINITY: u16 = 0xd000;
pub(super) const MINUS_INFINITY: u16 = 0xf000;

const NO_NUMERIC: Wrong = Wrong("these bytes are no numeric");

/// A numeric, its digits where they came from.
struct Numeric<'a> {
    /// Where the first digit stands: it counts 10,000 to the power of this.
    weight: i16,
    sign: u16,
    /// Decimal digits that are printed behind the point.
    scale: u16,
    digits: &'a [[u8; 2]],
}

impl<'a> Numeric<'a> {
    fn of(field: &'a [u8]) -> Checked<Self> {
        let ([count, count_low, weight, weight_low, sign, sign_low, scale, scale_low], rest) =
            field.split_first_chunk::<8>().ok_or(NO_NUMERIC)?;
        let (digits, left_over) = rest.as_chunks::<2>();
        let count = usize::from(u16::from_be_bytes([*count, *count_low]));
        let scale = u16::from_be_bytes([*scale, *scale_low]);
        if digits.len() != count || !left_over.is_empty() || scale > MAX_SCALE {
            return Err(NO_NUMERIC);
        }
        let weight = i16::from_be_bytes([*weight, *weight_low]);
        Ok(Self { weight, sign: u16::from_be_bytes([*sign, *sign_low]), scale, digits })
    }

    /// The value times ten to the power of its scale, where an integer holds it.
    fn scaled(&self) -> Option<i64> {
        let magnitude = match self.digits {
            [] => 0,
            // As many digits as 64 bits hold with room to spare, and more of them.
            [_, rest @ ..] if rest.len() < 4 => {
                let value =
                    self.digits.iter().try_fold(0, |value: u64, digit| Some(value * 10_000 + whole(*digit)?))?;
                let exponent = self.exponent()?;
                if exponent >= 0 {
                    value.checked_mul(10_u64.checked_pow(u32::try_from(exponent).ok()?)?)?
                } else {
                    let power = 10_u64.checked_pow(u32::try_from(-exponent).ok()?)?;
                    // Digits behind those that are printed.
                    if value % power != 0 {
                        return None;
                    }
                    value / power
                }
            }
            digits if digits.len() <= 6 => {
                let value = digits
                    .iter()
                    .try_fold(0, |value: u128, digit| Some(value * 10_000 + u128::from(whole(*digit)?)))?;
                let exponent = self.exponent()?;
                let scaled = if exponent >= 0 {
                    value.checked_mul(10_u128.checked_pow(u32::try_from(exponent).ok()?)?)?
                } else {
                    let power = 10_u128.checked_pow(u32::try_from(-exponent).ok()?)?;
                    if value % power != 0 {
                        return None;
                    }
                    value / power
                };
                u64::try_from(scaled).ok()?
            }
            _ => return None,
        };
        match self.sign {
            POSITIVE => i64::try_from(magnitude).ok(),
            // A zero has no sign.
            NEGATIVE if magnitude > 0 => 0_i64.checked_sub_unsigned(magnitude),
            _ => None,
        }
    }

    /// The power of ten that the last digit counts, above the last decimal that is printed.
    fn exponent(&self) -> Option<i32> {
        let behind = i32::from(self.weight) - i32::try_from(self.digits.len()).ok()? + 1;
        Some(behind * 4 + i32::from(self.scale))
    }

    /// Appends it as the server prints it.
    fn push_printed(&self, text: &mut Vec<u8>) -> Checked<()> {
        match self.sign {
            POSITIVE => {}
            NEGATIVE => text.push(b'-'),
            NAN => {
                text.extend_from_slice(b"NaN");
                return Ok(());
            }
            INFINITY => {
                text.extend_from_slice(b"Infinity");
                return Ok(());
            }
            MINUS_INFINITY => {
                text.extend_from_slice(b"-Infinity");
                return Ok(());
            }
            _ => return Err(NO_NUMERIC),
        }
        // What is not sent is zero.
        let digit = |place: i32| {
            let digit = usize::try_from(place).ok().and_then(|place| self.digits.get(place));
            digit.map_or(Ok(0), |digit| whole(*digit).ok_or(NO_NUMERIC))
        };
        let weight = i32::from(self.weight);
        if weight < 0 {
            text.push(b'0');
        } else {
            let first = text.len();
            for place in 0..=weight {
                push_group(text, digit(place)?, GROUP);
            }
            let zeros = text.iter().skip(first).take_while(|byte| **byte == b'0').count();
            // One digit stays, whatever it is.
            let zeros = zeros.min(text.len().saturating_sub(first).saturating_sub(1));
            text.drain(first..first.saturating_add(zeros));
        }
        if self.scale > 0 {
            text.push(b'.');
            let mut left = usize::from(self.scale);
            let mut place = weight + 1;
            while left > 0 {
                push_group(text, digit(place)?, left.min(GROUP));
                left -= left.min(GROUP);
                place += 1;
            }
        }
        Ok(())
    }
}

/// A digit of base 10,000.
fn whole(digit: [u8; 2]) -> Option<u64> {
    let digit = u16::from_be_bytes(digit);
    (digit < BASE).then_some(u64::from(digit))
}

/// Appends the first of the four decimal digits.
fn push_group(text: &mut Vec<u8>, group: u64, digits: usize) {
    let digit = |power: u64| b'0' | u8::try_from(group / power % 10).unwrap_or(0);
    let all = [digit(1_000), digit(100), digit(10), digit(1)];
    text.extend(all.iter().take(digits));
}

/// The cell of a numeric: an integer where its scale is that of the column and an `i64` holds it, else text in `scratch`.
pub(super) fn cell<'s>(field: &[u8], scale: u8, scratch: &'s mut Vec<u8>) -> Checked<Cell<'s>> {
    let numeric = Numeric::of(field)?;
    if numeric.scale == u16::from(scale)
        && let Some(value) = numeric.scaled()
    {
        return Ok(Cell::Integer(value));
    }
    scratch.clear();
    numeric.push_printed(scratch)?;
    Ok(Cell::Text(scratch))
}
