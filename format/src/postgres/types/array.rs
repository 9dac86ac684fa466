//! Arrays: the text that the server prints, to the binary form that it takes.

use super::encode::{push_text as push_value, with_length};
use super::wire::Element;
use super::{Checked, Wrong};

/// The most dimensions that PostgreSQL allows.
const MAX_DIMENSIONS: usize = 6;

const NO_ARRAY: Wrong = Wrong("this is no array");
const RAGGED: Wrong = Wrong("an array of parts that differ in length");

/// Appends the binary form: dimensions, whether there are nulls, the number of the elements' type, then length and lower bound of
/// each dimension, then the elements.
pub(super) fn push_text(out: &mut Vec<u8>, text: &[u8], element: &Element) -> Checked<()> {
    let (lower_bounds, text) = lower_bounds(text)?;
    let header = |out: &mut Vec<u8>, dimensions: usize, nulls: bool| {
        out.extend_from_slice(&i32::try_from(dimensions).map_err(|_| NO_ARRAY)?.to_be_bytes());
        out.extend_from_slice(&i32::from(nulls).to_be_bytes());
        out.extend_from_slice(&element.oid.to_be_bytes());
        Ok(())
    };
    if text == b"{}" {
        return header(out, 0, false);
    }
    let dimensions = text.iter().take_while(|byte| **byte == b'{').count();
    let stated = lower_bounds.len();
    if !(1..=MAX_DIMENSIONS).contains(&dimensions) || (stated > 0 && stated != dimensions) {
        return Err(NO_ARRAY);
    }
    let mut elements = Vec::with_capacity(text.len());
    let mut parser =
        Parser { rest: text, element, lengths: vec![None; dimensions], nulls: false, unescaped: Vec::new() };
    parser.dimension(0, &mut elements)?;
    if !parser.rest.is_empty() {
        return Err(NO_ARRAY);
    }
    header(out, dimensions, parser.nulls)?;
    for (dimension, length) in parser.lengths.iter().enumerate() {
        let (lower, upper) = lower_bounds.get(dimension).copied().unwrap_or((1, None));
        let length = length.ok_or(NO_ARRAY)?;
        if upper.is_some_and(|upper| i64::from(upper) - i64::from(lower) + 1 != i64::from(length)) {
            return Err(NO_ARRAY);
        }
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&lower.to_be_bytes());
    }
    out.extend_from_slice(&elements);
    Ok(())
}

/// A lower bound, and the upper one.
type Bounds = (i32, Option<i32>);

/// The bounds of `[0:2][-1:1]={{…}}`, and the text behind them; without them, none.
fn lower_bounds(text: &[u8]) -> Checked<(Vec<Bounds>, &[u8])> {
    if text.first() != Some(&b'[') {
        return Ok((Vec::new(), text));
    }
    let end = text.iter().position(|byte| *byte == b'=').ok_or(NO_ARRAY)?;
    let (stated, rest) = text.split_at_checked(end).ok_or(NO_ARRAY)?;
    let stated = str::from_utf8(stated).map_err(|_| NO_ARRAY)?;
    let inside = stated.strip_prefix('[').and_then(|stated| stated.strip_suffix(']')).ok_or(NO_ARRAY)?;
    let bounds = inside.split("][").map(|dimension| {
        let (lower, upper) = dimension.split_once(':')?;
        Some((lower.parse().ok()?, Some(upper.parse().ok()?)))
    });
    let bounds = bounds.collect::<Option<Vec<Bounds>>>().ok_or(NO_ARRAY)?;
    Ok((bounds, rest.strip_prefix(b"=").ok_or(NO_ARRAY)?))
}

/// What is left of the text, and what was found before it.
struct Parser<'a> {
    rest: &'a [u8],
    element: &'a Element,
    /// Per dimension, how many parts the first of it had: all others have as many.
    lengths: Vec<Option<i32>>,
    nulls: bool,
    unescaped: Vec<u8>,
}

impl<'a> Parser<'a> {
    /// The next byte, if it is this one.
    fn takes(&mut self, byte: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// `{…}` of this dimension, at most six deep.
    fn dimension(&mut self, dimension: usize, out: &mut Vec<u8>) -> Checked<()> {
        if !self.takes(b'{') {
            return Err(NO_ARRAY);
        }
        let mut length = 0_i32;
        loop {
            if dimension + 1 < self.lengths.len() {
                self.dimension(dimension + 1, out)?
            } else {
                self.value(out)?
            }
            length = length.checked_add(1).ok_or(NO_ARRAY)?;
            if self.takes(b'}') {
                break;
            }
            if !self.takes(b',') {
                return Err(NO_ARRAY);
            }
        }
        let known = self.lengths.get_mut(dimension).ok_or(NO_ARRAY)?;
        if *known.get_or_insert(length) == length { Ok(()) } else { Err(RAGGED) }
    }

    /// One element: in quotes, or as it is.
    fn value(&mut self, out: &mut Vec<u8>) -> Checked<()> {
        let element = self.element;
        if !self.takes(b'"') {
            let length = self.rest.iter().take_while(|byte| !matches!(byte, b',' | b'{' | b'}' | b'"' | b'\\')).count();
            let (value, rest) = self.rest.split_at_checked(length).ok_or(NO_ARRAY)?;
            self.rest = rest;
            if value.is_empty() {
                return Err(NO_ARRAY);
            }
            if value == b"NULL" {
                self.nulls = true;
                out.extend_from_slice(&(-1_i32).to_be_bytes());
                return Ok(());
            }
            return with_length(out, |out| push_value(&element.wire, value, out));
        }
        self.unescaped.clear();
        loop {
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    break;
                }
                [] | [b'\\'] => return Err(NO_ARRAY),
                [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
                    self.rest = rest;
                    self.unescaped.push(*byte);
                }
            }
        }
        with_length(out, |out| push_value(&element.wire, &self.unescaped, out))
    }
}
