//! Numbers as people read them.

use jiff::Timestamp;

/// A count with its thousands parted: `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun: `1 table`, `2 tables`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number))
}

/// Bytes in decimal units: `999 B`, `1.2 kB`, `3.4 GB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut unit_size: u64 = 1000;
    for unit in UNITS {
        // Rounded to tenths, and never shown as 1000.0.
        let tenths = (u128::from(bytes) * 10 + u128::from(unit_size) / 2) / u128::from(unit_size);
        if tenths < 10_000 || unit == "EB" {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        unit_size = unit_size.saturating_mul(1000);
    }
    format!("{bytes} B")
}

/// How many times smaller: `3.9x`.
pub(crate) fn ratio(raw: u64, stored: u64) -> String {
    if stored == 0 {
        return "-".to_owned();
    }
    let tenths = (u128::from(raw) * 10 + u128::from(stored) / 2) / u128::from(stored);
    format!("{}.{}x", tenths / 10, tenths % 10)
}

/// A time (microseconds since 1970) to the second, UTC, as `--at` takes it.
pub(crate) fn time(micros: i64) -> String {
    match Timestamp::from_microsecond(micros) {
        Ok(time) => time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Err(_) => format!("{micros} µs"),
    }
}

/// A time in RFC 3339, UTC, to the microsecond; `None` if it has no such form.
pub(crate) fn rfc3339(micros: i64) -> Option<String> {
    Timestamp::from_microsecond(micros).ok().map(|time| time.to_string())
}

/// Enough of a digest to tell it from others.
pub(crate) fn short_digest(digest: &[u8; 32]) -> String {
    tabark::hex::encode(digest).chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_sizes() {
        assert_eq!([count(0), count(999), count(1000), count(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([counted(1, "row"), counted(2000, "row")], ["1 row", "2,000 rows"]);
        assert_eq!([size(999), size(1000), size(1250), size(999_949)], ["999 B", "1.0 kB", "1.3 kB", "999.9 kB"]);
        assert_eq!([size(999_950), size(3_400_000_000)], ["1.0 MB", "3.4 GB"]);
        assert_eq!(size(u64::MAX), "18.4 EB");
        assert_eq!([ratio(39, 10), ratio(1, 0)], ["3.9x", "-"]);
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(1_500_000), "1970-01-01T00:00:01Z");
        assert_eq!(time(i64::MAX), format!("{} µs", i64::MAX));
        assert_eq!(rfc3339(1_500_000).as_deref(), Some("1970-01-01T00:00:01.5Z"));
        assert_eq!(rfc3339(i64::MIN), None);
    }
}
