//! Digests as people write them.

/// Lower-case hex digits, two per byte.
pub fn encode(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The 32 bytes of a digest, from 64 hex digits of either case.
pub fn decode_digest(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != digest.len() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(pairs) {
        let digits = std::str::from_utf8(pair).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_come_back_and_nothing_else_does() {
        let digest = std::array::from_fn(|index| u8::try_from(index * 7 % 256).unwrap_or(0));
        assert_eq!(decode_digest(&encode(&digest)), Some(digest));
        assert_eq!(decode_digest(&encode(&digest).to_uppercase()), Some(digest));
        assert_eq!(decode_digest("ab"), None);
        assert_eq!(decode_digest(&"+1".repeat(32)), None);
    }
}
