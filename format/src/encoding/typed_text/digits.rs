//! Decimal digits, two at a time.

/// The number that two digits are.
#[inline]
pub(super) fn two(tens: u8, ones: u8) -> Option<u32> {
    Some(10 * digit(tens)? + digit(ones)?)
}

/// The number that a digit is.
#[inline]
pub(super) fn digit(byte: u8) -> Option<u32> {
    let digit = byte.wrapping_sub(b'0');
    (digit < 10).then_some(u32::from(digit))
}

/// The numbers that four pairs of digits are.
#[inline]
pub(super) fn four_pairs(digits: [u8; 8]) -> Option<[u32; 4]> {
    const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
    const SIXES: u64 = u64::from_le_bytes([6; 8]);
    const UPPER: u64 = u64::from_le_bytes([0xF0; 8]);
    let digits = u64::from_le_bytes(digits) ^ ZEROS;
    // With 6 more, what is above 9 reaches the upper half of its byte, if it was not there before.
    if (digits | digits.wrapping_add(SIXES)) & UPPER != 0 {
        return None;
    }
    let [a, _, b, _, c, _, d, _] = (10 * digits + (digits >> 8)).to_le_bytes();
    Some([a, b, c, d].map(u32::from))
}

/// The number that up to 18 digits are.
#[inline]
pub(super) fn number(text: &[u8]) -> Option<i64> {
    debug_assert!(text.len() <= 18, "more digits than an i64 always holds");
    let mut number = 0_i64;
    let mut valid = true;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        valid &= digit < 10;
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
    }
    valid.then_some(number)
}

/// The two digits of a number below 100.
#[inline]
pub(super) fn pair(number: u32) -> [u8; 2] {
    debug_assert!(number < 100, "two digits");
    let tens = (number * 103) >> 10;
    let [low, high, ..] = (0x3030 + tens + ((number - 10 * tens) << 8)).to_le_bytes();
    [low, high]
}

/// Writes a number with leading zeros, from the end of `out`; what is left of it if it does not fit.
#[inline]
pub(super) fn fill(out: &mut [u8], mut number: u64) -> u64 {
    let (rest, pairs) = out.as_rchunks_mut::<2>();
    for place in pairs.iter_mut().rev() {
        let low = number % 100;
        number /= 100;
        *place = pair(u32::try_from(low).unwrap_or(0));
    }
    if let [place] = rest {
        let [low, ..] = (number % 10).to_le_bytes();
        *place = b'0' + low;
        number /= 10;
    }
    number
}

/// How many digits a number has without leading zeros.
#[inline]
pub(super) fn count(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_what_they_say() {
        for number in 0..100 {
            let [tens, ones] = pair(number);
            assert_eq!(std::str::from_utf8(&[tens, ones]).unwrap(), format!("{number:02}"));
            assert_eq!(two(tens, ones), Some(number));
        }
        for byte in 0..=u8::MAX {
            assert_eq!(digit(byte).is_some(), byte.is_ascii_digit());
            assert_eq!(number(&[b'1', byte]).is_some(), byte.is_ascii_digit());
        }
    }

    #[test]
    fn numbers_fill_what_they_are_given() {
        for number in [0, 7, 10, 99, 100, 12_345, 999_999_999_999_999_999, u64::MAX] {
            let mut out = [0; 20];
            assert_eq!(fill(&mut out, number), 0);
            assert_eq!(std::str::from_utf8(&out).unwrap(), format!("{number:020}"));
            assert_eq!(count(number), number.to_string().len());
        }
        let mut odd = [0; 3];
        assert_eq!(fill(&mut odd, 12_345), 12);
        assert_eq!(&odd, b"345");
    }

    #[test]
    fn four_pairs_are_what_each_pair_is() {
        let digits = *b"00172999";
        assert_eq!(four_pairs(digits), Some([0, 17, 29, 99]));
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                let mut changed = digits;
                if let Some(digit) = changed.get_mut(place) {
                    *digit = byte;
                }
                let (pairs, _) = changed.as_chunks::<2>();
                let each: Option<Vec<u32>> = pairs.iter().map(|[tens, ones]| two(*tens, *ones)).collect();
                assert_eq!(four_pairs(changed).map(Vec::from), each, "{changed:?}");
            }
        }
    }
}
