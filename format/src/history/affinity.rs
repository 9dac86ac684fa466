//! What SQLite takes the values of a column for: its affinity, by the column's declared type.

/// A column's affinity. INTEGER and NUMERIC do the same to a value that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affinity {
    /// Values stay as they are.
    Blob,
    /// Numbers become texts.
    Text,
    /// Texts that are numbers become numbers, whole reals integers.
    Numeric,
    /// The same, and integers become reals.
    Real,
}

impl Affinity {
    /// The affinity of a declared type. In a STRICT table ANY is none.
    pub fn of(declared_type: &str, strict: bool) -> Self {
        let declared = declared_type.to_ascii_lowercase();
        if declared.is_empty() || (strict && declared == "any") {
            return Self::Blob;
        }
        let mut found = Self::Numeric;
        let declared = declared.as_bytes();
        for end in 1..=declared.len() {
            let seen = declared.get(..end).unwrap_or_default();
            if seen.ends_with(b"int") {
                return Self::Numeric;
            }
            let four = seen.last_chunk::<4>();
            found = match (four, found) {
                (Some(b"char" | b"clob" | b"text"), _) => Self::Text,
                (Some(b"blob"), Self::Numeric | Self::Real) => Self::Blob,
                (Some(b"real" | b"floa" | b"doub"), Self::Numeric) => Self::Real,
                _ => found,
            };
        }
        found
    }
}
