//! Planes: the bytes of values, sorted by significance (`spec/format.md` §6.1). What compresses well in one byte of a
//! value often does so whatever the others hold.

use crate::error::Result;
use crate::wire::Cursor;

/// Values that are turned at a time: few enough to stay in the nearest cache.
const RUN: usize = 1024;

/// How many bytes values up to `largest` need.
pub(super) fn width(largest: u64) -> usize {
    (u64::BITS - largest.leading_zeros()).div_ceil(8) as usize
}

/// Writes `count` values at a width of at most 8 bytes, whose larger bytes are zero.
pub(super) fn write(values: &[u64], width: usize, out: &mut Vec<u8>) {
    out.reserve(values.len() * width);
    match width {
        0 => {}
        1 => out.extend(values.iter().map(|value| low(*value))),
        _ => {
            let start = out.len();
            out.resize(start + values.len() * width, 0);
            let planes = out.get_mut(start..).unwrap_or_default();
            let mut planes: Vec<&mut [u8]> = planes.chunks_exact_mut(values.len().max(1)).collect();
            for (number, run) in values.chunks(RUN).enumerate() {
                for (plane, shift) in planes.iter_mut().zip((0_u32..).step_by(8)) {
                    let part = plane.get_mut(number * RUN..).unwrap_or_default();
                    for (byte, value) in part.iter_mut().zip(run) {
                        *byte = low(value >> shift);
                    }
                }
            }
        }
    }
}

/// The least significant byte.
fn low(value: u64) -> u8 {
    let [byte, ..] = value.to_le_bytes();
    byte
}

/// Reads `count` values at a width of at most 8 bytes.
pub(super) fn read(cursor: &mut Cursor<'_>, count: usize, width: usize) -> Result<Vec<u64>> {
    let bytes = cursor.take(count * width)?;
    if width == 0 {
        return Ok(vec![0; count]);
    }
    let planes: Vec<&[u8]> = bytes.chunks_exact(count.max(1)).collect();
    Ok(match planes.as_slice() {
        [] => Vec::new(),
        [a] => a.iter().map(|a| u64::from(*a)).collect(),
        [a, b] => a.iter().zip(*b).map(|(a, b)| u64::from(u16::from_le_bytes([*a, *b]))).collect(),
        [a, b, c] => {
            let words = a.iter().zip(*b).zip(*c);
            words.map(|((a, b), c)| u64::from(u32::from_le_bytes([*a, *b, *c, 0]))).collect()
        }
        [a, b, c, d] => {
            let words = a.iter().zip(*b).zip(*c).zip(*d);
            words.map(|(((a, b), c), d)| u64::from(u32::from_le_bytes([*a, *b, *c, *d]))).collect()
        }
        several => {
            let mut values = vec![0; count];
            for (number, run) in values.chunks_mut(RUN).enumerate() {
                for (plane, shift) in several.iter().zip((0_u32..).step_by(8)) {
                    let part = plane.get(number * RUN..).unwrap_or_default();
                    for (value, byte) in run.iter_mut().zip(part) {
                        *value |= u64::from(*byte) << shift;
                    }
                }
            }
            values
        }
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::error::Layer;

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let mut out = Vec::new();
        write(&[0x01_02, 0x03_04, 0x05_06], 2, &mut out);
        assert_eq!(out, [2, 4, 6, 1, 3, 5]);
    }

    #[test]
    fn widths_are_the_least() {
        for (largest, expected) in [(0, 0), (1, 1), (255, 1), (256, 2), (u64::MAX >> 8, 7), (u64::MAX, 8)] {
            assert_eq!(width(largest), expected);
        }
    }

    #[test]
    fn values_of_every_width_and_count_come_back() {
        for count in [0, 1, 2, 7, RUN - 1, RUN, RUN + 1, 3 * RUN + 5] {
            for width in 0..=8 {
                let mask = if width == 0 { 0 } else { u64::MAX >> (64 - 8 * width) };
                let values: Vec<u64> =
                    (1..=count as u64).map(|at| at.wrapping_mul(0x9E37_79B9_7F4A_7C15) & mask).collect();
                let mut out = vec![0xEE];
                write(&values, width, &mut out);
                assert_eq!(out.len(), 1 + count * width);
                let mut cursor = Cursor::new(&out[1..], Layer::Cells);
                assert_eq!(read(&mut cursor, count, width).unwrap(), values);
                cursor.finish().unwrap();
            }
        }
        assert!(read(&mut Cursor::new(&[0; 5], Layer::Cells), 3, 2).is_err());
    }
}
