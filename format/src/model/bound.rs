//! Bounds: the smallest and largest cells of a block, and the first and last keys of a row group.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::cell::{Cell, CellKind, beginning};
use super::cells::{Cells, Kinds};
use crate::limits::MAX_BOUND_BYTES;

/// An owned cell value. Texts and bytes in bounds hold at most [`MAX_BOUND_BYTES`] bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Value {
    /// No value.
    Null,
    /// A 64-bit signed integer.
    Integer(i64),
    /// A 64-bit IEEE 754 number.
    Real(f64),
    /// Bytes of a text; cut at the bound's limit, they need not be whole characters.
    Text(Vec<u8>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Bytes of a text that is not valid in the source's encoding.
    RawText(Vec<u8>),
}

/// A value that bounds others, whole or cut to its first [`MAX_BOUND_BYTES`] bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// The value, or the beginning of it.
    pub value: Value,
    /// Is it held whole?
    pub exact: bool,
}

impl Bound {
    /// The bound that stands for this cell.
    pub fn of(cell: &Cell<'_>) -> Self {
        let exact = cell.variable_bytes().is_none_or(|bytes| bytes.len() <= MAX_BOUND_BYTES);
        Self { value: Value::beginning(cell, MAX_BOUND_BYTES), exact }
    }

    /// Does the held value keep to the format's limit and to the meaning of `exact`?
    pub fn is_well_formed(&self) -> bool {
        let length = self.value.as_cell().variable_bytes().map_or(0, <[u8]>::len);
        length == MAX_BOUND_BYTES || (self.exact && length < MAX_BOUND_BYTES)
    }

    /// The order of bounds in column summaries: by value; an inexact bound comes after an exact one of the same bytes.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        let by_value = order(&self.value.as_cell(), &other.value.as_cell())?;
        Some(by_value.then_with(|| other.exact.cmp(&self.exact)))
    }

    /// The smallest and the largest cell of a column that is not null; `None` if there is none or a NaN stands among them.
    /// Of equal numbers the first is held.
    pub fn range(cells: &Cells) -> Option<(Self, Self)> {
        let (low, high) = match only_kind(cells) {
            Some(CellKind::Integer) => {
                let (low, high) = extremes(cells.fixed(), u64::cast_signed)?;
                (Cell::Integer(low), Cell::Integer(high))
            }
            Some(CellKind::Real) => {
                let (low, high) = extremes_of_reals(cells.fixed())?;
                (Cell::Real(low), Cell::Real(high))
            }
            Some(kind @ (CellKind::Text | CellKind::Bytes | CellKind::RawText)) => {
                let (low, high) = extremes_of_bytes(cells.ends(), cells.data())?;
                (Cell::variable(kind, low), Cell::variable(kind, high))
            }
            Some(CellKind::Null) => return None,
            None => match extremes_of_numbers(cells) {
                Some(extremes) => extremes,
                None => extremes_of_all(cells)?,
            },
        };
        Some((Self::of(&low), Self::of(&high)))
    }

    /// Widens a range over the blocks so far by one more block's.
    pub fn widen(range: &mut Option<(Self, Self)>, low: &Self, high: &Self) {
        match range {
            None => *range = Some((low.clone(), high.clone())),
            Some((minimum, maximum)) => {
                if low.order(minimum) == Some(Ordering::Less) {
                    *minimum = low.clone();
                }
                if high.order(maximum) == Some(Ordering::Greater) {
                    *maximum = high.clone();
                }
            }
        }
    }
}

/// The kind of all cells that are not null, if they are of one kind; null if there are none.
fn only_kind(cells: &Cells) -> Option<CellKind> {
    match cells.kinds() {
        Kinds::Uniform(kind) => Some(*kind),
        Kinds::Mixed(kinds) => {
            let kind = kinds.iter().copied().find(|kind| *kind != CellKind::Null)?;
            kinds.iter().all(|other| *other == kind || *other == CellKind::Null).then_some(kind)
        }
    }
}

/// The smallest and the largest of numbers that all compare. Of equal ones, any.
fn extremes<T: Copy + PartialOrd>(bits: &[u64], number: impl Fn(u64) -> T) -> Option<(T, T)> {
    /// Comparisons that do not wait for one another.
    const LANES: usize = 8;
    fn widen<T: Copy + PartialOrd>(low: &mut T, high: &mut T, value: T) {
        *low = if value < *low { value } else { *low };
        *high = if value > *high { value } else { *high };
    }
    let first = number(*bits.first()?);
    let (mut lows, mut highs) = ([first; LANES], [first; LANES]);
    let (chunks, rest) = bits.as_chunks::<LANES>();
    for chunk in chunks {
        for ((low, high), bits) in lows.iter_mut().zip(&mut highs).zip(chunk) {
            widen(low, high, number(*bits));
        }
    }
    let (mut low, mut high) = (first, first);
    for value in lows.into_iter().chain(highs).chain(rest.iter().map(|bits| number(*bits))) {
        widen(&mut low, &mut high, value);
    }
    Some((low, high))
}

fn extremes_of_reals(bits: &[u64]) -> Option<(f64, f64)> {
    // A NaN has no place among numbers.
    if bits.iter().any(|bits| f64::from_bits(*bits).is_nan()) {
        return None;
    }
    // Equal and yet not the same are the two zeros alone.
    let first = |value: f64| {
        let zero = || bits.iter().map(|bits| f64::from_bits(*bits)).find(|value| *value == 0.0);
        if value == 0.0 { zero().unwrap_or(value) } else { value }
    };
    let (low, high) = extremes(bits, f64::from_bits)?;
    Some((first(low), first(high)))
}

/// The smallest and the largest of values without gaps, bytewise. Their beginnings as numbers tell most of them apart.
fn extremes_of_bytes<'d>(ends: &[u32], data: &'d [u8]) -> Option<(&'d [u8], &'d [u8])> {
    let first = data.get(..*ends.first()? as usize)?;
    let (mut low, mut high) = ((beginning(first), first), (beginning(first), first));
    let mut start = 0;
    for end in ends {
        let end = *end as usize;
        let value = data.get(start..end)?;
        start = end;
        let number = beginning(value);
        if number < low.0 || (number == low.0 && is_before(value, low.1)) {
            low = (number, value);
        }
        if number > high.0 || (number == high.0 && is_before(high.1, value)) {
            high = (number, value);
        }
    }
    Some((low.1, high.1))
}

/// Of two values that begin alike.
#[inline]
fn is_before(value: &[u8], other: &[u8]) -> bool {
    // Without more than that, the longer one has a zero where the other ends.
    if value.len() <= 8 && other.len() <= 8 { value.len() < other.len() } else { value < other }
}

/// Integers and reals beside each other, as columns of decimals have them; `None` where only a walk can say: with a NaN, and
/// where the first of equal numbers is to be found.
fn extremes_of_numbers(cells: &Cells) -> Option<(Cell<'_>, Cell<'_>)> {
    let Kinds::Mixed(kinds) = cells.kinds() else { return None };
    if !cells.ends().is_empty() {
        return None;
    }
    let (mut integers, mut reals) = ((i64::MAX, i64::MIN), (f64::INFINITY, f64::NEG_INFINITY));
    let mut is_any_nan = false;
    // Which of both is next nobody knows: each is looked at as either, and counts as one. (Nulls are rarely among them.)
    let mut look = |kind: CellKind, bits: u64| {
        let (is_integer, integer, real) = (kind == CellKind::Integer, bits.cast_signed(), f64::from_bits(bits));
        let (low, high) = if is_integer { (integer, integer) } else { (i64::MAX, i64::MIN) };
        integers = (integers.0.min(low), integers.1.max(high));
        let (low, high) = if is_integer { (f64::INFINITY, f64::NEG_INFINITY) } else { (real, real) };
        is_any_nan |= !is_integer & real.is_nan();
        reals = (if low < reals.0 { low } else { reals.0 }, if high > reals.1 { high } else { reals.1 });
    };
    if kinds.len() == cells.fixed().len() {
        kinds.iter().zip(cells.fixed()).for_each(|(kind, bits)| look(*kind, *bits));
    } else {
        let kinds = kinds.iter().filter(|kind| **kind != CellKind::Null);
        kinds.zip(cells.fixed()).for_each(|(kind, bits)| look(*kind, *bits));
    }
    if is_any_nan || reals.0 == 0.0 || reals.1 == 0.0 {
        return None;
    }
    let first = |integer: i64, real: f64, wanted: Ordering| {
        let (integer, real) = (Cell::Integer(integer), Cell::Real(real));
        match order(&integer, &real)? {
            Ordering::Equal => None,
            found => Some(if found == wanted { integer } else { real }),
        }
    };
    Some((first(integers.0, reals.0, Ordering::Less)?, first(integers.1, reals.1, Ordering::Greater)?))
}

/// Whatever the kinds are.
fn extremes_of_all(cells: &Cells) -> Option<(Cell<'_>, Cell<'_>)> {
    let mut range: Option<(Cell<'_>, Cell<'_>)> = None;
    for cell in cells.iter().filter(|cell| !matches!(cell, Cell::Null)) {
        // A NaN has no place among numbers, so none among texts either: asked of each cell, not left to comparisons.
        if matches!(cell, Cell::Real(value) if value.is_nan()) {
            return None;
        }
        range = Some(match range {
            None => (cell, cell),
            Some((low, high)) => (
                if order(&cell, &low)? == Ordering::Less { cell } else { low },
                if order(&cell, &high)? == Ordering::Greater { cell } else { high },
            ),
        });
    }
    range
}

/// Values are equal if they are the same to the last bit: a bound of 0.0 where −0.0 belongs is wrong.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.as_cell().is_identical(&other.as_cell())
    }
}

impl Value {
    /// The value of a cell.
    pub fn of(cell: &Cell<'_>) -> Self {
        Self::beginning(cell, usize::MAX)
    }

    /// The value of a cell; of a text or bytes, the first `most` bytes.
    fn beginning(cell: &Cell<'_>, most: usize) -> Self {
        let cut = |bytes: &[u8]| bytes.get(..most).unwrap_or(bytes).to_vec();
        match *cell {
            Cell::Null => Self::Null,
            Cell::Integer(value) => Self::Integer(value),
            Cell::Real(value) => Self::Real(value),
            Cell::Text(bytes) => Self::Text(cut(bytes)),
            Cell::Bytes(bytes) => Self::Bytes(cut(bytes)),
            Cell::RawText(bytes) => Self::RawText(cut(bytes)),
        }
    }

    /// The value as a cell.
    pub fn as_cell(&self) -> Cell<'_> {
        match self {
            Self::Null => Cell::Null,
            Self::Integer(value) => Cell::Integer(*value),
            Self::Real(value) => Cell::Real(*value),
            Self::Text(bytes) => Cell::Text(bytes),
            Self::Bytes(bytes) => Cell::Bytes(bytes),
            Self::RawText(bytes) => Cell::RawText(bytes),
        }
    }
}

/// The order of bounds (`spec/format.md` §5.3): numbers by exact value, then texts, bytes and raw texts, bytewise.
/// `None` where a NaN is involved. Nulls come first.
fn order(a: &Cell<'_>, b: &Cell<'_>) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return order_numbers(a, b);
    }
    let rank = |cell: &Cell<'_>| match cell {
        Cell::Null => 0,
        Cell::Integer(_) | Cell::Real(_) => 1,
        Cell::Text(_) => 2,
        Cell::Bytes(_) => 3,
        Cell::RawText(_) => 4,
    };
    Some(rank(a).cmp(&rank(b)).then_with(|| a.variable_bytes().cmp(&b.variable_bytes())))
}

/// The exact numeric order of two cells; `None` unless both are numbers, and for NaN.
pub fn order_numbers_of(a: &Cell<'_>, b: &Cell<'_>) -> Option<Ordering> {
    order_numbers(number(a)?, number(b)?)
}

/// A number as it stands: integers and reals are compared exactly, never by rounding one to the other.
#[derive(Clone, Copy)]
enum Number {
    Integer(i64),
    Real(f64),
}

fn number(cell: &Cell<'_>) -> Option<Number> {
    match cell {
        Cell::Integer(value) => Some(Number::Integer(*value)),
        Cell::Real(value) => Some(Number::Real(*value)),
        _ => None,
    }
}

/// Exact numeric order; `None` for NaN.
fn order_numbers(a: Number, b: Number) -> Option<Ordering> {
    match (a, b) {
        (Number::Integer(a), Number::Integer(b)) => Some(a.cmp(&b)),
        (Number::Real(a), Number::Real(b)) => a.partial_cmp(&b),
        (Number::Integer(a), Number::Real(b)) => order_integer_real(a, b),
        (Number::Real(a), Number::Integer(b)) => order_integer_real(b, a).map(Ordering::reverse),
    }
}

fn order_integer_real(integer: i64, real: f64) -> Option<Ordering> {
    /// 2^63, the first number above every i64.
    const ABOVE: f64 = 9_223_372_036_854_775_808.0;
    if real.is_nan() {
        return None;
    }
    if real >= ABOVE {
        return Some(Ordering::Less);
    }
    if real < -ABOVE {
        return Some(Ordering::Greater);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within i64's range, as just checked; the fraction is looked at next"
    )]
    let whole = real.trunc() as i64;
    let fraction = real.fract();
    Some(integer.cmp(&whole).then_with(|| 0.0_f64.partial_cmp(&fraction).unwrap_or(Ordering::Equal)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn integers_and_reals_compare_exactly() {
        let max = i64::MAX;
        assert_eq!(order_integer_real(max, 9.223372036854776e18), Some(Ordering::Less));
        assert_eq!(order_integer_real(1 << 53, 9007199254740992.0), Some(Ordering::Equal));
        assert_eq!(order_integer_real((1 << 53) + 1, 9007199254740992.0), Some(Ordering::Greater));
        assert_eq!(order_integer_real(-1, -1.5), Some(Ordering::Greater));
        assert_eq!(order_integer_real(1, 1.5), Some(Ordering::Less));
        assert_eq!(order_integer_real(i64::MIN, -9.223372036854776e18), Some(Ordering::Equal));
        assert_eq!(order_integer_real(i64::MIN, f64::NEG_INFINITY), Some(Ordering::Greater));
        assert_eq!(order_integer_real(0, f64::NAN), None);
    }

    #[test]
    fn ranges_span_kinds_and_ignore_nulls() {
        let (low, high) = Bound::range(&Cells::of(&[
            Cell::Null,
            Cell::Text(b"x"),
            Cell::Real(1.5),
            Cell::Integer(2),
            Cell::Bytes(b""),
        ]))
        .unwrap();
        assert_eq!(low.value, Value::Real(1.5));
        assert_eq!(high.value, Value::Bytes(vec![]));
        assert!(Bound::range(&Cells::of(&[Cell::Null])).is_none());
        assert!(Bound::range(&Cells::of(&[Cell::Real(f64::NAN)])).is_none());
        assert!(Bound::range(&Cells::of(&[Cell::Integer(1), Cell::Real(f64::NAN)])).is_none());
        assert!(Bound::range(&Cells::of(&[Cell::Text(b"x"), Cell::Real(f64::NAN)])).is_none());
    }

    #[test]
    fn of_equal_numbers_the_first_is_held() {
        let (low, high) = Bound::range(&Cells::of(&[Cell::Real(1.0), Cell::Integer(1)])).unwrap();
        assert_eq!((low.value, high.value), (Value::Real(1.0), Value::Real(1.0)));
    }

    /// Every way to a range gives what a walk over all cells gives, to the last bit.
    #[test]
    fn ranges_of_one_kind_are_those_of_a_walk() {
        let reals = [0.0, -0.0, 1.5, -1.5, f64::INFINITY, f64::NEG_INFINITY, 5e-324, f64::NAN];
        let texts: [&[u8]; 12] = [
            b"",
            b"\0",
            b"a",
            b"a\0",
            b"a\0\0\0\0\0\0\0",
            b"a\0\0\0\0\0\0\0\0",
            b"abcdefgh",
            b"abcdefghi",
            b"abcdefgi",
            b"\xff",
            b"\xff\xff\xff\xff\xff\xff\xff\xff",
            &[b'b'; 100],
        ];
        let mut noise = 88_172_645_463_325_252_u64;
        let mut next = |below: usize| {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            usize::try_from(noise >> 33).unwrap() % below
        };
        for round in 0..8000 {
            let rows = next(40);
            let nulls = round % 3 == 0;
            let mut cells = Cells::new();
            for _ in 0..rows {
                let cell = match round % 8 {
                    0 => Cell::Integer(i64::try_from(next(9)).unwrap() - 4),
                    1 => Cell::Integer([i64::MIN, -1, 0, i64::MAX][next(4)]),
                    // The NaN is rare, or hardly any range would be left.
                    2 => Cell::Real(reals[if next(200) == 0 { 7 } else { next(7) }]),
                    3 => Cell::Text(texts[next(9)]),
                    4 => Cell::Bytes(texts[next(12)]),
                    5 if next(2) == 0 => Cell::Integer([i64::MIN, -1, 0, 1, 2, i64::MAX][next(6)]),
                    5 => Cell::Real([-2.5, -1.0, 0.5, 1.0, 9.3e18, reals[next(7)]][next(6)]),
                    6 if next(2) == 0 => Cell::Integer(i64::try_from(next(900)).unwrap() - 300),
                    6 => Cell::Real(reals[if next(200) == 0 { 7 } else { 2 + next(2) }] * 100.5),
                    _ => Cell::RawText(texts[next(12)]),
                };
                cells.push(if nulls && next(3) == 0 { &Cell::Null } else { &cell }).unwrap();
            }
            let walked = extremes_of_all(&cells).map(|(low, high)| (Bound::of(&low), Bound::of(&high)));
            assert_eq!(Bound::range(&cells), walked, "{cells:?}");
        }
    }

    #[test]
    fn long_values_are_cut_and_come_after_their_own_beginning() {
        let whole = Bound::of(&Cell::Text(&[b'a'; 64]));
        let cut = Bound::of(&Cell::Text(&[b'a'; 65]));
        assert!(whole.exact && !cut.exact && whole.is_well_formed() && cut.is_well_formed());
        assert_eq!(cut.order(&whole), Some(Ordering::Greater));
        assert!(!Bound { value: Value::Integer(1), exact: false }.is_well_formed());
    }
}
