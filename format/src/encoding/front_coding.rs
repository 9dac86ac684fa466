//! Front coding: what a payload shares with the beginning of the one before it is not written again (`spec/format.md` §6.6).
//! With nothing shared it is the compact layout of plain texts: lengths are numbers of few bytes.

use super::numbers::{self, Codec};
use super::parts::{self, damaged};
use crate::error::{Layer, Result};
use crate::model::{Cells, CellsParts};
use crate::wire::Cursor;

/// What payloads may share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    /// As much as they do.
    Prefixes,
    /// Nothing: each stands for itself.
    Nothing,
}

/// Neighbours that are compared.
const PAIRS: usize = 512;
/// Bytes that neighbours share on average where it is worth a trial. What they save is not seen by their number: keys of four
/// letters become half as long by two shared ones, timestamps gain nothing by ten.
const WORTH: usize = 1;

/// What payloads may gain by sharing, if there are any; where it is prefixes, a trial says whether they do.
pub(super) fn detect(cells: &Cells) -> Option<Sharing> {
    let ends = cells.ends();
    let last = ends.len().checked_sub(1)?;
    let text = |from: u32, to: u32| cells.data().get(from as usize..to as usize).unwrap_or_default();
    let pairs = PAIRS.min(last);
    let (mut shared, mut start_of_first) = (0, 0);
    for at in 0..pairs {
        let place = at * last / pairs;
        if let Some(before) = place.checked_sub(1) {
            start_of_first = ends.get(before).copied().unwrap_or(0);
        }
        if let Some([middle, end]) = ends.get(place..).and_then(<[u32]>::first_chunk) {
            shared += common_prefix(text(start_of_first, *middle), text(*middle, *end));
        }
    }
    Some(if shared >= WORTH * pairs.max(1) { Sharing::Prefixes } else { Sharing::Nothing })
}

/// How many bytes two texts share at their beginning.
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let mut length = 0;
    for (eight, other) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        let differ = u64::from_le_bytes(*eight) ^ u64::from_le_bytes(*other);
        if differ != 0 {
            return length + differ.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    // So far all is the same; what is left of one of them is shorter than eight bytes.
    let (a, b) = (a.get(length..).unwrap_or_default(), b.get(length..).unwrap_or_default());
    length + a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The content of a block.
pub(super) fn encode(cells: &Cells, sharing: Sharing) -> Vec<u8> {
    let count = cells.ends().len();
    let (mut shared, mut lengths) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut rest = Vec::with_capacity(if sharing == Sharing::Prefixes { cells.data().len() } else { 0 });
    let (mut start, mut before): (u32, &[u8]) = (0, &[]);
    for end in cells.ends() {
        let text = cells.data().get(start as usize..*end as usize).unwrap_or_default();
        start = *end;
        if sharing == Sharing::Nothing {
            lengths.push(text.len() as u64);
            continue;
        }
        let same = common_prefix(before, text);
        let own = text.get(same..).unwrap_or_default();
        shared.push(same as u64);
        lengths.push(own.len() as u64);
        rest.extend_from_slice(own);
        before = text;
    }
    shared.resize(count, 0);
    let rest = if sharing == Sharing::Prefixes { &rest } else { cells.data() };
    let mut out = Vec::with_capacity(rest.len() + 4 * count + 64);
    parts::write_rows(cells, &mut out);
    parts::write_kinds(cells, &mut out);
    parts::write_fixed(cells.fixed(), &mut out);
    numbers::write(&shared, Codec::FrameOfReference, &mut out);
    numbers::write(&lengths, Codec::FrameOfReference, &mut out);
    out.extend_from_slice(rest);
    out
}

/// The cells of such a content.
pub(super) fn decode(content: &[u8], rows: u32) -> Result<Cells> {
    let mut cursor = Cursor::new(content, Layer::Cells);
    let (kinds, counts) = parts::read_head(&mut cursor, rows)?;
    if counts.variable == 0 {
        return Err(damaged("front coding without a text"));
    }
    let fixed = parts::read_fixed(&mut cursor, counts.fixed)?;
    let shared = numbers::read(&mut cursor, counts.variable)?;
    let lengths = numbers::read(&mut cursor, counts.variable)?;
    // All lengths are known, and lead nowhere wrong, before a text gets room.
    let (mut before, mut all, mut own) = (0_u64, 0_u64, 0_u64);
    let mut ends = Vec::with_capacity(counts.variable);
    for (shared, length) in shared.iter().zip(&lengths) {
        if *shared > before {
            return Err(damaged(format!("a text that shares {shared} bytes with one of {before}")));
        }
        own = own.saturating_add(*length);
        before = shared.saturating_add(*length);
        all = all.saturating_add(before);
        counts.check_row_bytes(all)?;
        ends.push(u32::try_from(all).map_err(|_| damaged("variable payloads of more than 4 GiB"))?);
    }
    let mut rest = cursor.take(usize::try_from(own).map_err(|_| damaged("texts of more bytes than memory has"))?)?;
    cursor.finish()?;
    let data = if own == all {
        rest.to_vec()
    } else {
        let mut data = Vec::with_capacity(usize::try_from(all).unwrap_or(0));
        let mut start = 0;
        for ((shared, length), end) in shared.iter().zip(&lengths).zip(&ends) {
            // Both are below the row bytes that were checked.
            let (shared, length) = (usize::try_from(*shared).unwrap_or(0), usize::try_from(*length).unwrap_or(0));
            data.extend_from_within(start..start + shared);
            let (text, behind) = rest.split_at_checked(length).unwrap_or_default();
            data.extend_from_slice(text);
            rest = behind;
            start = *end as usize - shared - length;
        }
        data
    };
    Cells::from_parts(CellsParts { rows, kinds, fixed, ends, data }).map_err(damaged)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits::{MAX_GROUP_BYTES, MAX_GROUP_ROWS};
    use crate::model::Cell;

    const BOTH: [Sharing; 2] = [Sharing::Prefixes, Sharing::Nothing];

    fn column<'a>(cells: impl IntoIterator<Item = Cell<'a>>) -> Cells {
        let mut column = Cells::new();
        for cell in cells {
            column.push(&cell).unwrap();
        }
        column
    }

    fn texts(texts: &[&'static str]) -> Cells {
        column(texts.iter().map(|text| Cell::Text(text.as_bytes())))
    }

    fn samples() -> Vec<Cells> {
        let names: Vec<String> = (0..40).map(|at| format!("libboost-{}-dev{}", at / 7, at % 7)).collect();
        vec![
            texts(&[""]),
            texts(&["aa", "aab", "", "aab", "aab", "b"]),
            texts(&["é", "è", "éa"]),
            column(names.iter().map(|name| Cell::Text(name.as_bytes()))),
            column([
                Cell::Null,
                Cell::Text(b"ab"),
                Cell::Integer(1),
                Cell::Bytes(b"abc"),
                Cell::Real(0.5),
                Cell::RawText(b"ab\xff"),
            ]),
        ]
    }

    #[test]
    fn prefixes_are_counted_to_the_byte() {
        for length in 0..40 {
            let a = vec![b'x'; length];
            for other in 0..40 {
                assert_eq!(common_prefix(&a, &vec![b'x'; other]), length.min(other));
            }
            for place in 0..length {
                let mut b = a.clone();
                b[place] ^= 0x80;
                assert_eq!(common_prefix(&a, &b), place);
            }
        }
    }

    #[test]
    fn columns_come_back() {
        for cells in samples() {
            for sharing in BOTH {
                assert_eq!(decode(&encode(&cells, sharing), cells.rows()).unwrap(), cells);
            }
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let expected: [&[u8]; 4] = [
            &[3, 0, 0, 0, 0, 3],
            &[1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 3],
            &[1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0],
            b"abcxd",
        ];
        assert_eq!(encode(&texts(&["abc", "abx", "abxd"]), Sharing::Prefixes), expected.concat());
    }

    #[test]
    fn cuts_are_refused_and_flips_give_cells_that_could_be() {
        for cells in samples() {
            for sharing in BOTH {
                let content = encode(&cells, sharing);
                for length in 0..content.len() {
                    assert!(decode(&content[..length], cells.rows()).is_err(), "cut at {length}");
                }
                assert!(decode(&[&content[..], &[0]].concat(), cells.rows()).is_err());
                for place in 0..content.len() {
                    let mut flipped = content.clone();
                    for bit in 0..8 {
                        flipped[place] ^= 1 << bit;
                        if let Ok(others) = decode(&flipped, cells.rows()) {
                            assert_eq!(column(others.iter()), others);
                        }
                        flipped[place] ^= 1 << bit;
                    }
                }
            }
        }
    }

    /// A block of texts: kinds, then numbers, then bytes.
    fn block(rows: u32, shared: &[u64], lengths: &[u64], rest: &[u8]) -> Vec<u8> {
        let mut out = rows.to_le_bytes().to_vec();
        out.extend_from_slice(&[0, 3]);
        numbers::write(shared, Codec::FrameOfReference, &mut out);
        numbers::write(lengths, Codec::FrameOfReference, &mut out);
        out.extend_from_slice(rest);
        out
    }

    #[test]
    fn what_no_writer_writes_is_refused() {
        assert_eq!(decode(&block(2, &[0, 2], &[2, 1], b"abc"), 2).unwrap(), texts(&["ab", "abc"]));
        assert!(decode(&block(2, &[0, 3], &[2, 1], b"abc"), 2).is_err(), "more than there is");
        assert!(decode(&block(2, &[1, 1], &[2, 1], b"abc"), 2).is_err(), "with nothing before");
        assert!(decode(&block(2, &[0, 0], &[1, u64::MAX], b"abc"), 2).is_err(), "lengths beyond all sums");
        assert!(decode(&block(1, &[0], &[u64::MAX], b""), 1).is_err());
        assert!(decode(&[1, 0, 0, 0, 0, 0], 1).is_err(), "no text at all");
        assert!(decode(&block(2, &[0, 1], &[2, 1], "éé".as_bytes()), 2).is_err(), "not UTF-8");
    }

    #[test]
    fn few_bytes_do_not_become_more_than_a_row_group_has() {
        let text = [b'x'; 1000];
        let fits = u32::try_from(MAX_GROUP_BYTES / 1005).unwrap();
        for (rows, decodes) in [(fits, true), (fits + 1, false), (MAX_GROUP_ROWS, false)] {
            let (mut shared, mut lengths) = (vec![1000; rows as usize], vec![0; rows as usize]);
            (shared[0], lengths[0]) = (0, 1000);
            assert_eq!(decode(&block(rows, &shared, &lengths, &text), rows).is_ok(), decodes, "{rows}");
        }
        let rows = MAX_GROUP_ROWS + 1;
        assert!(decode(&block(rows, &vec![0; rows as usize], &vec![0; rows as usize], b""), rows).is_err());
    }

    #[test]
    fn neighbours_say_what_is_shared() {
        assert_eq!(detect(&samples()[3]), Some(Sharing::Prefixes));
        assert_eq!(detect(&texts(&["red", "green", "blue"])), Some(Sharing::Nothing));
        assert_eq!(detect(&texts(&["alone"])), Some(Sharing::Nothing));
        assert_eq!(detect(&column([Cell::Integer(1)])), None);
    }

    proptest! {
        #[test]
        fn any_column_comes_back(texts in proptest::collection::vec(("[ab]{0,20}|\\PC{0,9}", 0..8_u8), 1..60)) {
            let cells = column(texts.iter().map(|(text, kind)| match kind {
                0 => Cell::Null,
                1 => Cell::Integer(5),
                2 => Cell::Bytes(text.as_bytes()),
                _ => Cell::Text(text.as_bytes()),
            }));
            for sharing in BOTH {
                prop_assume!(!cells.ends().is_empty());
                prop_assert_eq!(&decode(&encode(&cells, sharing), cells.rows()).unwrap(), &cells);
            }
        }
    }
}
