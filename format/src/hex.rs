//! Digests as people write them.

/// Lower-case hex digits, two per byte.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| digits(*byte)).map(char::from).collect()
}

/// Appends the same digits to a text in the making.
pub(crate) fn append(text: &mut Vec<u8>, bytes: &[u8]) {
    text.extend(bytes.iter().flat_map(|byte| digits(*byte)));
}

fn digits(byte: u8) -> [u8; 2] {
    let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
    [digit(byte >> 4), digit(byte & 15)]
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
    fn digits_are_lower_case_and_padded() {
        assert_eq!(encode(&[0, 9, 10, 0xab, 0xff]), "00090aabff");
    }

    #[test]
    fn digests_come_back_and_nothing_else_does() {
        let digest = std::array::from_fn(|index| u8::try_from(index * 7 % 256).unwrap_or(0));
        assert_eq!(decode_digest(&encode(&digest)), Some(digest));
        assert_eq!(decode_digest(&encode(&digest).to_uppercase()), Some(digest));
        assert_eq!(decode_digest("ab"), None);
        assert_eq!(decode_digest(&"+1".repeat(32)), None);
    }
}
