//! Finds out how a column's texts are written, from a few of them.

use super::date::Date;
use super::hexadecimal::Hexadecimal;
use super::numbered::Numbered;
use super::pattern::{AsBytes, AsNumber, Pattern};
use super::timestamp::Timestamp;
use super::uuid::Uuid;
use crate::model::Cells;

/// Texts that name the candidates.
const ANCHORS: usize = 5;
/// Texts that decide between candidates.
const FEW: usize = 40;
/// Texts that show how many exceptions there are.
const MANY: usize = 1024;
/// One exception in so many texts is too much: each costs about as much as it did before.
const EXCEPTIONS: usize = 8;
/// Hexadecimal digits that are worth it.
const DIGITS: usize = 4;

/// How nearly all of these texts are written, if it is in one way.
pub(in crate::encoding) fn detect(cells: &Cells) -> Option<Pattern> {
    let few: Vec<&[u8]> = spread(cells, FEW).collect();
    let taken = |pattern: &Pattern, texts: &[&[u8]]| texts.iter().filter(|text| pattern.takes(text)).count();
    let mut best: Option<(usize, Pattern)> = None;
    for anchor in few.iter().step_by(few.len().div_ceil(ANCHORS).max(1)) {
        for pattern in candidates(anchor) {
            if best.as_ref().is_some_and(|(_, best)| *best == pattern) {
                continue;
            }
            let count = taken(&pattern, &few);
            if best.as_ref().is_none_or(|(most, _)| count > *most) {
                best = Some((count, pattern));
            }
        }
    }
    let (count, pattern) = best?;
    if (few.len() - count) * EXCEPTIONS / 2 > few.len() {
        return None;
    }
    let many: Vec<&[u8]> = spread(cells, MANY).collect();
    let exceptions = many.len() - taken(&pattern, &many);
    (exceptions * EXCEPTIONS <= many.len()).then_some(pattern)
}

/// Up to `count` variable payloads, evenly spread.
fn spread(cells: &Cells, count: usize) -> impl Iterator<Item = &[u8]> {
    let ends = cells.ends();
    let count = count.min(ends.len());
    (0..count).filter_map(move |at| {
        let place = at * ends.len() / count;
        let start = place.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
        cells.data().get(start as usize..*ends.get(place)? as usize)
    })
}

/// The ways in which this text may be written; where several take all texts, the first is the best.
pub(super) fn candidates(text: &[u8]) -> impl Iterator<Item = Pattern> {
    let date = Date.parse(text).map(|_| Pattern::Date(Date));
    let timestamp = Timestamp::of(text).map(Pattern::Timestamp);
    let uuid = Uuid::of(text).map(Pattern::Uuid);
    let hexadecimal = Hexadecimal::of(text).filter(|form| form.length() >= DIGITS).map(Pattern::Hexadecimal);
    let numbered = Numbered::of(text).map(Pattern::Numbered);
    date.into_iter().chain(timestamp).chain(uuid).chain(numbered).chain(hexadecimal)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::Cell;

    /// What is found in 200 texts.
    fn found(text: impl Fn(u32) -> String) -> Option<Pattern> {
        let mut cells = Cells::new();
        for at in 0..200 {
            cells.push(&Cell::Text(text(at).as_bytes())).unwrap();
        }
        detect(&cells)
    }

    fn scattered(at: u32) -> u32 {
        at.wrapping_mul(0x9E37_79B9)
    }

    #[test]
    fn each_pattern_is_found() {
        let date = found(|at| format!("2024-{:02}-{:02}", at % 12 + 1, at % 28 + 1));
        assert!(matches!(date, Some(Pattern::Date(_))));
        let timestamp = found(|at| format!("2024-01-01 00:{:02}:{:02}.{:03}", at % 60, at % 59, at));
        assert!(matches!(timestamp, Some(Pattern::Timestamp(_))));
        let uuid = found(|at| format!("{:08x}-1515-430e-bf58-b620c4052a8c", scattered(at)));
        assert!(matches!(uuid, Some(Pattern::Uuid(_))));
        let numbered = found(|at| format!("item-{}", scattered(at) >> (at % 30)));
        assert!(matches!(numbered, Some(Pattern::Numbered(_))));
        let zeros = found(|at| format!("Customer#{:09}", 7 * at));
        assert!(matches!(zeros, Some(Pattern::Numbered(_))));
        let upper = found(|at| format!("{:08X}{:06X}", scattered(at), at));
        assert!(matches!(upper, Some(Pattern::Hexadecimal(_))));
        let digest = found(|at| format!("{:08x}{:08x}", scattered(at), scattered(!at)));
        assert!(matches!(digest, Some(Pattern::Hexadecimal(_))));
    }

    #[test]
    fn a_few_exceptions_do_not_hide_a_pattern_and_many_do() {
        let with = |every: u32| {
            found(|at| if at % every == 0 { "unknown".to_owned() } else { format!("2024-01-{:02}", at % 28 + 1) })
        };
        assert!(matches!(with(17), Some(Pattern::Date(_))));
        assert_eq!(with(3), None);
    }

    #[test]
    fn other_texts_have_none() {
        assert_eq!(found(|at| ["red", "amber", "feed", "lime"].get(at as usize % 4).unwrap().to_string()), None);
        assert_eq!(found(|at| format!("{} Main Street {}", at, scattered(at))), None);
        assert_eq!(found(|_| String::new()), None);
        assert_eq!(detect(&Cells::new()), None);
    }
}
