//! Numbers as their distance from the smallest one: a base, then planes of as many bytes as the largest distance needs.

use super::parts::damaged;
use super::planes;
use crate::error::Result;
use crate::wire::Cursor;

/// The base that makes distances smallest, and the bytes of the largest distance. Words are taken as signed or unsigned,
/// whichever is better.
pub(super) fn range(words: &[u64]) -> (u64, usize) {
    range_of(words.iter().copied())
}

/// The same of words that need not stand anywhere.
pub(super) fn range_of(words: impl Iterator<Item = u64> + Clone) -> (u64, usize) {
    let signed = words.clone().map(u64::cast_signed);
    let (low, high) = signed.fold((i64::MAX, i64::MIN), |(low, high), word| (low.min(word), high.max(word)));
    if low > high {
        return (0, 0);
    }
    let mut best = (low.cast_unsigned(), high.wrapping_sub(low).cast_unsigned());
    // Of words of one sign, both ways are the same.
    if low < 0 && high >= 0 {
        let (low, high) = words.fold((u64::MAX, u64::MIN), |(low, high), word| (low.min(word), high.max(word)));
        if high - low < best.1 {
            best = (low, high - low);
        }
    }
    (best.0, planes::width(best.1))
}

pub(super) fn write(words: &[u64], out: &mut Vec<u8>) {
    let (base, width) = range(words);
    write_from(words, base, width, out);
}

/// Writes words whose [`range`] is known.
pub(super) fn write_from(words: &[u64], base: u64, width: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&base.to_le_bytes());
    out.extend(u8::try_from(width));
    if base == 0 || width == 0 {
        planes::write(words, width, out);
    } else {
        let distances: Vec<u64> = words.iter().map(|word| word.wrapping_sub(base)).collect();
        planes::write(&distances, width, out);
    }
}

pub(super) fn read(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<u64>> {
    let base = cursor.u64()?;
    let width = read_width(cursor)?;
    let mut words = planes::read(cursor, count, width)?;
    if base != 0 {
        for word in &mut words {
            *word = word.wrapping_add(base);
        }
    }
    Ok(words)
}

pub(super) fn read_width(cursor: &mut Cursor<'_>) -> Result<usize> {
    match cursor.u8()? {
        width @ 0..=8 => Ok(usize::from(width)),
        width => Err(damaged(format!("planes of width {width}; at most 8 are allowed"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_range_is_taken() {
        let negative = |value: i64| value.cast_unsigned();
        assert_eq!(range(&[]), (0, 0));
        assert_eq!(range(&[7, 7]), (7, 0));
        assert_eq!(range(&[negative(-3), 5]), (negative(-3), 1));
        assert_eq!(range(&[1 << 63, (1 << 63) - 1]), ((1 << 63) - 1, 1));
        assert_eq!(range(&[0, u64::MAX]).1, 1);
        assert_eq!(range(&[0, u64::MAX, 1 << 63]).1, 8);
    }
}
