//! Payloads as rows of words. What a word is decides how small a block becomes, not what is read out of it.

use crate::encoding::distinct::{Distinct, Text};
use crate::model::Cells;

/// The different words of a column's payloads, and which ones each payload consists of.
pub(in crate::encoding) struct Words<'a> {
    /// The most frequent word first.
    pub(super) entries: Vec<&'a [u8]>,
    /// An entry for each word, payload by payload.
    pub(super) indexes: Vec<u32>,
    /// How many words each payload consists of.
    pub(super) counts: Vec<u64>,
}

impl<'a> Words<'a> {
    /// The words of all variable payloads; `None` as soon as there are more than `most` words, or more than `most_different`
    /// different ones, or where these collide.
    pub(in crate::encoding) fn of(cells: &'a Cells, most: usize, most_different: usize) -> Option<Self> {
        let (data, payload_ends) = (cells.data(), cells.ends());
        let mut distinct = Distinct::new(most_different);
        // Room for all at once: they are not moved, and what is not used is no memory.
        let mut indexes = Vec::with_capacity(most);
        let mut counts = Vec::with_capacity(payload_ends.len());
        let (mut start, mut before) = (0, 0);
        let mut to_mark = payload_ends.iter().map(|end| *end as usize).peekable();
        let mut to_count = to_mark.clone();
        let mut letters = Letters::default();
        for (block, place) in data.chunks(BLOCK).zip((0..).step_by(BLOCK)) {
            let mut bits = letters.ends(block);
            while let Some(end) = to_mark.next_if(|end| *end < place + BLOCK) {
                bits |= 1 << (end - place);
            }
            while bits != 0 {
                let end = place + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if end > start {
                    if indexes.len() == most {
                        return None;
                    }
                    indexes.push(distinct.place(Text::within(data, start, end))?);
                    start = end;
                }
                while to_count.next_if_eq(&end).is_some() {
                    counts.push((indexes.len() - before) as u64);
                    before = indexes.len();
                }
            }
        }
        if start < data.len() {
            if indexes.len() == most {
                return None;
            }
            indexes.push(distinct.place(Text::within(data, start, data.len()))?);
        }
        for _ in to_count {
            counts.push((indexes.len() - before) as u64);
            before = indexes.len();
        }
        let entries = distinct.known().iter().map(|text| text.bytes).collect();
        Some(Self { entries, indexes, counts }.by_frequency())
    }

    /// The same with the most frequent entries first, and those that are as frequent as others in the order of their bytes.
    fn by_frequency(mut self) -> Self {
        let mut frequencies = vec![0_u32; self.entries.len()];
        for index in &self.indexes {
            if let Some(frequency) = frequencies.get_mut(*index as usize) {
                *frequency = frequency.saturating_add(1);
            }
        }
        let mut order: Vec<(u32, &[u8], u32)> = frequencies
            .into_iter()
            .zip(&self.entries)
            .zip(0..)
            .map(|((often, word), old)| (often, *word, old))
            .collect();
        order.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let mut places = vec![0_u32; order.len()];
        for ((_, _, old), new) in order.iter().zip(0..) {
            if let Some(place) = places.get_mut(*old as usize) {
                *place = new;
            }
        }
        for index in &mut self.indexes {
            *index = places.get(*index as usize).copied().unwrap_or(0);
        }
        self.entries = order.into_iter().map(|(_, word, _)| word).collect();
        self
    }
}

/// Bytes that are looked at at once, a bit for each.
const BLOCK: usize = 64;

/// Where letters are followed by something else, found block by block: a word is what separates it from the one before it,
/// and its letters. So there are the fewest words, and few that differ by what separates them alone.
#[derive(Default)]
struct Letters {
    /// 1 if the block before ended with a letter.
    before: u64,
}

impl Letters {
    /// The bits of bytes of the next block, or the one behind it, that are no letters and stand behind one.
    fn ends(&mut self, block: &[u8]) -> u64 {
        let mut flags = [0_u8; BLOCK];
        for (flag, byte) in flags.iter_mut().zip(block) {
            *flag = u8::from(is_letter(*byte));
        }
        let mut letters = 0;
        for (eight, shift) in flags.as_chunks::<8>().0.iter().zip((0_u32..).step_by(8)) {
            // Each byte is 0 or 1; the product has them side by side in its highest byte.
            let bits = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            letters |= bits << shift;
        }
        let ends = (letters << 1 | self.before) & !letters;
        self.before = letters >> 63;
        ends
    }
}

/// Letters, digits and all that is not ASCII: no character is cut.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Cell;

    /// The words of each text, read back from entries and indexes.
    fn split(texts: &[&str]) -> Vec<Vec<String>> {
        let cells = Cells::of(&texts.iter().map(|text| Cell::Text(text.as_bytes())).collect::<Vec<_>>());
        let words = Words::of(&cells, cells.data().len(), 1000).unwrap();
        let mut indexes = words.indexes.iter();
        let all = words.counts.iter().map(|count| {
            let own = indexes.by_ref().take(usize::try_from(*count).unwrap());
            own.map(|index| String::from_utf8(words.entries[*index as usize].to_vec()).unwrap()).collect()
        });
        let all = all.collect();
        assert!(indexes.next().is_none());
        all
    }

    /// The same, letter by letter.
    fn expected(text: &str) -> Vec<String> {
        let mut words: Vec<Vec<u8>> = Vec::new();
        for byte in text.bytes() {
            match words.last_mut() {
                Some(word) if is_letter(byte) || !is_letter(word[word.len() - 1]) => word.push(byte),
                _ => words.push(vec![byte]),
            }
        }
        words.into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn words_begin_with_what_separates_them() {
        for (text, words) in [
            ("", vec![]),
            ("a", vec!["a"]),
            ("  ", vec!["  "]),
            ("one two", vec!["one", " two"]),
            ("one, two.", vec!["one", ", two", "."]),
            ("libc6 (>= 2.4), x", vec!["libc6", " (>= 2", ".4", "), x"]),
            ("naïve über", vec!["naïve", " über"]),
            ("-x-", vec!["-x", "-"]),
        ] {
            assert_eq!(split(&[text]), [words]);
        }
    }

    #[test]
    fn the_most_frequent_word_comes_first() {
        let texts = ["b a c", "", "b a", "b d"];
        let cells = Cells::of(&texts.map(|text| Cell::Text(text.as_bytes())));
        let words = Words::of(&cells, 7, 4).unwrap();
        assert_eq!(words.entries, [&b"b"[..], b" a", b" c", b" d"]);
        assert_eq!(words.indexes, [0, 1, 2, 0, 1, 0, 3]);
        assert_eq!(words.counts, [3, 0, 2, 2]);
        assert!(Words::of(&cells, 7, 3).is_none(), "more different words than asked for");
        assert!(Words::of(&cells, 6, 4).is_none(), "more words than asked for");
    }

    #[test]
    fn words_end_where_they_should_at_every_place_of_a_block() {
        for length in 0..2 * BLOCK + 2 {
            let letters = "x".repeat(length);
            for texts in [
                [letters.clone(), "b c".to_owned(), String::new()],
                [format!("{letters} "), String::new(), "c".to_owned()],
                [String::new(), format!("{letters}, {letters}"), letters.clone()],
                [format!(" {letters}"), letters.clone(), format!("-{letters}-")],
            ] {
                let texts = texts.each_ref().map(String::as_str);
                assert_eq!(split(&texts), texts.map(expected), "{texts:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_texts_are_cut_at_the_same_places(texts in proptest::collection::vec("[ab ,é]{0,70}|\\PC{0,20}", 1..12)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let words: Vec<_> = texts.iter().map(|text| expected(text)).collect();
            prop_assert_eq!(split(&texts), words);
        }
    }
}
