//! Reals as text that reads back to the same bits.

use std::io::Write;

/// Appends the shortest digits that read back as this very number, always with a point or an exponent, so that it
/// stays a real. Only for finite numbers.
pub(super) fn push_finite(text: &mut Vec<u8>, value: f64) {
    // `Debug` gives both; `Display` would write 1.0 as 1. Writing to a vector cannot fail.
    let _ = write!(text, "{value:?}");
}

/// The names of the numbers that are not finite; `None` for a NaN whose bits say more than that.
pub(super) fn name_of(value: f64) -> Option<&'static str> {
    if value == f64::INFINITY {
        Some("inf")
    } else if value == f64::NEG_INFINITY {
        Some("-inf")
    } else if value.to_bits() == f64::NAN.to_bits() {
        Some("nan")
    } else {
        None
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn text(value: f64) -> String {
        let mut text = Vec::new();
        push_finite(&mut text, value);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn reals_stay_reals_and_come_back() {
        for value in [0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 1e-7, 5e-324, f64::MAX, f64::MIN_POSITIVE, 1.0 / 3.0] {
            let text = text(value);
            assert!(text.contains(['.', 'e']), "{text}");
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits(), "{text}");
        }
        assert_eq!(text(-0.0), "-0.0");
        assert_eq!(text(1e300), "1e300");
    }

    #[test]
    fn only_the_plain_nan_is_called_so() {
        assert_eq!(name_of(f64::NAN), Some("nan"));
        assert_eq!(name_of(f64::from_bits(f64::NAN.to_bits() + 1)), None);
        assert_eq!(name_of(f64::NEG_INFINITY), Some("-inf"));
    }
}
