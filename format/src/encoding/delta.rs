//! Numbers as the steps from one to the next: the first number, then the steps as distances from the smallest step.

use super::frame_of_reference;
use super::parts::damaged;
use crate::error::Result;
use crate::wire::Cursor;

/// The steps between words; one less than there are words.
pub(super) fn steps(words: &[u64]) -> impl Iterator<Item = u64> + Clone {
    words.iter().zip(words.iter().skip(1)).map(|(before, word)| word.wrapping_sub(*before))
}

/// Writes words, of which there is at least one.
pub(super) fn write(words: &[u64], out: &mut Vec<u8>) {
    let first = words.first().copied().unwrap_or_default();
    out.extend_from_slice(&first.to_le_bytes());
    frame_of_reference::write(&steps(words).collect::<Vec<_>>(), out);
}

pub(super) fn read(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<u64>> {
    let Some(steps) = count.checked_sub(1) else { return Err(damaged("steps between no numbers")) };
    let first = cursor.u64()?;
    let mut words = frame_of_reference::read(cursor, steps)?;
    let mut word = first;
    for place in &mut words {
        let step = *place;
        *place = word;
        word = word.wrapping_add(step);
    }
    words.push(word);
    Ok(words)
}
