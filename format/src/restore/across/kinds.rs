//! What columns of SQLite really hold, whatever they are declared: SQLite's types are those of values.

use super::conversion::Conversion;
use crate::archive::Table;
use crate::error::Result;
use crate::model::{CellKind, Logical};
use crate::observer::{Observer, Phase, check_cancelled};

/// How many cells of each kind a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) nulls: u64,
    integers: u64,
    reals: u64,
    texts: u64,
    bytes: u64,
}

/// A type of PostgreSQL, and how cells become its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) declared: &'static str,
    pub(super) logical: Logical,
    pub(super) conversion: Conversion,
}

impl Chosen {
    const fn stored(declared: &'static str, logical: Logical) -> Self {
        Self { declared, logical, conversion: Conversion::Stored }
    }
}

/// Counts the cells of all columns.
pub(super) fn count(table: &Table<'_>, observer: &dyn Observer) -> Result<Vec<Counts>> {
    let schema = table.schema();
    observer.begin(Phase::Verify, Some(&schema.name), Some(table.manifest().rows), None);
    let all: Vec<usize> = (0..schema.columns.len()).collect();
    let mut counts = vec![Counts::default(); all.len()];
    for group in table.scan(&all) {
        check_cancelled(observer)?;
        let group = group?;
        for (counts, cells) in counts.iter_mut().zip(group.columns()) {
            for cell in cells {
                counts.add(cell.kind());
            }
        }
        observer.advance(u64::from(group.rows()), group.bytes());
    }
    Ok(counts)
}

impl Counts {
    fn add(&mut self, kind: CellKind) {
        *match kind {
            CellKind::Null => &mut self.nulls,
            CellKind::Integer => &mut self.integers,
            CellKind::Real => &mut self.reals,
            CellKind::Text | CellKind::RawText => &mut self.texts,
            CellKind::Bytes => &mut self.bytes,
        } += 1;
    }

    /// The type that takes all of them without a loss; none where bytes stand beside others.
    pub(super) fn chosen(self, declared: &str) -> Option<Chosen> {
        let Self { integers, reals, texts, bytes, .. } = self;
        Some(match (integers > 0, reals > 0, texts > 0, bytes > 0) {
            (false, false, false, false) => of_declared(declared),
            (true, false, false, false) => Chosen::stored("bigint", Logical::Integer),
            (false, true, false, false) => Chosen::stored("double precision", Logical::Real),
            (false, false, true, false) => Chosen::stored("text", Logical::Text),
            (false, false, false, true) => Chosen::stored("bytea", Logical::Bytes),
            (true, true, false, false) => {
                let conversion = Conversion::AllReal;
                Chosen { declared: "double precision", logical: Logical::Real, conversion }
            }
            (_, _, true, false) => Chosen { declared: "text", logical: Logical::Text, conversion: Conversion::AllText },
            (_, _, _, true) => return None,
        })
    }

    /// What there is, for people: `3 integers, 1 text`.
    pub(super) fn told(self) -> String {
        let counts =
            [(self.integers, "integer"), (self.reals, "real"), (self.texts, "text"), (self.bytes, "byte string")];
        let told = counts.iter().filter(|(count, _)| *count > 0);
        let told = told.map(|(count, what)| format!("{count} {what}{}", if *count == 1 { "" } else { "s" }));
        told.collect::<Vec<_>>().join(", ")
    }
}

/// The type of a column without values: what SQLite's rules of affinity make of its declared type.
fn of_declared(declared: &str) -> Chosen {
    let declared = declared.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    if has(&["INT"]) {
        Chosen::stored("bigint", Logical::Integer)
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        Chosen::stored("text", Logical::Text)
    } else if declared.is_empty() || has(&["BLOB"]) {
        Chosen::stored("bytea", Logical::Bytes)
    } else if has(&["REAL", "FLOA", "DOUB"]) {
        Chosen::stored("double precision", Logical::Real)
    } else if has(&["BOOL"]) {
        Chosen::stored("bigint", Logical::Integer)
    } else if has(&["DATE", "TIME"]) {
        Chosen::stored("text", Logical::Text)
    } else {
        Chosen::stored("double precision", Logical::Real)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_gets_the_type_of_what_it_holds() {
        let counts = |integers, reals, texts, bytes| Counts { nulls: 1, integers, reals, texts, bytes };
        let declared = |counts: Counts| counts.chosen("DECIMAL(10,2)").map(|chosen| chosen.declared);
        assert_eq!(declared(counts(0, 0, 0, 0)), Some("double precision"));
        assert_eq!(declared(counts(2, 0, 0, 0)), Some("bigint"));
        assert_eq!(declared(counts(2, 1, 0, 0)), Some("double precision"));
        assert_eq!(declared(counts(2, 1, 1, 0)), Some("text"));
        assert_eq!(declared(counts(0, 0, 0, 9)), Some("bytea"));
        assert_eq!(declared(counts(0, 0, 1, 9)), None);
        assert_eq!(counts(2, 0, 1, 0).told(), "2 integers, 1 text");
        assert_eq!(Counts::default().chosen("").map(|chosen| chosen.declared), Some("bytea"));
        assert_eq!(Counts::default().chosen("datetime").map(|chosen| chosen.declared), Some("text"));
    }
}
