//! What must hold of the layers and pieces of a row group (`spec/format.md` §5.2) before anything of it is read.

use super::manifest::{BlockEntry, LayerEntry, PieceEntry, RowGroupEntry};
use super::rules::Broken;
use crate::error::Layer;
use crate::limits::{MAX_GROUP_BYTES, MAX_GROUP_ROWS, MAX_LAYERS};

type Check = Result<(), Broken>;

fn refuse(why: &str) -> Check {
    Err(Broken { layer: Layer::Page, why: why.into() })
}

/// What the canonical forms of a row group of more than one row can have: what stands before a column's cells, and row bytes.
pub(super) fn most_logical_bytes(columns: usize) -> u64 {
    MAX_GROUP_BYTES.saturating_add(6 * columns as u64)
}

/// Checks the states of a row group and the pieces of its blocks: rows, counts and sizes.
pub(super) fn check(group: &RowGroupEntry) -> Check {
    let states = states(group)?;
    for block in &group.blocks {
        check_pieces(block, &group.layers, &states)?;
    }
    if group.layers.is_empty() { check_whole(group) } else { check_sizes(group, &states) }
}

/// The rows of each state, the first to the last.
fn states(group: &RowGroupEntry) -> Result<Vec<u64>, Broken> {
    if group.layers.len() > MAX_LAYERS {
        let why = format!("{} layers of a row group; at most {MAX_LAYERS} are allowed", group.layers.len());
        return Err(Broken { layer: Layer::Metadata, why });
    }
    let mut states = Vec::with_capacity(group.layers.len() + 1);
    for layer in &group.layers {
        if states.last().is_some_and(|rows| *rows != layer.rows) {
            refuse("a layer for another number of rows than the one before it leaves")?;
        }
        if layer.places.is_some() != (layer.deleted > 0 || layer.inserted > 0) {
            refuse("places of a layer without rows to take out or put in, or the other way round")?;
        }
        if states.is_empty() {
            states.push(layer.rows);
        }
        let left = layer.rows.checked_sub(layer.deleted).and_then(|rows| rows.checked_add(layer.inserted));
        match left {
            Some(rows) => states.push(rows),
            None => refuse("a layer that takes out more rows than there are")?,
        }
    }
    if states.is_empty() {
        states.push(group.rows);
    }
    if states.last() != Some(&group.rows) {
        refuse("layers that lead to another number of rows than the row group's")?;
    }
    if states.iter().any(|rows| *rows == 0 || *rows > u64::from(MAX_GROUP_ROWS)) {
        refuse("a row group without rows, or with too many")?;
    }
    Ok(states)
}

fn check_pieces(block: &BlockEntry, layers: &[LayerEntry], states: &[u64]) -> Check {
    let Some((base, patches)) = block.pieces.split_first() else { return refuse("a block without pieces") };
    if states.get(base.layer as usize) != Some(&base.rows) {
        return refuse("a whole block of other rows than its state has");
    }
    let mut patches = patches.iter().peekable();
    for (number, layer) in (1_u32..).zip(layers).skip(base.layer as usize) {
        let patch = patches.next_if(|patch| patch.layer == number);
        match patch {
            None if layer.inserted > 0 => return refuse("a layer puts rows in, and a column has no cells for them"),
            Some(patch) if !fits(patch, layer, states.get(number as usize)) => {
                return refuse("a patch of fewer cells than its layer puts in, or of more than there are");
            }
            _ => {}
        }
    }
    if patches.next().is_some() { refuse("patches that are not ascending by layer, or of no layer") } else { Ok(()) }
}

fn fits(patch: &PieceEntry, layer: &LayerEntry, rows_after: Option<&u64>) -> bool {
    patch.rows >= layer.inserted.max(1) && rows_after.is_some_and(|rows| patch.rows <= *rows)
}

/// Without layers, a block is its one piece.
fn check_whole(group: &RowGroupEntry) -> Check {
    let differs = |block: &BlockEntry| block.base().is_some_and(|base| base.logical_bytes != block.logical_bytes);
    if group.blocks.iter().any(differs) {
        return refuse("a block of other bytes than its only piece");
    }
    let columns = group.blocks.len();
    let bytes = total(group.blocks.iter().map(|block| block.logical_bytes));
    if group.rows > 1 && group.rows.saturating_mul(columns as u64) > MAX_GROUP_BYTES {
        return refuse("a row group of more cells than its bytes allow");
    }
    if group.rows > 1 && bytes > most_logical_bytes(columns) {
        return refuse("a row group of more bytes than it may have");
    }
    Ok(())
}

/// With layers, no state is larger than a row group may be, and what a reader expands for a block is bounded by the block.
fn check_sizes(group: &RowGroupEntry, states: &[u64]) -> Check {
    let columns = group.blocks.len();
    if states.iter().any(|rows| rows.saturating_mul(columns as u64) > MAX_GROUP_BYTES) {
        return refuse("a row group of more cells than its bytes allow");
    }
    if total(group.blocks.iter().map(|block| block.logical_bytes)) > most_logical_bytes(columns) {
        return refuse("a row group of more bytes than it may have");
    }
    let pieces = |block: &BlockEntry| total(block.pieces.iter().map(|piece| piece.logical_bytes));
    if group.blocks.iter().any(|block| pieces(block) > most_piece_bytes(block.logical_bytes)) {
        return refuse("pieces of a block of more bytes than they may have together");
    }
    Ok(())
}

/// Bytes that all pieces of a block of so many bytes may have together.
pub(super) fn most_piece_bytes(logical_bytes: u64) -> u64 {
    logical_bytes.saturating_mul(4).saturating_add(4096)
}

fn total(bytes: impl Iterator<Item = u64>) -> u64 {
    bytes.fold(0, u64::saturating_add)
}
