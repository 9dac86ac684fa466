//! Decimals of a fixed scale as text.

use std::io::Write;

use super::logical::MAX_DECIMAL_SCALE;

/// Appends an integer divided by ten to the power of `scale`, with that many digits behind the point.
pub(crate) fn push_scaled(text: &mut Vec<u8>, value: i64, scale: u8) {
    let scale = scale.min(MAX_DECIMAL_SCALE);
    let power = 10_u64.pow(u32::from(scale));
    let (whole, behind) = (value.unsigned_abs() / power, value.unsigned_abs() % power);
    let sign = if value < 0 { "-" } else { "" };
    // Writing to a vector cannot fail.
    let _ = match scale {
        0 => write!(text, "{value}"),
        scale => write!(text, "{sign}{whole}.{behind:0width$}", width = usize::from(scale)),
    };
}

/// Is this a decimal number in the one form in which numbers are printed: digits, perhaps a sign before them, perhaps a point and
/// digits behind them, no zero before other digits?
pub(crate) fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let count = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = count(digits);
    let leads_with_zero = whole > 1 && digits.first() == Some(&b'0');
    match digits.get(whole..) {
        _ if whole == 0 || leads_with_zero => false,
        Some([]) => true,
        Some([b'.', behind @ ..]) => !behind.is_empty() && count(behind) == behind.len(),
        _ => false,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_kept() {
        let text = |value, scale| {
            let mut text = Vec::new();
            push_scaled(&mut text, value, scale);
            assert!(is_number(&text));
            String::from_utf8(text).unwrap()
        };
        assert_eq!(text(0, 2), "0.00");
        assert_eq!(text(-5, 2), "-0.05");
        assert_eq!(text(1_230, 2), "12.30");
        assert_eq!(text(i64::MIN, 18), "-9.223372036854775808");
        assert_eq!(text(i64::MIN, 0), "-9223372036854775808");
    }

    #[test]
    fn what_is_no_number_is_not_called_one() {
        for text in ["", "-", ".5", "5.", "05", "-00.1", "1e5", "NaN", "Infinity", "1.2.3", " 1", "+1"] {
            assert!(!is_number(text.as_bytes()), "{text}");
        }
        for text in ["0", "-0.5", "0.0", "10", "123456789012345678901234567890.5"] {
            assert!(is_number(text.as_bytes()), "{text}");
        }
    }
}
