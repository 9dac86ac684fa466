//! Typed text: texts that are values written in one way, as those values (`spec/format.md` §6.5).
//!
//! Each pattern takes only texts that it writes back bit for bit; every other is an exception, kept as it is.

mod date;
pub(super) mod detect;
mod digits;
mod hexadecimal;
mod numbered;
mod pattern;
mod timestamp;
mod uuid;

use super::Profile;
use super::codec_choice;
use super::numbers::{self, Codec};
use super::parts::{self, Counts, damaged};
use crate::error::{Layer, Result};
use crate::model::{Cells, CellsParts};
use crate::wire::Cursor;
use pattern::{AsBytes, AsNumber};

pub(super) use pattern::Pattern;

/// Rows whose values are turned into planes or back at a time.
const RUN: usize = 256;

/// The content of a block: texts that the pattern takes as values, all others as they are.
pub(super) fn encode(cells: &Cells, pattern: &Pattern, profile: Profile) -> Vec<u8> {
    let mut out = Vec::with_capacity(cells.data().len() / 2 + 64);
    parts::write_rows(cells, &mut out);
    parts::write_kinds(cells, &mut out);
    parts::write_fixed(cells.fixed(), &mut out);
    pattern.write(&mut out);
    match pattern {
        Pattern::Date(form) => write_numbers(cells, form, profile, &mut out),
        Pattern::Timestamp(form) => write_numbers(cells, form, profile, &mut out),
        Pattern::Numbered(form) => write_numbers(cells, form, profile, &mut out),
        Pattern::Uuid(form) => write_bytes(cells, form, &mut out),
        Pattern::Hexadecimal(form) => write_bytes(cells, form, &mut out),
    }
    out
}

fn write_numbers(cells: &Cells, form: &impl AsNumber, profile: Profile, out: &mut Vec<u8>) {
    let mut values = Vec::with_capacity(cells.ends().len());
    write_exceptions(cells, out, |text| {
        values.push(form.parse(text)?.cast_unsigned());
        Some(())
    });
    codec_choice::write_best(&values, profile, out);
}

fn write_bytes(cells: &Cells, form: &impl AsBytes, out: &mut Vec<u8>) {
    let width = form.width();
    let mut values = Vec::new();
    write_exceptions(cells, out, |text| {
        let length = values.len();
        let taken = form.parse(text, &mut values);
        if taken.is_none() {
            values.truncate(length);
        }
        taken
    });
    let count = values.len() / width.max(1);
    let start = out.len();
    out.resize(start + values.len(), 0);
    let planes = out.get_mut(start..).unwrap_or_default();
    for (number, run) in values.chunks(RUN * width).enumerate() {
        for (place, plane) in planes.chunks_exact_mut(count.max(1)).enumerate() {
            let part = plane.get_mut(number * RUN..).unwrap_or_default();
            for (byte, value) in part.iter_mut().zip(run.iter().skip(place).step_by(width)) {
                *byte = *value;
            }
        }
    }
}

/// Writes what `take` does not.
fn write_exceptions(cells: &Cells, out: &mut Vec<u8>, mut take: impl FnMut(&[u8]) -> Option<()>) {
    let (mut places, mut ends, mut data) = (Vec::new(), Vec::new(), Vec::new());
    let (mut start, mut end_of_data) = (0, 0_u32);
    for (place, end) in (0_u64..).zip(cells.ends()) {
        let text = cells.data().get(start as usize..*end as usize).unwrap_or_default();
        if take(text).is_none() {
            places.push(place);
            data.extend_from_slice(text);
            end_of_data += end - start;
            ends.push(end_of_data);
        }
        start = *end;
    }
    let count = u32::try_from(places.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&count.to_le_bytes());
    if count > 0 {
        numbers::write(&places, Codec::Delta, out);
    }
    parts::write_variable(&ends, &data, out);
}

/// The cells of such a content.
pub(super) fn decode(content: &[u8], rows: u32) -> Result<Cells> {
    let mut cursor = Cursor::new(content, Layer::Cells);
    let (kinds, counts) = parts::read_head(&mut cursor, rows)?;
    if counts.variable == 0 {
        return Err(damaged("typed text without a text"));
    }
    let fixed = parts::read_fixed(&mut cursor, counts.fixed)?;
    let pattern = Pattern::read(&mut cursor)?;
    let exceptions = Exceptions::read(&mut cursor, counts.variable)?;
    let texts = Texts { cursor: &mut cursor, counts, exceptions };
    let (ends, data) = match &pattern {
        Pattern::Date(form) => texts.of_numbers(form),
        Pattern::Timestamp(form) => texts.of_numbers(form),
        Pattern::Numbered(form) => texts.of_numbers(form),
        Pattern::Uuid(form) => texts.of_bytes(form),
        Pattern::Hexadecimal(form) => texts.of_bytes(form),
    }?;
    cursor.finish()?;
    Cells::from_parts(CellsParts { rows, kinds, fixed, ends, data }).map_err(damaged)
}

/// Texts that the pattern does not take, and where they stand.
struct Exceptions<'a> {
    places: Vec<usize>,
    ends: Vec<u32>,
    data: &'a [u8],
}

impl<'a> Exceptions<'a> {
    fn read(cursor: &mut Cursor<'a>, texts: usize) -> Result<Self> {
        let count = cursor.u32()? as usize;
        if count > texts {
            return Err(damaged(format!("{count} exceptions of {texts} texts")));
        }
        let places = if count > 0 { numbers::read_places(cursor, count, texts)? } else { Vec::new() };
        let (ends, data) = parts::read_variable(cursor, count)?;
        Ok(Self { places, ends, data })
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &'a [u8])> {
        let mut start = 0;
        self.places.iter().zip(&self.ends).map(move |(place, end)| {
            let text = self.data.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            (*place, text)
        })
    }
}

/// All variable payloads of a block whose values are yet to be read.
struct Texts<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    counts: Counts,
    exceptions: Exceptions<'a>,
}

impl Texts<'_, '_> {
    fn values(&self) -> usize {
        self.counts.variable - self.exceptions.places.len()
    }

    fn of_numbers(self, form: &impl AsNumber) -> Result<(Vec<u32>, Vec<u8>)> {
        let values = numbers::read(self.cursor, self.values())?;
        let length = values.iter().map(|value| form.length(value.cast_signed()) as u64).sum();
        let mut values = values.into_iter();
        self.weave(length, |out| form.append(values.next()?.cast_signed(), out))
    }

    fn of_bytes(self, form: &impl AsBytes) -> Result<(Vec<u32>, Vec<u8>)> {
        let (count, width) = (self.values(), form.width());
        let length = count as u64 * form.length() as u64;
        self.counts.check_row_bytes(length)?;
        let planes = self.cursor.take(count * width)?;
        let mut values = vec![0; planes.len()];
        for (number, run) in values.chunks_mut(RUN * width).enumerate() {
            for (place, plane) in planes.chunks_exact(count.max(1)).enumerate() {
                let part = plane.get(number * RUN..).unwrap_or_default();
                for (value, byte) in run.iter_mut().skip(place).step_by(width).zip(part) {
                    *value = *byte;
                }
            }
        }
        let mut values = values.chunks_exact(width);
        self.weave(length, |out| form.append(values.next()?, out))
    }

    /// Puts texts and exceptions in row order: the end of each and all their bytes. `length` is the bytes of all texts
    /// that `next` writes, one at a time.
    fn weave(&self, length: u64, mut next: impl FnMut(&mut Vec<u8>) -> Option<()>) -> Result<(Vec<u32>, Vec<u8>)> {
        let all = length.saturating_add(self.exceptions.data.len() as u64);
        self.counts.check_row_bytes(all)?;
        let count = self.counts.variable;
        let mut ends = Vec::with_capacity(count);
        let mut data = Vec::with_capacity(usize::try_from(all).unwrap_or(0));
        let mut write = |from: usize, to: usize, data: &mut Vec<u8>, ends: &mut Vec<u32>| {
            for _ in from..to {
                next(data).ok_or_else(|| damaged("a value that its pattern cannot write"))?;
                ends.push(end_of(data)?);
            }
            Ok(())
        };
        let mut done = 0;
        for (place, text) in self.exceptions.iter() {
            write(done, place, &mut data, &mut ends)?;
            data.extend_from_slice(text);
            ends.push(end_of(&data)?);
            done = place + 1;
        }
        write(done, count, &mut data, &mut ends)?;
        Ok((ends, data))
    }
}

fn end_of(data: &[u8]) -> Result<u32> {
    u32::try_from(data.len()).map_err(|_| damaged("variable payloads of more than 4 GiB"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::super::plain::canonical;
    use super::*;
    use crate::limits::{MAX_GROUP_BYTES, MAX_GROUP_ROWS};
    use crate::model::Cell;

    const PROFILES: [Profile; 2] = [Profile::Standard, Profile::Fast];

    fn column(texts: &[&str]) -> Cells {
        let mut cells = Cells::new();
        for text in texts {
            cells.push(&Cell::Text(text.as_bytes())).unwrap();
        }
        cells
    }

    /// The pattern whose block begins with these bytes.
    fn pattern(bytes: &[u8]) -> Pattern {
        let mut cursor = Cursor::new(bytes, Layer::Cells);
        let pattern = Pattern::read(&mut cursor).unwrap();
        cursor.finish().unwrap();
        let mut out = Vec::new();
        pattern.write(&mut out);
        assert_eq!(out, bytes);
        pattern
    }

    /// Each pattern with different parameters.
    fn patterns() -> Vec<Pattern> {
        let all: [&[u8]; 13] = [
            b"\x01",
            b"\x02 \x00\x00",
            b"\x02T\x03\x01Z",
            b"\x02 \x06\x06+00:00",
            b"\x02T\x09\x00",
            b"\x03\x00",
            b"\x03\x01",
            b"\x04\x00\x02\x00\x00\x00",
            b"\x04\x01\x02\x00\x00\x00",
            b"\x05\x00\x00",
            b"\x05\x00\x12",
            b"\x05\x05item-\x00",
            b"\x05\x01A\x01",
        ];
        all.into_iter().map(pattern).collect()
    }

    /// Columns with texts that this pattern takes, some that it nearly takes, and cells of every other kind.
    fn samples() -> Vec<Cells> {
        let near = [
            "",
            "0",
            "7",
            "-7",
            "+7",
            "007",
            "1e3",
            "٣",
            "2023-02-29",
            "2024-02-29",
            "2024-01-01 24:00:00",
            "2024-01-01 23:59:59",
            "2024-01-01T05:16:22.040Z",
            "2024-01-01T05:16:22.04Z",
            "2262-04-11T23:47:16.854775807",
            "2262-04-11T23:47:16.854775808",
            "9999-12-31 23:59:59.999999+00:00",
            "138ebbcd-1515-430e-bf58-b620c4052a8c",
            "138EBBCD-1515-430E-BF58-B620C4052A8C",
            "138ebbcd-1515-430E-bf58-b620c4052a8c",
            "00ff",
            "00FF",
            "00Ff",
            "0xABCDE",
            "a",
            "item-0",
            "item-12",
            "item-012",
            "item-9223372036854775807",
            "9223372036854775808",
            "A1",
            "A",
            "27-918-335-1736",
            "27-918-335-173６",
            "123456789012345678",
        ];
        let mut mixed = Cells::new();
        for (at, text) in near.iter().enumerate() {
            let others =
                [Cell::Null, Cell::Integer(7), Cell::Bytes(text.as_bytes()), Cell::RawText(b"\xff7"), Cell::Real(0.5)];
            mixed.push(&others[at % others.len()]).unwrap();
            mixed.push(&Cell::Text(text.as_bytes())).unwrap();
        }
        let mut nullable = Cells::new();
        for cell in [Cell::Null, Cell::Text(b"2024-02-29"), Cell::Null, Cell::Text(b"2024-03-01")] {
            nullable.push(&cell).unwrap();
        }
        vec![column(&near), mixed, nullable, column(&["2024-01-01"]), column(&["x", "y"])]
    }

    #[test]
    fn every_pattern_gives_every_column_back() {
        for cells in samples() {
            for pattern in patterns() {
                for profile in PROFILES {
                    let content = encode(&cells, &pattern, profile);
                    assert_eq!(decode(&content, cells.rows()).unwrap(), cells, "{pattern:?}");
                }
            }
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let cells = column(&["1970-01-02", "never", "1970-01-04"]);
        let content = encode(&cells, &Pattern::read(&mut Cursor::new(&[1], Layer::Cells)).unwrap(), Profile::Fast);
        let expected: [&[u8]; 9] = [
            &[3, 0, 0, 0, 0, 3],          // rows, kinds
            &[1],                         // pattern
            &[1, 0, 0, 0],                // exceptions
            &[2, 1, 0, 0, 0, 0, 0, 0, 0], // places: delta from 1,
            &[0, 0, 0, 0, 0, 0, 0, 0, 0], // of steps without planes
            &[5, 0, 0, 0],                // lengths
            b"never",                     // payloads
            &[2, 1, 0, 0, 0, 0, 0, 0, 0], // values: delta from 1,
            &[2, 0, 0, 0, 0, 0, 0, 0, 0], // of steps of 2 without planes
        ];
        assert_eq!(content, expected.concat());
        let uuids = column(&["00010203-0405-0607-0809-0a0b0c0d0e0f", "10111213-1415-1617-1819-1a1b1c1d1e1f"]);
        let content = encode(&uuids, &pattern(&[3, 0]), Profile::Fast);
        let planes: Vec<u8> = (0..16).flat_map(|byte| [byte, 16 + byte]).collect();
        assert_eq!(content, [&[2, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0], planes.as_slice()].concat());
    }

    #[test]
    fn cuts_are_refused_and_flips_give_cells_that_could_be() {
        for cells in samples() {
            for pattern in patterns() {
                let content = encode(&cells, &pattern, Profile::Fast);
                for length in 0..content.len() {
                    assert!(decode(&content[..length], cells.rows()).is_err(), "{pattern:?} cut at {length}");
                }
                assert!(decode(&[&content[..], &[0]].concat(), cells.rows()).is_err());
                for place in 0..content.len() {
                    let mut flipped = content.clone();
                    for bit in 0..8 {
                        flipped[place] ^= 1 << bit;
                        if let Ok(others) = decode(&flipped, cells.rows()) {
                            let pushed = others.iter().fold(Cells::new(), |mut all, cell| {
                                all.push(&cell).unwrap();
                                all
                            });
                            assert_eq!(pushed, others);
                        }
                        flipped[place] ^= 1 << bit;
                    }
                }
            }
        }
    }

    #[test]
    fn what_no_writer_writes_is_refused() {
        // One row of text, and then: pattern, no exceptions or one, no payload of exceptions, one value.
        let content = |pattern: &[u8], rest: &[u8]| [&[1, 0, 0, 0, 0, 3], pattern, rest].concat();
        let value = |value: i64| [&[0, 0, 0, 0, 0], value.to_le_bytes().as_slice()].concat();
        assert_eq!(decode(&content(&[1], &value(0)), 1).unwrap(), column(&["1970-01-01"]));
        let refused: [(&[u8], Vec<u8>); 14] = [
            (b"\x00", value(0)),
            (b"\x06", value(0)),
            (b"\x01", value(2_932_897)),
            (b"\x02 \x00\x00", value(i64::MAX)),
            (b"\x02_\x00\x00", value(0)),
            (b"\x02 \x0a\x00", value(0)),
            (b"\x02 \x00\x09UTC+00:00", value(0)),
            (b"\x03\x02", vec![0; 20]),
            (b"\x04\x00\x00\x00\x00\x00", vec![0; 4]),
            (b"\x04\x00\x01\x00\x01\x00", vec![0; 4 + 65_537]),
            (b"\x05\x00\x00", value(-1)),
            (b"\x05\x00\x01", value(10)),
            (b"\x05\x00\x13", value(10)),
            (b"\x01", [&[2, 0, 0, 0][..], &[0; 64]].concat()),
        ];
        for (pattern, rest) in refused {
            assert!(decode(&content(pattern, &rest), 1).unwrap_err().is_damaged(), "{pattern:?}");
        }
        let without_texts = [&[1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0][..]].concat();
        assert!(decode(&without_texts, 1).unwrap_err().message().contains("without a text"));
        let not_utf8 = content(b"\x05\x01\xff\x00", &value(1));
        assert!(decode(&not_utf8, 1).unwrap_err().message().contains("UTF-8"));
    }

    #[test]
    fn few_bytes_do_not_become_more_than_a_row_group_has() {
        // Hexadecimal digits of so many bytes; their planes are never looked for.
        let why = |bytes: u32| {
            let parts: [&[u8]; 4] = [&MAX_GROUP_ROWS.to_le_bytes(), &[0, 3, 4, 0], &bytes.to_le_bytes(), &[0; 4]];
            decode(&parts.concat(), MAX_GROUP_ROWS).unwrap_err().message().to_owned()
        };
        let fits = u32::try_from((MAX_GROUP_BYTES / u64::from(MAX_GROUP_ROWS) - 5) / 2).unwrap();
        assert!(why(fits).contains("bytes needed"));
        assert!(why(fits + 1).contains("row bytes"));
        assert!(why(65_536).contains("row bytes"));
        for rows in [0, MAX_GROUP_ROWS + 1] {
            assert!(decode(&[&rows.to_le_bytes()[..], &[0, 3, 1, 0, 0, 0, 0, 1], &[0; 9]].concat(), rows).is_err());
        }
    }

    /// Texts near what the patterns take.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[0-9]{4}-[01][0-9]-[0-3][0-9]",
            "(19|20|99|00)[0-9]{2}-[01][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,10})?(Z|[+-]0[0-9]:00)?",
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-fA]{4}-[0-9a-f]{12}",
            "(0x|sha:)?[0-9a-f]{1,40}",
            "(0X)?[0-9A-F]{1,40}",
            "(item-|[+-])?[0-9]{1,20}",
            "[0-9]{2}-[0-9]{3}-[0-9]{3,4}",
            "\\PC{0,12}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_column_comes_back_from_the_pattern_of_any_text(
            texts in proptest::collection::vec((text(), 0..10_u8), 0..60),
            anchor in text(),
        ) {
            let mut cells = Cells::new();
            // A block without any text is another encoding's.
            for (text, kind) in texts.iter().chain([&(anchor.clone(), 9)]) {
                let cell = match kind {
                    0 => Cell::Null,
                    1 => Cell::Integer(5),
                    2 => Cell::Bytes(text.as_bytes()),
                    _ => Cell::Text(text.as_bytes()),
                };
                cells.push(&cell).unwrap();
            }
            // A column without any text is in no pattern.
            prop_assume!(!cells.ends().is_empty());
            let of_texts = texts.iter().flat_map(|(text, _)| detect::candidates(text.as_bytes()));
            let near = detect::candidates(anchor.as_bytes()).chain(of_texts);
            for pattern in near.chain(detect::detect(&cells)) {
                let content = encode(&cells, &pattern, Profile::Fast);
                let again = decode(&content, cells.rows()).unwrap();
                prop_assert_eq!(canonical(&again), canonical(&cells));
            }
        }
    }
}
