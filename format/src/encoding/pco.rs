//! Numbers packed by pcodec: the smallest form where digits are noise, and nothing is left for Zstandard.
//!
//! What is read was written by anybody. Before the crate makes room for anything, the preamble of the packed bytes must
//! say one chunk of exactly the numbers expected and none of the modes that ask for memory of their own.

use ::pco::data_types::{Number, NumberType};
use ::pco::standalone::{DecompressorItem, FileDecompressor, simple_compress};
use ::pco::{ChunkConfig, DeltaSpec, ModeSpec};

use super::parts::damaged;
use crate::error::{Error, Result};
use crate::limits::MAX_GROUP_ROWS;
use crate::wire::Cursor;

/// pcodec's own default: up to 256 bins.
const LEVEL: usize = 8;

/// Up to 32 bins: less to sort numbers into, and less to describe.
const SHORT_LEVEL: usize = 5;

/// The major version of pcodec's format whose preamble is known here.
const FORMAT: u8 = 4;

/// The version of pcodec's standalone files that is known here.
const STANDALONE: u8 = 3;

/// The length of what precedes the packed bytes.
const LENGTH_BYTES: usize = 4;

/// Do the words stand for integers, or for the bits of reals?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Integers,
    Reals,
}

/// Differences of which order are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Steps {
    /// The numbers themselves.
    None,
    /// The steps from one number to the next.
    First,
}

/// How finely pcodec looks at how often numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// As finely as is worth it.
    Full,
    /// Less finely: enough where numbers are spread evenly, or are few different ones.
    Short,
}

/// The packed form; `None` of no or too many numbers, which pcodec cannot take in one chunk.
pub(super) fn pack(words: &[u64], meaning: Meaning, steps: Steps, effort: Effort) -> Option<Vec<u8>> {
    if words.is_empty() || words.len() > MAX_GROUP_ROWS as usize {
        return None;
    }
    let delta = match steps {
        Steps::None => DeltaSpec::NoOp,
        Steps::First => DeltaSpec::TryConsecutive(1),
    };
    let level = match effort {
        Effort::Full => LEVEL,
        Effort::Short => SHORT_LEVEL,
    };
    let mut config = ChunkConfig::default().with_compression_level(level).with_delta_spec(delta);
    if meaning == Meaning::Reals {
        if words.iter().any(|word| f64::from_bits(*word).is_nan()) {
            // Other modes calculate with the numbers, and what is left of a NaN's bits is the processor's affair.
            config = config.with_mode_spec(ModeSpec::Classic);
        }
        return compress(words, f64::from_bits, &config);
    }
    // Bits that any word has, and those beside its sign.
    let (all, beside) = words.iter().fold((0, 0), |(all, beside), word| {
        (all | word, beside | (word.cast_signed() ^ word.cast_signed() >> 63).cast_unsigned())
    });
    // Whichever type is taken, all words are of its range.
    if all <= u64::from(u16::MAX) {
        compress(words, low_16, &config)
    } else if beside < 1 << 15 {
        compress(words, |word| low_16(word).cast_signed(), &config)
    } else if all <= u64::from(u32::MAX) {
        compress(words, low_32, &config)
    } else if beside < 1 << 31 {
        compress(words, |word| low_32(word).cast_signed(), &config)
    } else if all < 1 << 63 {
        compress(words, |word| word, &config)
    } else {
        compress(words, u64::cast_signed, &config)
    }
}

/// The lowest bits of a word that has no others, or no others than its sign.
fn low_16(word: u64) -> u16 {
    let [a, b, ..] = word.to_le_bytes();
    u16::from_le_bytes([a, b])
}

fn low_32(word: u64) -> u32 {
    let [a, b, c, d, ..] = word.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn compress<T: Number>(words: &[u64], number: impl Fn(u64) -> T, config: &ChunkConfig) -> Option<Vec<u8>> {
    let numbers: Vec<T> = words.iter().map(|word| number(*word)).collect();
    let packed = simple_compress(&numbers, config).ok()?;
    // A later version of the crate may choose a mode that readers of this format refuse.
    let (_, chunk) = FileDecompressor::new(packed.as_slice()).ok()?;
    check_preamble(chunk, words.len()).ok()?;
    Some(packed)
}

/// Writes what [`pack`] made.
pub(super) fn write(packed: &[u8], out: &mut Vec<u8>) {
    // A packed form of at most 2^17 numbers is far below 4 GiB.
    let length = u32::try_from(packed.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(packed);
}

/// Bytes that [`write`] adds for this packed form.
pub(super) fn written_length(packed: &[u8]) -> usize {
    LENGTH_BYTES + packed.len()
}

pub(super) fn read(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<u64>> {
    let length = cursor.u32()? as usize;
    let packed = cursor.take(length)?;
    if !(1..=MAX_GROUP_ROWS as usize).contains(&count) {
        return Err(damaged(format!("{count} numbers packed by pcodec")));
    }
    check_versions(packed)?;
    let (file, rest) = FileDecompressor::new(packed).map_err(refuse)?;
    let chunk = check_preamble(rest, count)?;
    match chunk {
        NumberType::I64 => unpack::<i64>(&file, rest, count, i64::cast_unsigned),
        NumberType::U64 => unpack::<u64>(&file, rest, count, |number| number),
        NumberType::F64 => unpack::<f64>(&file, rest, count, f64::to_bits),
        NumberType::I32 => unpack::<i32>(&file, rest, count, |number| i64::from(number).cast_unsigned()),
        NumberType::I16 => unpack::<i16>(&file, rest, count, |number| i64::from(number).cast_unsigned()),
        NumberType::U32 => unpack::<u32>(&file, rest, count, u64::from),
        NumberType::U16 => unpack::<u16>(&file, rest, count, u64::from),
        _ => Err(damaged("numbers packed by pcodec as a type that is not used")),
    }
}

/// Checks the versions that the file's header states, which the crate would call corrupt: magic, standalone version u8,
/// uniform type u8, bits of the hint less one u6, the hint, to the next whole byte; major format version u8.
fn check_versions(packed: &[u8]) -> Result<()> {
    let Some([standalone, _, hint]) = packed.strip_prefix(b"pco!").and_then(<[u8]>::first_chunk) else { return Ok(()) };
    if *standalone != STANDALONE {
        return Err(Error::unsupported(format!(
            "numbers packed by pcodec as a standalone file of version {standalone}"
        )));
    }
    let hint_bits = 6 + 1 + usize::from(hint & 0x3F);
    match packed.get(6 + hint_bits.div_ceil(8)) {
        Some(major) if *major != FORMAT => {
            Err(Error::unsupported(format!("numbers packed by pcodec's format {major}")))
        }
        _ => Ok(()),
    }
}

/// Checks, bit by bit, what stands at the beginning of a chunk: type u8, number of numbers less one u24, mode u4, the
/// mode's parameter, delta encoding u4.
fn check_preamble(bytes: &[u8], count: usize) -> Result<NumberType> {
    let mut cursor = Cursor::new(bytes, crate::error::Layer::Cells);
    let kind = cursor.u8()?;
    let kind = NumberType::from_descriminant(kind)
        .ok_or_else(|| damaged(format!("numbers packed by pcodec as type {kind}, which is none")))?;
    let [a, b, c] = cursor.array()?;
    let numbers = u32::from_le_bytes([a, b, c, 0]) as usize + 1;
    if numbers != count {
        return Err(damaged(format!("{numbers} numbers packed by pcodec where there are {count}")));
    }
    let bits = match kind {
        NumberType::I64 | NumberType::U64 | NumberType::F64 => 64,
        NumberType::I32 | NumberType::U32 | NumberType::F32 => 32,
        NumberType::I16 | NumberType::U16 | NumberType::F16 => 16,
        _ => 8,
    };
    // The mode is the lower half of a byte; what follows is at a half byte, as parameters are whole bytes.
    let byte = cursor.u8()?;
    let parameter = match byte & 0xF {
        0 => 0,
        1 | 2 => bits / 8,
        3 => 1,
        mode => return Err(damaged(format!("numbers packed by pcodec in mode {mode}, which is not used"))),
    };
    let last = cursor.take(parameter)?.last().copied().unwrap_or(byte);
    match last >> 4 {
        0 | 1 => Ok(kind),
        delta => Err(damaged(format!("numbers packed by pcodec with delta encoding {delta}, which is not used"))),
    }
}

fn unpack<T: Number + Default>(
    file: &FileDecompressor,
    bytes: &[u8],
    count: usize,
    word: impl Fn(T) -> u64,
) -> Result<Vec<u64>> {
    let DecompressorItem::Chunk(mut chunk) = file.chunk_decompressor::<T, _>(bytes).map_err(refuse)? else {
        return Err(damaged("no numbers packed by pcodec"));
    };
    if chunk.n() != count {
        return Err(damaged("numbers packed by pcodec of another count"));
    }
    let mut numbers = vec![T::default(); count];
    let progress = chunk.read(&mut numbers).map_err(refuse)?;
    if progress.n_processed != count || !progress.finished {
        return Err(damaged("numbers packed by pcodec that end too early"));
    }
    match file.chunk_decompressor::<T, _>(chunk.into_src()).map_err(refuse)? {
        DecompressorItem::EndOfData([]) => Ok(numbers.into_iter().map(word).collect()),
        DecompressorItem::EndOfData(rest) => {
            Err(damaged(format!("{} bytes left over behind numbers packed by pcodec", rest.len())))
        }
        DecompressorItem::Chunk(_) => Err(damaged("more than one chunk of numbers packed by pcodec")),
    }
}

fn refuse(cause: ::pco::errors::PcoError) -> Error {
    damaged(format!("numbers packed by pcodec: {cause}"))
}
