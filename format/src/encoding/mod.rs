//! Encodings: the cells of one column to bytes and back. Pure functions; no I/O, and compression only to try candidates.
//!
//! A block begins with one byte that says which encoding follows (`spec/format.md` §6).

mod changes;
mod choose;
mod codec_choice;
mod decimal;
mod delta;
mod dictionary;
mod distinct;
mod frame_of_reference;
mod front_coding;
mod number_column;
mod numbers;
mod parts;
mod pco;
mod plain;
mod planes;
mod sample;
mod trial;
mod typed_text;
mod words;

use crate::error::{Error, Layer, Result};
use crate::model::Cells;

pub(crate) use changes::{EncodedPatch, decode_patch, decode_places, encode_patch, encode_places};
pub(crate) use plain::{canonical, for_each_part};

/// How a column block is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Encoding {
    /// The canonical form as it is.
    Plain = 0,
    /// Numbers as distances from the smallest, byte by byte of their significance.
    FrameOfReference = 1,
    /// Numbers as steps from one to the next, byte by byte of their significance.
    Delta = 2,
    /// Each different cell once, and which one each row has.
    Dictionary = 3,
    /// Numbers as decimals of few digits.
    Decimal = 4,
    /// Texts as the values that they are written forms of: dates, timestamps, UUIDs, hexadecimal digits, numbers.
    TypedText = 5,
    /// Texts without what they share with the beginning of the one before.
    FrontCoding = 6,
    /// Numbers packed by pcodec.
    Pco = 7,
    /// Each different word of texts once, and which ones each text consists of.
    Words = 8,
}

impl Encoding {
    /// The encoding with this number, if this version knows it.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Plain),
            1 => Some(Self::FrameOfReference),
            2 => Some(Self::Delta),
            3 => Some(Self::Dictionary),
            4 => Some(Self::Decimal),
            5 => Some(Self::TypedText),
            6 => Some(Self::FrontCoding),
            7 => Some(Self::Pco),
            8 => Some(Self::Words),
            _ => None,
        }
    }

    /// The encoding with this number; "unsupported" where this version does not know it.
    pub(crate) fn known(number: u8) -> Result<Self> {
        Self::from_number(number).ok_or_else(|| Error::unsupported(format!("encoding {number} of a column block")))
    }

    /// Its number in the file.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Its name in the specification.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::FrameOfReference => "frame of reference",
            Self::Delta => "delta",
            Self::Dictionary => "dictionary",
            Self::Decimal => "decimal",
            Self::TypedText => "typed text",
            Self::FrontCoding => "front coding",
            Self::Pco => "pco",
            Self::Words => "words",
        }
    }
}

/// How much work goes into making an archive small. It changes no byte that is read out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Small first: every encoding, and Zstandard's level 3.
    #[default]
    Standard,
    /// Fast first: no pco, and Zstandard's level 1.
    Fast,
}

impl Profile {
    /// Zstandard's level where none is asked for.
    pub const fn level(self) -> i32 {
        match self {
            Self::Standard => 3,
            Self::Fast => 1,
        }
    }
}

/// The bytes of a block, the encoding's number first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EncodedCells {
    pub(crate) encoding: Encoding,
    pub(crate) bytes: Vec<u8>,
    /// Is it worth it to compress the block? What pco packed is not.
    pub(crate) compressible: bool,
    /// Every different cell once, if the encoding has found these.
    pub(crate) different: Option<Cells>,
}

/// Encodes cells.
pub(crate) fn encode(cells: &Cells, profile: Profile) -> EncodedCells {
    choose::encode(cells, profile)
}

/// The cells of a block that must have `rows` rows.
pub(crate) fn decode(block: &[u8], rows: u32) -> Result<(Encoding, Cells)> {
    let (number, content) =
        block.split_first().ok_or_else(|| Error::damaged(Layer::Block, "a column block without bytes"))?;
    let encoding = Encoding::known(*number)?;
    let cells = match encoding {
        Encoding::Plain => plain::decode(content, rows)?,
        Encoding::FrameOfReference | Encoding::Delta | Encoding::Pco => number_column::decode(content, rows, encoding)?,
        Encoding::Dictionary => dictionary::decode(content, rows)?,
        Encoding::Decimal => decimal::decode(content, rows)?,
        Encoding::TypedText => typed_text::decode(content, rows)?,
        Encoding::FrontCoding => front_coding::decode(content, rows)?,
        Encoding::Words => words::decode(content, rows)?,
    };
    Ok((encoding, cells))
}
