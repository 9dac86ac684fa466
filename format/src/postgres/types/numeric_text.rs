//! numeric as the server takes it: digits of base 10,000, of integers of a fixed scale and of text.

use super::numeric::{GROUP, INFINITY, MAX_SCALE, MINUS_INFINITY, NAN, NEGATIVE, POSITIVE};
use super::{Checked, Wrong};

/// Decimal digits before the point that PostgreSQL allows.
const MAX_WHOLE: usize = 131_072;

const NO_NUMERIC: Wrong = Wrong("this is no numeric");

/// Appends the value of an integer divided by ten to the power of `scale`, at most 18.
pub(super) fn push_scaled(out: &mut Vec<u8>, value: i64, scale: u8) -> Checked<()> {
    let sign = if value < 0 { NEGATIVE } else { POSITIVE };
    // Digits behind the point fill whole groups.
    let groups_behind = usize::from(scale).div_ceil(GROUP);
    let missing = groups_behind * GROUP - usize::from(scale);
    let power = 10_u128.pow(u32::try_from(missing).unwrap_or(0));
    let mut rest = u128::from(value.unsigned_abs()) * power;
    // An i64 and three digits more fill at most six groups.
    let mut groups = [0_u16; 6];
    let mut used = 0;
    for group in groups.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        *group = u16::try_from(rest % 10_000).unwrap_or(0);
        rest /= 10_000;
        used += 1;
    }
    let groups = groups.get(groups.len().saturating_sub(used)..).unwrap_or_default();
    let zeros = groups.iter().rev().take_while(|group| **group == 0).count();
    let sent = groups.get(..used.saturating_sub(zeros)).unwrap_or_default();
    let weight = i16::try_from(used).unwrap_or(0) - i16::try_from(groups_behind).unwrap_or(0) - 1;
    push_header(out, sent.len(), if used == 0 { 0 } else { weight }, sign, u16::from(scale))?;
    out.extend(sent.iter().flat_map(|group| group.to_be_bytes()));
    Ok(())
}

fn push_header(out: &mut Vec<u8>, digits: usize, weight: i16, sign: u16, scale: u16) -> Checked<()> {
    let digits = u16::try_from(digits).map_err(|_| NO_NUMERIC)?;
    out.extend_from_slice(&digits.to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&scale.to_be_bytes());
    Ok(())
}

/// Appends the value of a text as the server prints it.
pub(super) fn push_text(out: &mut Vec<u8>, text: &[u8]) -> Checked<()> {
    let special = match text {
        b"NaN" => Some(NAN),
        b"Infinity" => Some(INFINITY),
        b"-Infinity" => Some(MINUS_INFINITY),
        _ => None,
    };
    if let Some(sign) = special {
        return push_header(out, 0, 0, sign, 0);
    }
    let (sign, digits) = text.strip_prefix(b"-").map_or((POSITIVE, text), |digits| (NEGATIVE, digits));
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, behind) = match point {
        Some(point) => {
            let (whole, behind) = digits.split_at_checked(point).ok_or(NO_NUMERIC)?;
            let behind = behind.strip_prefix(b".").ok_or(NO_NUMERIC)?;
            // A point without digits behind it is never printed.
            (whole, if behind.is_empty() { return Err(NO_NUMERIC) } else { behind })
        }
        None => (digits, &b""[..]),
    };
    let scale = u16::try_from(behind.len()).ok().filter(|scale| *scale <= MAX_SCALE).ok_or(NO_NUMERIC)?;
    let are_digits = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    if whole.is_empty() || whole.len() > MAX_WHOLE || !are_digits(whole) || !are_digits(behind) {
        return Err(NO_NUMERIC);
    }
    let (first, full) = whole.as_rchunks::<GROUP>();
    let (behind_full, last) = behind.as_chunks::<GROUP>();
    let mut groups = Vec::with_capacity(full.len() + behind_full.len() + 2);
    if !first.is_empty() {
        groups.push(group(first));
    }
    groups.extend(full.iter().map(|digits| group(digits)));
    let whole_groups = groups.len();
    groups.extend(behind_full.iter().map(|digits| group(digits)));
    if !last.is_empty() {
        let missing = u32::try_from(GROUP.saturating_sub(last.len())).unwrap_or(0);
        groups.push(group(last) * 10_u16.pow(missing));
    }
    let zeros_first = groups.iter().take_while(|group| **group == 0).count();
    let zeros_last = groups.iter().rev().take_while(|group| **group == 0).count();
    let sent = groups.get(zeros_first..groups.len().saturating_sub(zeros_last)).unwrap_or_default();
    let place = |groups: usize| i32::try_from(groups).map_err(|_| NO_NUMERIC);
    let weight = if sent.is_empty() { 0 } else { place(whole_groups)? - place(zeros_first)? - 1 };
    let weight = i16::try_from(weight).map_err(|_| NO_NUMERIC)?;
    push_header(out, sent.len(), weight, sign, scale)?;
    out.extend(sent.iter().flat_map(|group| group.to_be_bytes()));
    Ok(())
}

/// The number of up to four decimal digits.
fn group(digits: &[u8]) -> u16 {
    digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0'))
}
