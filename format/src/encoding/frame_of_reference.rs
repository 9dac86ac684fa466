//! Numbers as their distance from the smallest one: a base, then planes of as many bytes as the largest distance needs.

use super::parts::damaged;
use super::planes;
use crate::error::Result;
use crate::wire::Cursor;

/// The base that makes distances smallest, and the bytes of the largest distance. Words are taken as signed or unsigned,
/// whichever is better.
pub(super) fn range(words: &[u64]) -> (u64, usize) {
    let Some(first) = words.first() else { return (0, 0) };
    let mut unsigned = (*first, *first);
    let mut signed = (first.cast_signed(), first.cast_signed());
    for word in words {
        unsigned = (unsigned.0.min(*word), unsigned.1.max(*word));
        signed = (signed.0.min(word.cast_signed()), signed.1.max(word.cast_signed()));
    }
    let by_unsigned = (unsigned.0, unsigned.1 - unsigned.0);
    let by_signed = (signed.0.cast_unsigned(), signed.1.wrapping_sub(signed.0).cast_unsigned());
    let (base, distance) = if by_unsigned.1 < by_signed.1 { by_unsigned } else { by_signed };
    (base, planes::width(distance))
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
