//! Variable-length integers: big-endian groups of seven bits, the ninth byte whole.

/// Longest variable-length integer in bytes.
const MAX_LENGTH: usize = 9;

/// The integer that `bytes` begins with, and its length; `None` if the bytes end inside it.
pub(crate) fn read_varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(MAX_LENGTH - 1).enumerate() {
        value = value << 7 | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    bytes.get(MAX_LENGTH - 1).map(|last| (value << 8 | u64::from(*last), MAX_LENGTH))
}

/// Adds an integer at the end of `out`.
pub(crate) fn append_varint(value: u64, out: &mut Vec<u8>) {
    // Most lengths and types are small.
    if value < 0x80 {
        return out.push(value.to_le_bytes()[0]);
    }
    let length = varint_length(value);
    let low = |value: u64| (value & 0x7F).to_le_bytes()[0];
    let mut rest = value;
    // The ninth byte holds eight bits and does not say whether another follows.
    let last = if length == MAX_LENGTH { value.to_le_bytes()[0] } else { low(value) };
    rest >>= if length == MAX_LENGTH { 8 } else { 7 };
    let mut groups = [0; MAX_LENGTH];
    for group in groups.iter_mut().take(length - 1) {
        *group = low(rest) | 0x80;
        rest >>= 7;
    }
    out.extend(groups.iter().take(length - 1).rev());
    out.push(last);
}

/// Bytes that an integer takes.
pub(crate) const fn varint_length(value: u64) -> usize {
    let bits = 64 - value.leading_zeros() as usize;
    match bits {
        0 => 1,
        1..=56 => bits.div_ceil(7),
        _ => MAX_LENGTH,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back_and_no_cut_does() {
        let edges = (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        for value in edges.chain([u64::MAX]) {
            let mut bytes = Vec::new();
            append_varint(value, &mut bytes);
            assert_eq!(bytes.len(), varint_length(value), "{value:#x}");
            assert_eq!(read_varint(&[&bytes[..], &[7]].concat()), Some((value, bytes.len())), "{value:#x}");
            assert_eq!(read_varint(&bytes[..bytes.len() - 1]), None, "{value:#x}");
        }
    }

    #[test]
    fn the_bytes_are_sqlites() {
        let bytes = |value| {
            let mut out = Vec::new();
            append_varint(value, &mut out);
            out
        };
        assert_eq!(bytes(0x80), [0x81, 0x00]);
        assert_eq!(bytes(0x3FFF), [0xFF, 0x7F]);
        assert_eq!(bytes(u64::MAX), [0xFF; 9]);
        assert_eq!(read_varint(&[0x81, 0x81, 0x01]).unwrap(), ((1 << 14) | (1 << 7) | 1, 3));
    }
}
