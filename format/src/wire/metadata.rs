//! Metadata encoding (`spec/format.md` §2.1): bincode 2.0.1's `standard()` configuration, made canonical.
//!
//! bincode itself accepts numbers in more bytes than they need. Decoding therefore encodes the result again and
//! compares, so that every structure has exactly one form in a file. Metadata is small; rows never pass through here.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Layer, Result};
use crate::limits::MAX_METADATA_BODY;

/// Lengths in hostile bytes may not ask for more memory than this, whatever they claim.
const DECODE_LIMIT: usize = MAX_METADATA_BODY;

/// The bytes of a structure.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    bincode::serde::encode_to_vec(value, bincode::config::standard())
        .map_err(|cause| Error::request(format!("metadata cannot be stored: {cause}")))
}

/// The structure that these bytes are, all of them and in canonical form. `what` names it in errors.
pub(crate) fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T> {
    let refuse = |why: String| Error::damaged(Layer::Metadata, format!("{what}: {why}"));
    let config = bincode::config::standard().with_limit::<DECODE_LIMIT>();
    let (value, used) = bincode::serde::decode_from_slice::<T, _>(bytes, config)
        .map_err(|cause| refuse(format!("cannot be decoded: {cause}")))?;
    if used != bytes.len() {
        return Err(refuse(format!("{} bytes left over of {}", bytes.len() - used, bytes.len())));
    }
    if encode(&value)? != bytes {
        return Err(refuse("not in canonical form".into()));
    }
    Ok(value)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::{Bound, Value};

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let value =
            (7_u8, 250_u64, 251_u32, 65_536_u64, 1_u64 << 32, -1_i64, true, "é".to_owned(), vec![1_u32], Some(2_u8));
        let mut expected = vec![7, 250, 251, 251, 0, 252, 0, 0, 1, 0, 253, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2];
        expected.extend("é".bytes());
        expected.extend([1, 1, 1, 2]);
        assert_eq!(encode(&value).unwrap(), expected);
        let bound = Bound { value: Value::Real(1.0), exact: true };
        assert_eq!(encode(&bound).unwrap(), [2, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 1]);
        assert_eq!(encode(&Value::Text(b"ab".to_vec())).unwrap(), [3, 2, b'a', b'b']);
        assert_eq!(encode(&[9_u8; 32]).unwrap(), [9; 32]);
        assert_eq!(encode(&i64::MIN).unwrap(), [253, 255, 255, 255, 255, 255, 255, 255, 255]);
    }

    #[test]
    fn one_form_only() {
        assert_eq!(decode::<u64>(&[5], "n").unwrap(), 5);
        for bad in [&[251, 5, 0][..], &[5, 0], &[254, 1], &[255], &[252, 0, 1, 0], &[]] {
            let error = decode::<u64>(bad, "n").unwrap_err();
            assert_eq!(error.layer(), Some(Layer::Metadata), "{bad:?}");
        }
        assert!(decode::<bool>(&[2], "b").is_err());
        assert!(decode::<Option<u8>>(&[2, 0], "o").is_err());
        assert!(decode::<u32>(&[253, 0, 0, 0, 0, 1, 0, 0, 0], "u").is_err());
        assert!(decode::<String>(&[1, 0xff], "s").is_err());
    }

    #[test]
    fn a_length_cannot_ask_for_memory() {
        let mut huge = vec![253];
        huge.extend(u64::MAX.to_le_bytes());
        assert!(decode::<String>(&huge, "s").is_err());
        assert!(decode::<Vec<u8>>(&huge, "v").is_err());
        assert!(decode::<Vec<(u64, String)>>(&[252, 0, 0, 0, 64], "v").is_err());
    }
}
