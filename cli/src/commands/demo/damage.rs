//! Damages a copy of an archive in one place that one table alone uses.

use std::path::Path;

use tabark::Error;
use tabark::archive::{Archive, SnapshotSelector};
use tabark::container::layout::FRAME_HEADER_LENGTH;

/// Copies the archive and flips a bit in the largest column block of a table. Gives the
/// offsets of the bit's byte and of its frame.
pub(super) fn damaged_copy(archive: &Path, copy: &Path, table: &str) -> Result<(u64, u64), Error> {
    let (offset, frame) = place_of(archive, table)?;
    let doing = || format!("copying {} to {}", archive.display(), copy.display());
    let mut bytes = std::fs::read(archive).map_err(|cause| Error::io(doing(), cause))?;
    let byte = usize::try_from(offset).ok().and_then(|offset| bytes.get_mut(offset));
    *byte.ok_or_else(|| Error::request("the place to damage is not in the archive"))? ^= 1;
    std::fs::write(copy, bytes).map_err(|cause| Error::io(doing(), cause))?;
    Ok((offset, frame))
}

/// The middle of the stored body that holds the largest block: small blocks share frames with other tables.
fn place_of(archive: &Path, table: &str) -> Result<(u64, u64), Error> {
    let archive = Archive::open(archive)?;
    let table = archive.select(&SnapshotSelector::Latest)?.table(table)?;
    let mut largest = None;
    for group in table.groups() {
        let group = group?;
        for piece in group.entry.blocks.iter().flat_map(|block| &block.pieces) {
            let length = piece.slice.length;
            if largest.is_none_or(|(largest, _)| length > largest) {
                largest = group.frame_of(&piece.slice).map(|frame| (length, *frame));
            }
        }
    }
    let (_, frame) = largest.ok_or_else(|| Error::request("the table has no rows to damage"))?;
    let header = FRAME_HEADER_LENGTH as u64;
    Ok((frame.offset + header + frame.length.saturating_sub(header) / 2, frame.offset))
}
