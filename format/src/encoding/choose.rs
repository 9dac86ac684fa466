//! Which encoding makes a column smallest: those that may apply encode a sample, and what Zstandard leaves of that decides.
//! Where texts have a pattern, neither plain nor front coding is tried: values are smaller than the texts that write them.
//!
//! A dictionary is the exception: how many different cells a column has, no sample says. It is made of the whole column,
//! where the sample repeats itself, and given up as soon as it grows too large.

use super::codec_choice::{self, Choice, slower};
use super::decimal::{self, Decimals};
use super::dictionary::{self, Dictionary};
use super::front_coding::{self, Sharing};
use super::numbers::Codec;
use super::pco::{self, Meaning};
use super::typed_text::{self, Pattern};
use super::words::{self, Words};
use super::{EncodedCells, Encoding, Profile, frame_of_reference, number_column, parts, plain, sample, trial};
use crate::model::{Cell, CellKind, Cells, Kinds};

/// Blocks smaller than this stay plain: they share a frame with others, and are compressed together.
const LEAST_BYTES: u64 = 512;

/// Columns of at most so many different cells are tried in no other way.
const FEW: u32 = 256;

/// An encoding with all that was found out about how to write it.
enum Candidate<'a> {
    Numbers(Choice),
    Decimal(usize, Choice),
    Dictionary(Dictionary, Choice),
    TypedText(Pattern),
    FrontCoding(Sharing),
    Words(Words<'a>),
}

/// The candidate that promises to be smallest so far; none is plain.
struct Best<'a> {
    candidate: Option<Candidate<'a>>,
    cost: usize,
}

impl<'a> Best<'a> {
    fn consider(&mut self, cost: usize, candidate: Candidate<'a>) {
        if cost < self.cost {
            *self = Self { candidate: Some(candidate), cost };
        }
    }
}

/// Encodes cells.
pub(super) fn encode(cells: &Cells, profile: Profile) -> EncodedCells {
    if cells.logical_bytes() < LEAST_BYTES || !parts::are_within_limits(cells) {
        return as_plain(cells);
    }
    match sample::of(cells).and_then(|sample| choose(cells, &sample, profile)) {
        Some(candidate) => write(cells, candidate, profile),
        None => as_plain(cells),
    }
}

fn choose<'a>(cells: &'a Cells, sample: &Cells, profile: Profile) -> Option<Candidate<'a>> {
    let decimals = if sample.fixed().is_empty() { None } else { decimals(sample) };
    let numbers = decimals.as_ref().map_or(sample.fixed(), |(_, decimals)| &decimals.decimals);
    // A dictionary's indexes are no narrower than one byte.
    let is_narrow = !sample.fixed().is_empty() && sample.ends().is_empty() && frame_of_reference::range(numbers).1 <= 1;
    let pattern = typed_text::detect::detect(sample);
    // Where values are small in themselves, only few different ones are smaller by a dictionary.
    let most = if sample.ends().is_empty() || pattern.is_some() { sample.rows() / 8 } else { sample.rows() / 2 };
    let dictionary = if is_narrow { None } else { dictionary_of(cells, sample, most) };

    // What stands alone is taken, whatever it costs.
    let is_contested = dictionary.is_some() || !(sample.fixed().is_empty() || sample.ends().is_empty());
    let scaled = |cost: usize| trial::scaled(cost, sample.rows() as usize, cells.rows() as usize);
    let cost_of = |bytes: &[u8]| scaled(trial::compressed_length(bytes));
    let mut best = Best { candidate: None, cost: usize::MAX };
    if let Some((exponent, decimals)) = decimals {
        let choice = codec_choice::choose(&decimals.decimals, Meaning::Integers, profile);
        let cost = if is_contested { cost_of(&decimal::encode(sample, &decimals, choice, profile)) } else { 0 };
        best.consider(cost, Candidate::Decimal(exponent, choice));
    } else if !sample.fixed().is_empty() {
        let choice = codec_choice::choose(cells.fixed(), meaning(cells), profile);
        let around = || cost_of(&number_column::encode(&parts::without_fixed(sample), Codec::Plain));
        let cost = if is_contested { choice.cost + around() } else { 0 };
        best.consider(cost, Candidate::Numbers(choice));
    }
    let mut is_of_few = false;
    if let Some(dictionary) = dictionary {
        is_of_few = dictionary.entries.rows() <= FEW;
        let choice = codec_choice::choose(&dictionary.indexes, Meaning::Integers, profile);
        let entries = trial::compressed_length(&plain::canonical(&dictionary.entries));
        best.consider(slower(entries + choice.cost), Candidate::Dictionary(dictionary, choice));
    }
    if !sample.ends().is_empty() && !is_of_few {
        if let Some(pattern) = pattern {
            let cost = if is_contested { cost_of(&typed_text::encode(sample, &pattern, profile)) } else { 0 };
            best.consider(cost, Candidate::TypedText(pattern));
        } else {
            // What is slower than plain must be better than it, not only better than all else.
            let plain = cost_of(&plain::canonical(sample));
            if plain < best.cost {
                best = Best { candidate: None, cost: plain };
            }
            if let Some(sharing) = front_coding::detect(sample) {
                let cost = cost_of(&front_coding::encode(sample, sharing));
                best.consider(cost, Candidate::FrontCoding(sharing));
            }
            // How many different words a column has, no sample says: all are found where those of the sample promise enough.
            if let Some(cost) = words::detect(sample).map(scaled)
                && slower(cost) < best.cost
                && let Some(words) = words::of(cells)
            {
                best.consider(slower(cost + words::cost_of_entries(&words)), Candidate::Words(words));
            }
        }
    }
    best.candidate
}

/// What the fixed payloads stand for. Where integers and reals are mixed, their bits are no more than that.
fn meaning(cells: &Cells) -> Meaning {
    let has = |kind: CellKind| match cells.kinds() {
        Kinds::Uniform(uniform) => *uniform == kind,
        Kinds::Mixed(kinds) => kinds.contains(&kind),
    };
    if has(CellKind::Real) && !has(CellKind::Integer) { Meaning::Reals } else { Meaning::Integers }
}

/// The exponent and the decimals of a sample with reals.
fn decimals(sample: &Cells) -> Option<(usize, Decimals)> {
    let reals = sample.iter().filter_map(|cell| match cell {
        Cell::Real(value) => Some(value),
        _ => None,
    });
    let exponent = decimal::exponent_of(reals)?;
    Some((exponent, Decimals::of(sample, exponent)?))
}

/// A dictionary of all cells, if the sample has at most so many different ones and they repeat themselves too.
fn dictionary_of(cells: &Cells, sample: &Cells, most: u32) -> Option<Dictionary> {
    Dictionary::of(sample, most as usize)?;
    Some(Dictionary::of(cells, cells.rows() as usize / 4)?.sorted())
}

fn as_plain(cells: &Cells) -> EncodedCells {
    let mut bytes = vec![Encoding::Plain.number()];
    plain::write(cells, &mut bytes);
    EncodedCells { encoding: Encoding::Plain, bytes, compressible: true, different: None }
}

fn write(cells: &Cells, candidate: Candidate<'_>, profile: Profile) -> EncodedCells {
    let encoded = |encoding, bytes| EncodedCells { encoding, bytes, compressible: true, different: None };
    let in_planes = || encoded(Encoding::FrameOfReference, number_column::encode(cells, Codec::FrameOfReference));
    let after = |encoding: Encoding, content: Vec<u8>| {
        let mut bytes = content;
        bytes.insert(0, encoding.number());
        encoded(encoding, bytes)
    };
    match candidate {
        Candidate::Numbers(choice) => match choice.codec {
            Codec::Pco => match pco::pack(cells.fixed(), meaning(cells), choice.steps, choice.effort) {
                Some(packed) => EncodedCells {
                    // Where numbers are all there is, nothing is left to compress.
                    compressible: !matches!(cells.kinds(), Kinds::Uniform(_)),
                    ..encoded(Encoding::Pco, number_column::encode_packed(cells, &packed))
                },
                None => as_plain(cells),
            },
            Codec::Delta => encoded(Encoding::Delta, number_column::encode(cells, Codec::Delta)),
            Codec::Plain | Codec::FrameOfReference => in_planes(),
        },
        Candidate::Decimal(exponent, choice) => match Decimals::of(cells, exponent) {
            Some(decimals) => EncodedCells {
                compressible: choice.codec != Codec::Pco || !decimals.are_all(),
                ..encoded(Encoding::Decimal, decimal::encode(cells, &decimals, choice, profile))
            },
            // The sample was better than the column.
            None => in_planes(),
        },
        Candidate::Dictionary(dictionary, choice) => {
            let bytes = dictionary::encode(cells, &dictionary, choice);
            let entries = dictionary.entries.logical_bytes();
            let compressible = choice.codec != Codec::Pco || entries * 20 > bytes.len() as u64;
            let different = Some(dictionary.entries);
            EncodedCells { compressible, different, ..encoded(Encoding::Dictionary, bytes) }
        }
        Candidate::TypedText(pattern) => after(Encoding::TypedText, typed_text::encode(cells, &pattern, profile)),
        Candidate::FrontCoding(sharing) => after(Encoding::FrontCoding, front_coding::encode(cells, sharing)),
        Candidate::Words(words) => after(Encoding::Words, words::encode(cells, &words)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encoding;

    const ROWS: i64 = 5000;

    fn column<T: AsRef<[u8]>>(text: impl Fn(i64) -> T) -> Cells {
        let mut column = Cells::new();
        for row in 0..ROWS {
            column.push(&Cell::Text(text(row).as_ref())).unwrap();
        }
        column
    }

    fn numbers(cell: impl Fn(i64) -> Cell<'static>) -> Cells {
        let mut column = Cells::new();
        for row in 0..ROWS {
            column.push(&cell(row)).unwrap();
        }
        column
    }

    /// Looks like noise.
    fn mixed(row: i64) -> i64 {
        let mut word = row.cast_unsigned().wrapping_add(0x9E37_79B9_7F4A_7C15);
        for _ in 0..2 {
            word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        }
        (word >> 8).cast_signed()
    }

    /// Eight words of twelve, in ever another order.
    fn sentence(row: i64) -> String {
        const WORDS: [&str; 12] = [
            "driver", "waits", "at", "the", "station", "harbour", "slowly", "again", "before", "noon", "without",
            "asking",
        ];
        let words = (0..8).map(|at| WORDS[usize::try_from(mixed(row * 8 + at) % 12).unwrap()]);
        words.collect::<Vec<_>>().join(" ")
    }

    /// The encoding chosen; whatever it is, the cells come back.
    fn chosen(cells: &Cells, profile: Profile) -> Encoding {
        let canonical = plain::canonical(cells);
        let encoded = encode(cells, profile);
        let (encoding, again) = encoding::decode(&encoded.bytes, cells.rows()).unwrap();
        assert_eq!(encoding, encoded.encoding);
        assert_eq!(plain::canonical(&again), canonical);
        assert_eq!(encode(cells, profile).bytes, encoded.bytes, "the same cells give the same bytes");
        encoding
    }

    #[test]
    fn each_encoding_wins_where_it_should() {
        let colours = ["red", "green", "ultraviolet", ""];
        let text = column(|row| format!("{:x} is no value of any sort", mixed(row)));
        let blob = column(|row| [mixed(row), mixed(row + 1)].map(i64::to_le_bytes).concat());
        let cases = [
            (numbers(|row| Cell::Integer(row * 3)), Encoding::Delta, Encoding::Delta),
            (numbers(|row| Cell::Integer(mixed(row) & 0xFF)), Encoding::FrameOfReference, Encoding::FrameOfReference),
            (numbers(|row| Cell::Integer(mixed(row) & 0x3FFFF)), Encoding::Pco, Encoding::FrameOfReference),
            (numbers(|row| Cell::Real((mixed(row) & 0xFFFF) as f64 / 100.0)), Encoding::Decimal, Encoding::Decimal),
            (
                column(|row| colours[usize::try_from(mixed(row) & 3).unwrap()]),
                Encoding::Dictionary,
                Encoding::Dictionary,
            ),
            (column(|row| format!("item-{:06}", mixed(row) & 0xFFFF)), Encoding::TypedText, Encoding::TypedText),
            (
                column(|row| format!("/var/lib/{:05}/x{:x}", row / 3, mixed(row))),
                Encoding::FrontCoding,
                Encoding::FrontCoding,
            ),
            (column(sentence), Encoding::Words, Encoding::Words),
        ];
        for (cells, standard, fast) in &cases {
            assert_eq!(chosen(cells, Profile::Standard), *standard);
            assert_eq!(chosen(cells, Profile::Fast), *fast);
        }
        for cells in [text, Cells::new(), numbers(|_| Cell::Null)] {
            chosen(&cells, Profile::Standard);
            chosen(&cells, Profile::Fast);
        }
        let mut bytes = Cells::new();
        for cell in blob.iter().filter_map(|cell| cell.variable_bytes()) {
            bytes.push(&Cell::Bytes(cell)).unwrap();
        }
        chosen(&bytes, Profile::Standard);
    }

    #[test]
    fn what_exceeds_the_limits_and_what_is_tiny_stays_plain() {
        let mut large = Cells::new();
        let megabytes = vec![b'x'; 40 << 20];
        large.push(&Cell::Text(&megabytes)).unwrap();
        large.push(&Cell::Text(&megabytes)).unwrap();
        assert_eq!(chosen(&large, Profile::Standard), Encoding::Plain);
        let mut tiny = Cells::new();
        tiny.push(&Cell::Integer(5)).unwrap();
        assert_eq!(chosen(&tiny, Profile::Standard), Encoding::Plain);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_column_comes_back(
            some in proptest::collection::vec((0_u8..8, any::<u64>(), "[a-c0-9-]{0,12}"), 1..60),
            sorts in 1_u8..=8,
            repeats in 1_usize..40,
            shift in 0_u32..64,
        ) {
            let mut cells = Cells::new();
            for _ in 0..repeats {
                for (sort, word, text) in &some {
                    let integer = (word >> shift).cast_signed();
                    cells.push(&match sort % sorts {
                        0 => Cell::Integer(integer),
                        1 => Cell::Real((word >> 50) as f64 / 100.0),
                        2 => Cell::Null,
                        3 => Cell::Text(text.as_bytes()),
                        4 => Cell::Real(f64::from_bits(*word)),
                        5 => Cell::Bytes(text.as_bytes()),
                        6 => Cell::RawText(&[0xFF]),
                        _ => Cell::Integer((integer >> 40) * 100),
                    }).unwrap();
                }
            }
            chosen(&cells, Profile::Standard);
            chosen(&cells, Profile::Fast);
        }
    }
}
