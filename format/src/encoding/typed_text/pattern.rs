//! The ways to write a value that typed text knows, and how they are named in a block (`spec/format.md` §6.5).

use super::date::Date;
use super::hexadecimal::{Case, Hexadecimal};
use super::numbered::Numbered;
use super::timestamp::Timestamp;
use super::uuid::Uuid;
use crate::encoding::parts::damaged;
use crate::error::Result;
use crate::wire::Cursor;

/// A pattern whose texts are numbers: what `parse` takes, `append` writes back to the last bit.
pub(super) trait AsNumber {
    /// The number that this text is.
    fn parse(&self, text: &[u8]) -> Option<i64>;
    /// Writes a number's text behind `out`; `None` (and anything behind `out`) if it has none.
    fn append(&self, value: i64, out: &mut Vec<u8>) -> Option<()>;
    /// Bytes of a number's text; of numbers without one, anything.
    fn length(&self, value: i64) -> usize;
}

/// A pattern whose texts are strings of bytes of one length.
pub(super) trait AsBytes {
    /// Puts the bytes that this text is behind `out`; `None` (and anything behind `out`) if it is none.
    fn parse(&self, text: &[u8], out: &mut Vec<u8>) -> Option<()>;
    /// Writes their text behind `out`; `None` (and anything behind `out`) if they have none.
    fn append(&self, value: &[u8], out: &mut Vec<u8>) -> Option<()>;
    /// Bytes of a value.
    fn width(&self) -> usize;
    /// Bytes of a text.
    fn length(&self) -> usize;
}

/// One way to write values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::encoding) enum Pattern {
    Date(Date),
    Timestamp(Timestamp),
    Uuid(Uuid),
    Hexadecimal(Hexadecimal),
    Numbered(Numbered),
}

impl Pattern {
    /// The pattern that a block names.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        Ok(match cursor.u8()? {
            1 => Self::Date(Date),
            2 => Self::Timestamp(Timestamp::read(cursor)?),
            3 => Self::Uuid(Uuid { case: Case::read(cursor)? }),
            4 => Self::Hexadecimal(Hexadecimal::read(cursor)?),
            5 => Self::Numbered(Numbered::read(cursor)?),
            number => return Err(damaged(format!("unknown pattern {number} of typed text"))),
        })
    }

    /// Names the pattern in a block.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Date(Date) => out.push(1),
            Self::Timestamp(form) => {
                out.push(2);
                form.write(out);
            }
            Self::Uuid(form) => out.extend_from_slice(&[3, form.case.number()]),
            Self::Hexadecimal(form) => {
                out.push(4);
                form.write(out);
            }
            Self::Numbered(form) => {
                out.push(5);
                form.write(out);
            }
        }
    }

    /// Is this text written so?
    pub(super) fn takes(&self, text: &[u8]) -> bool {
        let mut room = Vec::new();
        let taken = match self {
            Self::Date(form) => form.parse(text).map(|_| ()),
            Self::Timestamp(form) => form.parse(text).map(|_| ()),
            Self::Uuid(form) => form.parse(text, &mut room),
            Self::Hexadecimal(form) => form.parse(text, &mut room),
            Self::Numbered(form) => form.parse(text).map(|_| ()),
        };
        taken.is_some()
    }
}
