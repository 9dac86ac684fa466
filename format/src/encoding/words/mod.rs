//! Words: the words of a column's payloads, each of them once, and which ones each payload consists of (`spec/format.md` §6.7).
//! Texts that say much with few words become as short as if their words were letters.

mod split;

use super::numbers::{self, Codec};
use super::parts::{self, Counts, damaged};
use super::trial;
use crate::error::{Layer, Result};
use crate::model::{Cells, CellsParts};
use crate::wire::Cursor;

pub(super) use split::Words;

/// Entries below this have an index of one byte.
const OF_ONE_BYTE: usize = 192;
/// Entries below this have one of two; the first byte says which 256 of them.
const OF_TWO_BYTES: usize = OF_ONE_BYTE + 63 * 256;
/// The most entries there are: what is left has three bytes.
const MOST_ENTRIES: usize = OF_TWO_BYTES + (1 << 16);

/// The first byte of the least index of two, and of all of three.
const TWO_BYTES: u8 = 192;
const THREE_BYTES: u8 = 255;

/// Words that are shorter than this on average say little more than their indexes.
const LEAST_LENGTH: usize = 3;

/// With more bytes of payloads, four for each word that there may be would be more than the block itself may take as plain.
const MOST_DATA: usize = 24 << 20;

/// Bytes that are copied at once, whatever of them a word has.
const AT_ONCE: usize = 16;

/// The words of a sample, if it repeats them, and about how many bytes Zstandard leaves of what tells them from each other.
pub(super) fn detect(sample: &Cells) -> Option<usize> {
    let most = sample.data().len() / LEAST_LENGTH;
    let words = Words::of(sample, most, (most / 2).min(MOST_ENTRIES))?;
    let (count, different) = (words.indexes.len(), words.entries.len());
    // Texts of one word are what dictionaries are for.
    let is_one_each = count < sample.ends().len().max(1) * 2;
    if is_one_each || different * 2 > count {
        return None;
    }
    let mut out = Vec::with_capacity(count * 2);
    parts::write_kinds(sample, &mut out);
    parts::write_fixed(sample.fixed(), &mut out);
    numbers::write(&words.counts, Codec::FrameOfReference, &mut out);
    write_indexes(&words.indexes, &mut out);
    Some(trial::compressed_length(&out))
}

/// The words of a whole column, unless there are too many, or too many different ones.
pub(super) fn of(cells: &Cells) -> Option<Words<'_>> {
    if cells.data().len() > MOST_DATA {
        return None;
    }
    Words::of(cells, cells.data().len() / LEAST_LENGTH, MOST_ENTRIES)
}

/// About how many bytes Zstandard leaves of the entries.
pub(super) fn cost_of_entries(words: &Words<'_>) -> usize {
    let mut out = Vec::new();
    write_lengths(words, &mut out);
    write_entries(words, &mut out);
    trial::compressed_length(&out)
}

/// The content of a block.
pub(super) fn encode(cells: &Cells, words: &Words<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(words.indexes.len() * 2 + 8 * cells.fixed().len() + 4 * cells.ends().len() + 64);
    parts::write_rows(cells, &mut out);
    parts::write_kinds(cells, &mut out);
    parts::write_fixed(cells.fixed(), &mut out);
    // At most `MOST_ENTRIES`.
    out.extend_from_slice(&u32::try_from(words.entries.len()).unwrap_or(u32::MAX).to_le_bytes());
    write_lengths(words, &mut out);
    numbers::write(&words.counts, Codec::FrameOfReference, &mut out);
    write_entries(words, &mut out);
    write_indexes(&words.indexes, &mut out);
    out
}

fn write_lengths(words: &Words<'_>, out: &mut Vec<u8>) {
    let lengths: Vec<u64> = words.entries.iter().map(|word| word.len() as u64).collect();
    numbers::write(&lengths, Codec::FrameOfReference, out);
}

fn write_entries(words: &Words<'_>, out: &mut Vec<u8>) {
    for word in &words.entries {
        out.extend_from_slice(word);
    }
}

fn write_indexes(indexes: &[u32], out: &mut Vec<u8>) {
    for index in indexes {
        let entry = *index as usize;
        if entry < OF_ONE_BYTE {
            out.push(low_bytes(entry).0);
        } else if entry < OF_TWO_BYTES {
            let (low, high) = low_bytes(entry - OF_ONE_BYTE);
            // At most 62 more.
            out.extend_from_slice(&[TWO_BYTES.saturating_add(high), low]);
        } else {
            let (low, high) = low_bytes(entry - OF_TWO_BYTES);
            out.extend_from_slice(&[THREE_BYTES, low, high]);
        }
    }
}

fn low_bytes(number: usize) -> (u8, u8) {
    let [low, high, ..] = number.to_le_bytes();
    (low, high)
}

/// The entry that comes next, and the indexes behind it; `None` where they are cut off.
fn split_index(indexes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = indexes.split_first()?;
    if *first < TWO_BYTES {
        return Some((usize::from(*first), rest));
    }
    let (second, rest) = rest.split_first()?;
    if *first < THREE_BYTES {
        return Some((OF_ONE_BYTE + 256 * usize::from(*first - TWO_BYTES) + usize::from(*second), rest));
    }
    let (third, rest) = rest.split_first()?;
    Some((OF_TWO_BYTES + usize::from(*second) + 256 * usize::from(*third), rest))
}

/// The entries of a block.
struct Entries<'a> {
    /// Where each begins, and how many bytes it has.
    places: Vec<(usize, usize)>,
    bytes: &'a [u8],
}

impl<'a> Entries<'a> {
    /// The entries whose bytes come next.
    fn read(cursor: &mut Cursor<'a>, lengths: &[u64]) -> Result<Self> {
        let mut places = Vec::with_capacity(lengths.len());
        let mut all = 0_usize;
        for length in lengths {
            if *length == 0 {
                return Err(damaged("an empty word"));
            }
            let end = usize::try_from(*length).ok().and_then(|length| all.checked_add(length));
            let end = end.ok_or_else(|| damaged("words of more bytes than memory has"))?;
            places.push((all, end - all));
            all = end;
        }
        Ok(Self { places, bytes: cursor.take(all)? })
    }

    /// Where each payload of so many words ends. All are known, and lead nowhere wrong, before a payload gets room.
    fn ends(&self, counts: Counts, word_counts: &[u64], mut indexes: &[u8]) -> Result<Vec<u32>> {
        let mut ends = Vec::with_capacity(word_counts.len());
        let mut all = 0_u64;
        for count in word_counts {
            // Each word takes a byte: a count that is too large ends where they do.
            for _ in 0..*count {
                let (entry, rest) = split_index(indexes).ok_or_else(|| damaged("a text whose words are cut off"))?;
                let Some((_, length)) = self.places.get(entry) else {
                    return Err(damaged(format!("word {entry} of {}", self.places.len())));
                };
                all = all.saturating_add(*length as u64);
                indexes = rest;
            }
            counts.check_row_bytes(all)?;
            ends.push(u32::try_from(all).map_err(|_| damaged("variable payloads of more than 4 GiB"))?);
        }
        if !indexes.is_empty() {
            return Err(damaged(format!("{} bytes behind the last word", indexes.len())));
        }
        Ok(ends)
    }

    /// The payloads, `length` bytes in all, of indexes that were checked.
    fn write(&self, mut indexes: &[u8], length: usize) -> Vec<u8> {
        // Room behind the last byte, of the words as of the payloads, lets every word be copied as a long one is.
        let mut bytes = Vec::with_capacity(self.bytes.len() + AT_ONCE);
        bytes.extend_from_slice(self.bytes);
        bytes.resize(self.bytes.len() + AT_ONCE, 0);
        let mut data = vec![0; length + AT_ONCE];
        let mut at = 0;
        while let Some((entry, rest)) = split_index(indexes) {
            let (start, length) = self.places.get(entry).copied().unwrap_or_default();
            let from = bytes.get(start..).and_then(<[u8]>::first_chunk::<AT_ONCE>);
            let to = data.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<AT_ONCE>);
            if let (Some(from), Some(to)) = (from, to) {
                *to = *from;
            }
            if length > AT_ONCE {
                let from = bytes.get(start + AT_ONCE..start + length).unwrap_or_default();
                if let Some(to) = data.get_mut(at + AT_ONCE..at + length) {
                    to.copy_from_slice(from);
                }
            }
            at += length;
            indexes = rest;
        }
        data.truncate(length);
        data
    }
}

/// The cells of such a content.
pub(super) fn decode(content: &[u8], rows: u32) -> Result<Cells> {
    let mut cursor = Cursor::new(content, Layer::Cells);
    let (kinds, counts) = parts::read_head(&mut cursor, rows)?;
    if counts.variable == 0 {
        return Err(damaged("words without a text"));
    }
    let fixed = parts::read_fixed(&mut cursor, counts.fixed)?;
    let entries = cursor.u32()? as usize;
    if !(1..=MOST_ENTRIES).contains(&entries) {
        return Err(damaged(format!("{entries} different words; 1 to {MOST_ENTRIES} are allowed")));
    }
    let lengths = numbers::read(&mut cursor, entries)?;
    let word_counts = numbers::read(&mut cursor, counts.variable)?;
    let entries = Entries::read(&mut cursor, &lengths)?;
    let indexes = content.get(cursor.position()..).unwrap_or_default();
    let ends = entries.ends(counts, &word_counts, indexes)?;
    let data = entries.write(indexes, ends.last().map_or(0, |end| *end as usize));
    Cells::from_parts(CellsParts { rows, kinds, fixed, ends, data }).map_err(damaged)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits::MAX_GROUP_BYTES;
    use crate::model::Cell;

    /// The words, however short they are.
    fn all(cells: &Cells) -> Option<Words<'_>> {
        Words::of(cells, cells.data().len(), MOST_ENTRIES)
    }

    fn encoded(cells: &Cells) -> Vec<u8> {
        encode(cells, &all(cells).unwrap())
    }

    fn texts(texts: &[&'static str]) -> Cells {
        Cells::of(&texts.iter().map(|text| Cell::Text(text.as_bytes())).collect::<Vec<_>>())
    }

    fn samples() -> Vec<Cells> {
        vec![
            texts(&["a"]),
            texts(&[
                "the driver waits",
                "",
                "the driver drives, waits",
                "naïve – 日本 日本",
                "a word of more than sixteen letters",
            ]),
            texts(&["incomprehensibilities incomprehensibilities", "x"]),
            Cells::of(&[
                Cell::Null,
                Cell::Text(b"ab cd"),
                Cell::Integer(1),
                Cell::Bytes(b"ab cd\xff"),
                Cell::Real(0.5),
                Cell::RawText(b"ab \xff"),
            ]),
        ]
    }

    #[test]
    fn columns_come_back() {
        for cells in samples() {
            assert_eq!(decode(&encoded(&cells), cells.rows()).unwrap(), cells);
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let cells = texts(&["go on", "", "on on"]);
        let expected: [&[u8]; 6] = [
            &[3, 0, 0, 0, 0, 3, 3, 0, 0, 0],
            // Lengths of " on", "go", "on".
            &[1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0],
            &[1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 2],
            b" ongoon",
            &[1, 0],
            &[2, 0],
        ];
        assert_eq!(encoded(&cells), expected.concat());
    }

    #[test]
    fn indexes_of_every_length_come_back() {
        let edges = [0, 1, 191, 192, 447, 448, 16_319, 16_320, 16_575, 16_576, 81_855];
        let mut out = Vec::new();
        write_indexes(&edges, &mut out);
        assert_eq!(out.len(), 3 + 2 * 4 + 3 * 4);
        assert_eq!(out[..5], [0, 1, 191, 192, 0]);
        assert_eq!(out[9..14], [254, 255, 255, 0, 0]);
        let mut rest = &out[..];
        for edge in edges {
            let (entry, behind) = split_index(rest).unwrap();
            assert_eq!(entry, edge as usize);
            rest = behind;
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn many_different_words_come_back_until_there_are_too_many() {
        let of_words = |count: usize| {
            let words: Vec<String> = (0..count).map(|word| format!("w{word}")).collect();
            Cells::of(&words.iter().map(|word| Cell::Text(word.as_bytes())).collect::<Vec<_>>())
        };
        for count in [191, 192, 193, 16_320, 16_321, MOST_ENTRIES] {
            let cells = of_words(count);
            assert_eq!(decode(&encoded(&cells), cells.rows()).unwrap(), cells, "{count}");
        }
        assert!(all(&of_words(MOST_ENTRIES + 1)).is_none());
    }

    #[test]
    fn cuts_are_refused_and_flips_give_cells_that_could_be() {
        for cells in samples() {
            let content = encoded(&cells);
            for length in 0..content.len() {
                assert!(decode(&content[..length], cells.rows()).is_err(), "cut at {length}");
            }
            assert!(decode(&[&content[..], &[0]].concat(), cells.rows()).is_err());
            for place in 0..content.len() {
                let mut flipped = content.clone();
                for bit in 0..8 {
                    flipped[place] ^= 1 << bit;
                    if let Ok(others) = decode(&flipped, cells.rows()) {
                        assert_eq!(Cells::from_parts(others.clone().into_parts()).unwrap(), others);
                    }
                    flipped[place] ^= 1 << bit;
                }
            }
        }
    }

    /// A block of texts from its parts.
    fn block(lengths: &[u64], counts: &[u64], entries: &[u8], indexes: &[u8]) -> Vec<u8> {
        let mut out = u32::try_from(counts.len()).unwrap().to_le_bytes().to_vec();
        out.extend_from_slice(&[0, 3]);
        out.extend_from_slice(&u32::try_from(lengths.len()).unwrap().to_le_bytes());
        numbers::write(lengths, Codec::FrameOfReference, &mut out);
        numbers::write(counts, Codec::FrameOfReference, &mut out);
        out.extend_from_slice(entries);
        out.extend_from_slice(indexes);
        out
    }

    #[test]
    fn what_no_writer_writes_is_refused() {
        let whole = block(&[2, 1, 1], &[2, 1], b"abcc", &[0, 1, 2]);
        assert_eq!(decode(&whole, 2).unwrap(), texts(&["abc", "c"]), "an entry twice");
        let refusals: [(Vec<u8>, &str); 9] = [
            (block(&[], &[0, 0], b"", &[]), "0 different words"),
            (block(&[0, 2], &[1, 1], b"ab", &[1, 1]), "an empty word"),
            (block(&[u64::MAX, 2], &[1, 1], b"ab", &[1, 1]), "more bytes than memory has"),
            (block(&[1 << 40], &[1, 1], b"ab", &[0, 0]), "at most"),
            (block(&[1], &[1, u64::MAX], b"a", &[0, 0]), "cut off"),
            (block(&[1], &[1, 1], b"a", &[0, 1]), "word 1 of 1"),
            (block(&[1], &[1, 1], b"a", &[0, 192]), "cut off"),
            (block(&[1], &[1, 1], b"a", &[0, 255, 0]), "cut off"),
            (block(&[1], &[1, 1], b"a", &[0, 0, 0]), "1 bytes behind"),
        ];
        for (content, why) in refusals {
            let error = decode(&content, 2).unwrap_err();
            assert!(error.is_damaged(), "{error}");
            assert!(error.to_string().contains(why) || why == "at most", "{error}, not {why}");
        }
        assert!(decode(&block(&[1], &[1], b"\xc3", &[0]), 1).is_err(), "not UTF-8");
        assert!(decode(&[1, 0, 0, 0, 0, 0], 1).is_err(), "no text at all");
    }

    #[test]
    fn a_few_bytes_do_not_become_gigabytes() {
        let large = vec![b'x'; 1 << 20];
        let fits = usize::try_from(MAX_GROUP_BYTES >> 20).unwrap() - 1;
        for (words, decodes) in [(fits, true), (fits + 1, false), (1 << 20, false)] {
            let content = block(&[1 << 20], &[words as u64], &large, &vec![0; words]);
            assert_eq!(decode(&content, 1).is_ok(), decodes, "{words}");
        }
    }

    #[test]
    fn only_words_that_come_again_are_worth_it() {
        let sentence = |seed: usize| {
            let words = ["the", "driver", "waits", "at", "station", "harbour", "slowly", "again"];
            (0..8).map(|at| words[(seed * 31 + at * at * 7 + seed / 8) % 8]).collect::<Vec<_>>().join(" ")
        };
        let column = |text: &dyn Fn(usize) -> String| {
            let texts: Vec<String> = (0..500).map(text).collect();
            Cells::of(&texts.iter().map(|text| Cell::Text(text.as_bytes())).collect::<Vec<_>>())
        };
        assert!(detect(&column(&sentence)).is_some());
        assert!(detect(&column(&|row| format!("{:016x}", row.wrapping_mul(0x9E37_79B9_7F4A_7C15)))).is_none());
        assert!(detect(&column(&|_| "a.b.c.d.e.f".to_owned())).is_none(), "words of two bytes");
        assert!(detect(&column(&|row| format!("N{}", row % 90))).is_none(), "one word each");
        assert!(detect(&Cells::of(&[Cell::Text(b""), Cell::Text(b"")])).is_none());
        assert!(detect(&Cells::of(&[Cell::Integer(1)])).is_none());
        let large = "words ".repeat(MOST_DATA / 6);
        assert!(of(&Cells::of(&[Cell::Text(large.as_bytes())])).is_some());
        let too_large = format!("{large}and more");
        assert!(of(&Cells::of(&[Cell::Text(too_large.as_bytes())])).is_none(), "too much memory");
    }

    proptest! {
        #[test]
        fn any_column_comes_back(texts in proptest::collection::vec(("[ab ]{0,20}|\\PC{0,9}|(ab |cd, |e){0,9}", 0..8_u8), 1..60)) {
            let cells: Vec<Cell<'_>> = texts.iter().map(|(text, kind)| match kind {
                0 => Cell::Null,
                1 => Cell::Integer(5),
                2 => Cell::Bytes(text.as_bytes()),
                _ => Cell::Text(text.as_bytes()),
            }).collect();
            let cells = Cells::of(&cells);
            prop_assume!(!cells.data().is_empty());
            prop_assert_eq!(&decode(&encoded(&cells), cells.rows()).unwrap(), &cells);
        }
    }
}
