//! Numbers: 64-bit words in one of four codecs (`spec/format.md` §6.1).

use super::parts::{self, damaged};
use super::pco::{self, Meaning};
use super::{delta, frame_of_reference};
use crate::error::Result;
use crate::wire::Cursor;

/// How words are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Codec {
    /// As they are.
    Plain = 0,
    /// As planes of their distances from the smallest.
    FrameOfReference = 1,
    /// As planes of the steps between them.
    Delta = 2,
    /// Packed by pcodec.
    Pco = 7,
}

impl Codec {
    /// Its number in the file.
    pub(super) const fn number(self) -> u8 {
        self as u8
    }
}

/// Writes words in a codec. Where there is none at all, or pcodec fails, it is another codec that is written.
pub(super) fn write(words: &[u64], codec: Codec, out: &mut Vec<u8>) {
    match codec {
        Codec::Plain => {
            out.push(codec.number());
            parts::write_fixed(words, out);
        }
        Codec::Delta if !words.is_empty() => {
            out.push(codec.number());
            delta::write(words, out);
        }
        Codec::Pco => match pco::pack(words, Meaning::Integers, pco::Steps::None, pco::Effort::Full) {
            Some(packed) => write_packed(&packed, out),
            None => write(words, Codec::FrameOfReference, out),
        },
        Codec::FrameOfReference | Codec::Delta => {
            out.push(Codec::FrameOfReference.number());
            frame_of_reference::write(words, out);
        }
    }
}

/// Writes what [`pco::pack`] made.
pub(super) fn write_packed(packed: &[u8], out: &mut Vec<u8>) {
    out.push(Codec::Pco.number());
    pco::write(packed, out);
}

/// Reads `count` words.
pub(super) fn read(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<u64>> {
    match cursor.u8()? {
        0 => parts::read_fixed(cursor, count),
        1 => frame_of_reference::read(cursor, count),
        2 => delta::read(cursor, count),
        7 => pco::read(cursor, count),
        codec => Err(damaged(format!("unknown codec {codec} of numbers"))),
    }
}

/// Reads `count` words that must be places in a list of `of`, ascending.
pub(super) fn read_places(cursor: &mut Cursor<'_>, count: usize, of: usize) -> Result<Vec<usize>> {
    let words = read(cursor, count)?;
    if !words.is_sorted_by(|a, b| a < b) || words.last().is_some_and(|last| *last >= of as u64) {
        return Err(damaged("places that do not ascend or lead nowhere"));
    }
    // Below `of`, which is a `usize`.
    Ok(words.into_iter().filter_map(|word| usize::try_from(word).ok()).collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Layer;

    const CODECS: [Codec; 4] = [Codec::Plain, Codec::FrameOfReference, Codec::Delta, Codec::Pco];

    fn written(words: &[u64], codec: Codec) -> Vec<u8> {
        let mut out = Vec::new();
        write(words, codec, &mut out);
        out
    }

    fn read_all(bytes: &[u8], count: usize) -> Result<Vec<u64>> {
        let mut cursor = Cursor::new(bytes, Layer::Cells);
        let words = read(&mut cursor, count)?;
        cursor.finish()?;
        Ok(words)
    }

    fn samples() -> Vec<Vec<u64>> {
        let negative = (-300_i64..300).map(i64::cast_unsigned).collect();
        let noise = (1..700_u64).map(|at| at.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        let reals = (0..600).map(|at| (f64::from(at) / 100.0).to_bits()).collect();
        vec![vec![5], vec![0, u64::MAX, 1 << 63], vec![9; 300], negative, noise, reals, (0..1000).collect()]
    }

    #[test]
    fn words_come_back_from_every_codec() {
        for words in samples() {
            for codec in CODECS {
                let bytes = written(&words, codec);
                assert_eq!(bytes[0], codec.number());
                assert_eq!(read_all(&bytes, words.len()).unwrap(), words, "{codec:?}");
                // Planes of width 0 do not show how many values they have.
                let width = match codec {
                    Codec::FrameOfReference => bytes[9],
                    Codec::Delta => bytes[17],
                    _ => 8,
                };
                for count in [words.len() - 1, words.len() + 1].into_iter().filter(|_| width > 0) {
                    assert!(read_all(&bytes, count).is_err(), "{codec:?}");
                }
            }
        }
        for codec in CODECS {
            assert_eq!(read_all(&written(&[], codec), 0).unwrap(), []);
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let delta = written(&[10, 12, 15, 16], Codec::Delta);
        assert_eq!(delta, [&[2][..], &10_u64.to_le_bytes(), &1_u64.to_le_bytes(), &[1, 1, 2, 0]].concat());
        let reference = written(&[300, 301, 1000], Codec::FrameOfReference);
        assert_eq!(reference, [&[1][..], &300_u64.to_le_bytes(), &[2, 0, 1, 0xBC, 0, 0, 2]].concat());
    }

    #[test]
    fn cuts_are_refused_and_flips_never_panic() {
        for words in samples() {
            for codec in CODECS {
                let bytes = written(&words, codec);
                let step = bytes.len() / 300 + 1;
                for length in (0..bytes.len()).step_by(step) {
                    assert!(read_all(&bytes[..length], words.len()).is_err(), "{codec:?} cut at {length}");
                }
                for place in (0..bytes.len().min(64)).chain((64..bytes.len()).step_by(step)) {
                    for bit in 0..8 {
                        let mut flipped = bytes.clone();
                        flipped[place] ^= 1 << bit;
                        if let Ok(others) = read_all(&flipped, words.len()) {
                            assert_eq!(others.len(), words.len());
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn an_unknown_codec_is_damage() {
        for codec in [3, 4, 5, 6, 8, 255] {
            assert!(read_all(&[codec, 0, 0, 0], 0).unwrap_err().is_damaged());
        }
        assert!(read_all(&[&[1][..], &[0; 8], &[9], &[0; 9]].concat(), 1).unwrap_err().is_damaged());
    }

    #[test]
    fn places_ascend_and_lead_somewhere() {
        let places = |words: &[u64], of| {
            let bytes = written(words, Codec::FrameOfReference);
            read_places(&mut Cursor::new(&bytes, Layer::Cells), words.len(), of)
        };
        assert_eq!(places(&[0, 3, 4], 5).unwrap(), [0, 3, 4]);
        assert!(places(&[0, 3, 4], 4).is_err());
        assert!(places(&[0, 3, 3], 5).is_err());
        assert!(places(&[3, 0], 5).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_words_come_back(
            words in proptest::collection::vec(any::<u64>(), 0..300),
            shift in 0_u32..64,
            base in any::<u64>(),
        ) {
            let words: Vec<u64> = words.iter().map(|word| (word >> shift).wrapping_add(base)).collect();
            for codec in CODECS {
                prop_assert_eq!(&read_all(&written(&words, codec), words.len()).unwrap(), &words);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), count in 0_usize..300) {
            if let Ok(words) = read_all(&bytes, count) {
                prop_assert_eq!(words.len(), count);
            }
        }
    }
}
