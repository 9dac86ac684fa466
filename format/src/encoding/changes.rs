//! What turns one state of a row group into the next, as bytes: places of rows (`spec/format.md` §6.8) and patches of
//! cells (§6.9).

use super::parts::damaged;
use super::{EncodedCells, Encoding, Profile, codec_choice, numbers};
use crate::error::{Error, Layer, Result};
use crate::limits::MAX_GROUP_ROWS;
use crate::model::{CellPatch, Places};
use crate::wire::Cursor;

/// A patch ready to be stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EncodedPatch {
    pub(crate) bytes: Vec<u8>,
    /// The encoding of the cells inside, and the bytes of their canonical form.
    pub(crate) encoding: Encoding,
    pub(crate) logical_bytes: u64,
    /// Is it worth it to compress the bytes?
    pub(crate) compressible: bool,
}

/// The bytes of places: none where no row goes or comes.
pub(crate) fn encode_places(places: &Places, profile: Profile) -> Vec<u8> {
    let mut out = Vec::new();
    write_ordinals(&places.deleted, profile, &mut out);
    write_ordinals(&places.inserted, profile, &mut out);
    out
}

/// The places between a state of `rows_before` rows and the one after it, where so many rows are said to go and come.
pub(crate) fn decode_places(bytes: &[u8], rows_before: u32, deleted: u32, inserted: u32) -> Result<Places> {
    let rows_after = rows_before.checked_sub(deleted).and_then(|rows| rows.checked_add(inserted));
    let fits = |rows: &u32| (1..=MAX_GROUP_ROWS).contains(rows);
    let rows_after = rows_after.filter(|after| fits(after) && fits(&rows_before) && inserted <= *after);
    let Some(rows_after) = rows_after.filter(|_| deleted > 0 || inserted > 0) else {
        let why = format!("places of {deleted} deleted and {inserted} inserted rows beside a state of {rows_before}");
        return Err(Error::damaged(Layer::Block, why));
    };
    let mut cursor = Cursor::new(bytes, Layer::Cells);
    let deleted = read_ordinals(&mut cursor, deleted, rows_before)?;
    let inserted = read_ordinals(&mut cursor, inserted, rows_after)?;
    cursor.finish()?;
    Ok(Places { deleted, inserted })
}

/// The bytes of a patch, which has at least one cell.
pub(crate) fn encode_patch(patch: &CellPatch, profile: Profile) -> EncodedPatch {
    // Ordinals are fewer than rows, which are counted in `u32`.
    let changed = u32::try_from(patch.changed.len()).unwrap_or(u32::MAX);
    let mut bytes = changed.to_le_bytes().to_vec();
    write_ordinals(&patch.changed, profile, &mut bytes);
    let ordinals = bytes.len();
    let EncodedCells { encoding, bytes: cells, compressible, .. } = super::encode(&patch.cells, profile);
    bytes.extend_from_slice(&cells);
    EncodedPatch {
        // Cells that are packed as small as can be are no reason not to compress many ordinals.
        compressible: compressible || ordinals * 20 > bytes.len(),
        bytes,
        encoding,
        logical_bytes: patch.cells.logical_bytes(),
    }
}

/// A patch of `cells` cells, which must be encoded so, of a state of `rows_after` rows, of which these `inserted` ones
/// (ascending) are new.
pub(crate) fn decode_patch(
    bytes: &[u8],
    rows_after: u32,
    cells: u32,
    encoding: Encoding,
    inserted: &[u32],
) -> Result<CellPatch> {
    let mut cursor = Cursor::new(bytes, Layer::Cells);
    let changed = cursor.u32()?;
    let all = usize::try_from(changed).ok().and_then(|changed| changed.checked_add(inserted.len()));
    if all != Some(cells as usize) || !(1..=rows_after.min(MAX_GROUP_ROWS)).contains(&cells) {
        let why = format!(
            "a patch of {changed} changed and {} inserted rows, where {cells} cells of {rows_after} are stated",
            inserted.len()
        );
        return Err(Error::damaged(Layer::Block, why));
    }
    let changed = read_ordinals(&mut cursor, changed, rows_after)?;
    if changed.iter().any(|row| inserted.binary_search(row).is_ok()) {
        return Err(damaged("a row that is inserted, and changed too"));
    }
    let block = bytes.get(cursor.position()..).unwrap_or_default();
    if block.first() != Some(&encoding.number()) {
        return Err(Error::damaged(Layer::Block, "a patch of another encoding than its entry states"));
    }
    super::decode(block, cells).map(|(_, cells)| CellPatch { changed, cells })
}

/// Nothing where there are none.
fn write_ordinals(ordinals: &[u32], profile: Profile, out: &mut Vec<u8>) {
    if !ordinals.is_empty() {
        let words: Vec<u64> = ordinals.iter().copied().map(u64::from).collect();
        codec_choice::write_best(&words, profile, out);
    }
}

/// `count` ordinals of rows of a state of `rows`, ascending; more than there are rows are refused before they get room.
fn read_ordinals(cursor: &mut Cursor<'_>, count: u32, rows: u32) -> Result<Vec<u32>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if count > rows {
        return Err(damaged(format!("{count} ordinals of {rows} rows")));
    }
    let places = numbers::read_places(cursor, count as usize, rows as usize)?;
    // Below `rows`, which is a `u32`.
    Ok(places.into_iter().filter_map(|place| u32::try_from(place).ok()).collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Cell, Cells};

    const PROFILES: [Profile; 2] = [Profile::Standard, Profile::Fast];

    fn places(deleted: &[u32], inserted: &[u32]) -> Places {
        Places { deleted: deleted.to_vec(), inserted: inserted.to_vec() }
    }

    /// Ordinals that look thrown.
    fn scattered(count: u32) -> Vec<u32> {
        (0..count).map(|at| at * 40 + at.wrapping_mul(0x9E37_79B9) % 37).collect()
    }

    fn count(ordinals: &[u32]) -> u32 {
        u32::try_from(ordinals.len()).unwrap()
    }

    fn decoded(bytes: &[u8], rows_before: u32, of: &Places) -> Result<Places> {
        decode_places(bytes, rows_before, count(&of.deleted), count(&of.inserted))
    }

    fn samples() -> Vec<(Places, u32)> {
        vec![
            (places(&[0], &[]), 2),
            (places(&[], &[1]), 1),
            (places(&[0, 1], &[0, 1, 2]), 2),
            (places(&[3, 9], &[0, 7]), 10),
            (places(&scattered(1000), &scattered(1001)), 50_000),
        ]
    }

    #[test]
    fn places_come_back() {
        for (places, rows) in samples() {
            for profile in PROFILES {
                let bytes = encode_places(&places, profile);
                assert_eq!(decoded(&bytes, rows, &places).unwrap(), places);
            }
        }
        assert!(encode_places(&Places::default(), Profile::Standard).is_empty());
    }

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let bytes = encode_places(&places(&[7], &[2]), Profile::Standard);
        assert_eq!(bytes, [&[0][..], &7_u64.to_le_bytes(), &[0], &2_u64.to_le_bytes()].concat());
        let patch = CellPatch { changed: vec![5], cells: Cells::of(&[Cell::Null, Cell::Null]) };
        let encoded = encode_patch(&patch, Profile::Standard);
        let block = [0, 2, 0, 0, 0, 0, 0];
        assert_eq!(encoded.bytes, [&[1, 0, 0, 0, 0][..], &5_u64.to_le_bytes(), &block].concat());
        assert_eq!((encoded.encoding, encoded.logical_bytes), (Encoding::Plain, 6));
        let inserted = CellPatch { changed: Vec::new(), ..patch };
        assert_eq!(encode_patch(&inserted, Profile::Standard).bytes, [&[0; 4][..], &block].concat());
    }

    #[test]
    fn cuts_of_places_are_refused_and_flips_are_other_places_or_refused() {
        for (places, rows) in samples() {
            let bytes = encode_places(&places, Profile::Standard);
            let step = bytes.len() / 300 + 1;
            for length in (0..bytes.len()).step_by(step) {
                assert!(decoded(&bytes[..length], rows, &places).unwrap_err().is_damaged(), "{length}");
            }
            assert!(decoded(&[&bytes[..], &[0]].concat(), rows, &places).unwrap_err().is_damaged());
            for (at, bit) in (0..bytes.len()).step_by(step).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                if let Ok(other) = decoded(&flipped, rows, &places) {
                    check(&other.deleted, rows);
                    check(&other.inserted, places.rows_after(rows).unwrap());
                }
            }
        }
    }

    fn check(ordinals: &[u32], rows: u32) {
        assert!(ordinals.is_sorted_by(|a, b| a < b) && ordinals.last().is_none_or(|last| *last < rows));
    }

    #[test]
    fn places_that_no_states_have_are_refused() {
        let bytes = encode_places(&places(&[1], &[1]), Profile::Standard);
        decode_places(&bytes, 2, 1, 1).unwrap();
        for (rows, deleted, inserted) in [
            (1, 1, 1),
            (2, 0, 0),
            (2, 3, 1),
            (0, 0, 1),
            (1, 1, 0),
            (MAX_GROUP_ROWS + 1, 1, 1),
            (MAX_GROUP_ROWS, 1, 2),
            (2, 1, u32::MAX),
            (u32::MAX, u32::MAX, u32::MAX),
        ] {
            assert!(decode_places(&bytes, rows, deleted, inserted).unwrap_err().is_damaged(), "{rows}");
        }
        let twice = [bytes.clone(), bytes[9..].to_vec()].concat();
        assert!(decode_places(&twice, 2, 1, 1).unwrap_err().to_string().contains("left over"));
    }

    #[test]
    fn a_few_bytes_do_not_become_many_ordinals() {
        // A delta of width 0 says any number of ordinals in 18 bytes; no more are read than a state has rows.
        let all: Vec<u32> = (0..MAX_GROUP_ROWS).collect();
        let bytes = encode_places(&places(&all, &[0]), Profile::Standard);
        assert!(bytes.len() < 40);
        decode_places(&bytes, MAX_GROUP_ROWS, MAX_GROUP_ROWS, 1).unwrap();
        let patch = [&u32::MAX.to_le_bytes()[..], &bytes].concat();
        assert!(decode_patch(&patch, u32::MAX, u32::MAX, Encoding::Plain, &[]).unwrap_err().is_damaged());
    }

    /// A patch of all kinds of cells, and the inserted rows of it.
    fn patch(rows: u32) -> (CellPatch, Vec<u32>) {
        let ordinals = scattered(rows);
        let (inserted, changed) = ordinals.iter().partition(|ordinal| **ordinal % 3 == 0);
        let cells: Vec<Cell<'_>> = (0..rows)
            .map(|row| match row % 5 {
                0 => Cell::Null,
                1 => Cell::Text("é".as_bytes()),
                2 => Cell::Real(-0.0),
                _ => Cell::Integer(i64::from(row * row)),
            })
            .collect();
        (CellPatch { changed, cells: Cells::of(&cells) }, inserted)
    }

    #[test]
    fn patches_come_back() {
        for rows in [1, 2, 30, 2000] {
            let (patch, inserted) = patch(rows);
            for profile in PROFILES {
                let encoded = encode_patch(&patch, profile);
                let again = decode_patch(&encoded.bytes, rows * 40, rows, encoded.encoding, &inserted).unwrap();
                assert_eq!(again, patch);
                assert_eq!(encoded.logical_bytes, patch.cells.logical_bytes());
            }
        }
    }

    #[test]
    fn cuts_of_patches_are_refused_and_flips_are_other_patches_or_refused() {
        for rows in [1, 2, 30, 700] {
            let (patch, inserted) = patch(rows);
            let EncodedPatch { bytes, encoding, .. } = encode_patch(&patch, Profile::Standard);
            let decode = |bytes: &[u8]| decode_patch(bytes, rows * 40, rows, encoding, &inserted);
            let step = bytes.len() / 300 + 1;
            for length in (0..bytes.len()).step_by(step) {
                assert!(decode(&bytes[..length]).is_err(), "{length}");
            }
            assert!(decode(&[&bytes[..], &[0]].concat()).unwrap_err().is_damaged());
            for (at, bit) in (0..bytes.len()).step_by(step).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                if let Ok(other) = decode(&flipped) {
                    check(&other.changed, rows * 40);
                    assert_eq!(other.changed.len() + inserted.len(), rows as usize);
                    assert_eq!(other.cells.rows(), rows);
                    assert_eq!(Cells::from_parts(other.cells.clone().into_parts()).unwrap(), other.cells);
                }
            }
        }
    }

    #[test]
    fn patches_that_do_not_fit_their_state_are_refused() {
        let patch = CellPatch { changed: vec![1, 3], cells: Cells::of(&[Cell::Null; 3]) };
        let bytes = encode_patch(&patch, Profile::Standard).bytes;
        let refused = |rows_after, cells, inserted: &[u32]| {
            let error = decode_patch(&bytes, rows_after, cells, Encoding::Plain, inserted).unwrap_err();
            assert!(error.is_damaged(), "{error}");
            error.to_string()
        };
        assert_eq!(decode_patch(&bytes, 4, 3, Encoding::Plain, &[2]).unwrap(), patch);
        // What a page states is compared before anything is decoded by it.
        let other = decode_patch(&bytes, 4, 3, Encoding::Delta, &[2]).unwrap_err();
        assert_eq!(other.layer(), Some(Layer::Block));
        assert!(refused(3, 3, &[2]).contains("ascend or lead nowhere"));
        assert!(refused(4, 3, &[3]).contains("inserted, and changed"));
        assert!(refused(4, 4, &[2]).contains("4 cells of 4 are stated"));
        assert!(refused(4, 3, &[0, 2]).contains("2 inserted"));
        assert!(refused(2, 3, &[2]).contains("3 cells of 2"));
        // Two cells where the block inside has three.
        assert!(refused(4, 2, &[]).contains("3 rows in a block"));
        assert!(decode_patch(&[0; 4], 4, 0, Encoding::Plain, &[]).unwrap_err().is_damaged());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read_or_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..120),
            counts in (0_u32..50, 0_u32..50, 0_u32..50),
        ) {
            let (rows, some, others) = counts;
            if let Ok(places) = decode_places(&bytes, rows, some, others) {
                check(&places.deleted, rows);
                check(&places.inserted, rows - some + others);
            }
            let inserted: Vec<u32> = (0..others.min(3)).collect();
            let bytes = [&some.to_le_bytes()[..], &bytes].concat();
            let cells = some + count(&inserted);
            if let Ok(patch) = decode_patch(&bytes, rows, cells, Encoding::Plain, &inserted) {
                check(&patch.changed, rows);
                prop_assert_eq!(patch.cells.rows(), cells);
            }
        }
    }
}
