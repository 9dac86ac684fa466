//! The order of SQLite's keys, written anew from the specification (§10), so that the library's is not tested by itself.

use std::cmp::Ordering;

use tabark::model::{KeyPart, Value};

/// Sorts rows by a key and drops those whose key stands there already.
pub(crate) fn sort_by_key(rows: &mut Vec<Vec<Value>>, key: &[KeyPart]) {
    if key.is_empty() {
        return;
    }
    rows.sort_by(|a, b| compare(a, b, key));
    rows.dedup_by(|a, b| compare(a, b, key) == Ordering::Equal);
}

fn compare(a: &[Value], b: &[Value], key: &[KeyPart]) -> Ordering {
    for part in key {
        let at = part.column as usize;
        let order = cells(&a[at], &b[at], &part.collation);
        let order = if part.descending { order.reverse() } else { order };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn cells(a: &Value, b: &Value, collation: &str) -> Ordering {
    use Value::{Bytes, Integer, Null, RawText, Real, Text};
    match (a, b) {
        (Null, Null) => Ordering::Equal,
        (Integer(a), Integer(b)) => a.cmp(b),
        (Real(a), Real(b)) => a.partial_cmp(b).unwrap(),
        // The reals made for keys are halves below 2^20, which `f64` holds exactly; an integer that rounds is far beyond them.
        (Integer(a), Real(b)) => (*a as f64).partial_cmp(b).unwrap(),
        (Real(a), Integer(b)) => a.partial_cmp(&(*b as f64)).unwrap(),
        (Text(a) | RawText(a), Text(b) | RawText(b)) => texts(a, b, collation),
        (Bytes(a), Bytes(b)) => a.cmp(b),
        _ => class(a).cmp(&class(b)),
    }
}

fn class(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 1,
        Value::Text(_) | Value::RawText(_) => 2,
        Value::Bytes(_) => 3,
    }
}

fn texts(a: &[u8], b: &[u8], collation: &str) -> Ordering {
    match collation {
        "NOCASE" => {
            let common = a.len().min(b.len());
            for (x, y) in a[..common].iter().zip(&b[..common]) {
                let order = x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase());
                if order.is_ne() {
                    return order;
                }
                if *x == 0 {
                    break;
                }
            }
            a.len().cmp(&b.len())
        }
        "RTRIM" => trimmed(a).cmp(trimmed(b)),
        _ => a.cmp(b),
    }
}

fn trimmed(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    &text[..end]
}
