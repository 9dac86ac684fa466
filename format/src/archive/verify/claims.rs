//! Slices that a snapshot uses in several places (`spec/format.md` §3.4): a directory can name only one of them, which
//! must then really be one.

use std::collections::BTreeMap;

use crate::archive::manifest::label;
use crate::archive::pack::Claim;
use crate::archive::reader::Snapshot;
use crate::archive::table_reader::group_places;
use crate::archive::tree::Leaf;
use crate::error::{Error, Layer, Result};

/// What a directory may claim of one table: (what, group, column) → the slices (frame offset, start) it says stand there.
type Claimed = BTreeMap<(u8, u64, u32), Vec<(u64, u64)>>;

/// Checks claims against the places that they name; gives what is wrong. Each table named is walked once.
pub(super) fn check(snapshot: &Snapshot<'_>, claims: Vec<Claim>) -> Result<Vec<Error>> {
    let mut tables: BTreeMap<String, Claimed> = BTreeMap::new();
    for claim in claims {
        let places = tables.entry(claim.table).or_default();
        let slices = places.entry((claim.what, claim.group, claim.column)).or_default();
        if !slices.contains(&(claim.frame, claim.start)) {
            slices.push((claim.frame, claim.start));
        }
    }
    let mut errors = Vec::new();
    for (name, mut claimed) in tables {
        match snapshot.table(&name) {
            Ok(table) => {
                for leaf in table.leaves().filter_map(std::result::Result::ok) {
                    strike_out(leaf, &mut claimed);
                }
            }
            Err(error) if error.is_io() => return Err(error),
            // A table that is not there, or cannot be read, bears no claim out.
            Err(_) => {}
        }
        errors.extend(claimed.values().flatten().map(|(frame, _)| {
            let why = "a frame's directory and the manifests name a slice differently";
            Error::damaged(Layer::Directory, why).at(*frame).in_table(&name)
        }));
    }
    Ok(errors)
}

/// Forgets the claims that this page bears out.
fn strike_out(leaf: Leaf, claimed: &mut Claimed) {
    let mut found = |what, group, column, frame, start| {
        if let Some(slices) = claimed.get_mut(&(what, group, column)) {
            slices.retain(|slice| *slice != (frame, start));
        }
    };
    found(label::PAGE, leaf.first_group, 0, leaf.page.frame.offset, leaf.page.start);
    for place in group_places(leaf) {
        for (label, slice) in place.labels() {
            if let Some(frame) = place.frame_of(slice) {
                found(label.what, label.group, label.column, frame.offset, slice.start);
            }
        }
    }
}
