//! Keys as people write them.

use std::str::FromStr;

use super::comparison::Comparison;
use crate::error::{Error, Result};
use crate::model::Value;

/// One value of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyValue {
    /// What a person wrote. It equals the cells that `column = 'written'` is true of in SQLite; in a column without affinity,
    /// a number equals both the number and the text.
    Written(String),
    /// This value.
    Exactly(Value),
}

impl KeyValue {
    /// The values that it may be in a column.
    pub(super) fn readings(&self, comparison: Comparison) -> Vec<Value> {
        match self {
            Self::Written(text) => comparison.readings(text),
            Self::Exactly(value) => vec![value.clone()],
        }
    }
}

/// `x'00ff'` is bytes and `'text'` a text and nothing else (a quote in it is doubled); whatever else is taken as the column
/// takes it.
impl FromStr for KeyValue {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let quoted = |text: &str| Some(text.strip_prefix('\'')?.strip_suffix('\'')?.to_owned());
        if let Some(digits) = text.strip_prefix(['x', 'X']).and_then(quoted) {
            let refuse = || Error::request(format!("{text} is no bytes; write x'00ff'"));
            return Ok(Self::Exactly(Value::Bytes(bytes(&digits).ok_or_else(refuse)?)));
        }
        Ok(match quoted(text) {
            Some(inner) => Self::Exactly(Value::Text(inner.replace("''", "'").into_bytes())),
            None => Self::Written(text.to_owned()),
        })
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<u32>>>()?;
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| pair.iter().try_fold(0_u8, |byte, digit| Some(byte << 4 | u8::try_from(*digit).ok()?))).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn quotes_say_what_a_value_is() {
        let read = |text: &str| text.parse::<KeyValue>().unwrap();
        assert_eq!(read("7"), KeyValue::Written("7".into()));
        assert_eq!(read(""), KeyValue::Written(String::new()));
        assert_eq!(read("'"), KeyValue::Written("'".into()));
        assert_eq!(read("x"), KeyValue::Written("x".into()));
        assert_eq!(read("'7'"), KeyValue::Exactly(Value::Text(b"7".to_vec())));
        assert_eq!(read("'it''s'"), KeyValue::Exactly(Value::Text(b"it's".to_vec())));
        assert_eq!(read("x'00fF'"), KeyValue::Exactly(Value::Bytes(vec![0, 255])));
        assert_eq!(read("X''"), KeyValue::Exactly(Value::Bytes(Vec::new())));
        assert!("x'0'".parse::<KeyValue>().unwrap_err().is_request());
        assert!("x'0g'".parse::<KeyValue>().unwrap_err().is_request());
    }
}
