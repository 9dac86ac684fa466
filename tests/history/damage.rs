//! Damage in what an earlier snapshot wrote must not pass to a new one.

use super::evolving::{Evolving, Shape};
use super::tables::{fixed_options, header, open, rows_of, with_snapshot};
use tabark::archive::{SnapshotSelector, VerifyOptions, verify};

#[test]
fn what_is_damaged_is_written_anew() {
    let mut tables = Evolving::of_shape(21, 20_000, Shape::Wide);
    let first = tables.state();
    let mut bytes = with_snapshot(Vec::new(), header(1), &first, fixed_options(1));
    let frame = {
        let archive = open(&bytes);
        let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
        let group = snapshot.table("wide").unwrap().groups().next().unwrap().unwrap();
        *group.frame_of(&group.entry.blocks[2].pieces[0].slice).unwrap()
    };
    let middle = usize::try_from(frame.offset + frame.length / 2).unwrap();
    bytes[middle] ^= 0x10;
    for changes in [0, 5] {
        tables.update(changes);
        let second = tables.state();
        let after = with_snapshot(bytes.clone(), header(2), &second, fixed_options(1));
        let archive = open(&after);
        assert!(rows_of(&archive, 1, "wide").unwrap_err().is_damaged());
        assert!(second[0].has_rows(&rows_of(&archive, 2, "wide").unwrap()), "{changes} changes");
        let newest = VerifyOptions::default().full(true).at(Some(SnapshotSelector::Latest));
        let report = verify(&archive, &newest, &()).unwrap();
        assert!(report.is_intact(), "{:?}", report.findings);
    }
}

#[test]
fn a_damaged_page_or_manifest_of_the_parent_stops_no_dump() {
    let tables = Evolving::of_shape(22, 3000, Shape::Narrow).state();
    let bytes = with_snapshot(Vec::new(), header(1), &tables, fixed_options(1));
    let (manifest, catalog) = {
        let archive = open(&bytes);
        let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
        (snapshot.catalog().tables[0].manifest.frame, snapshot.manifest().catalog)
    };
    for frame in [manifest, catalog] {
        let mut damaged = bytes.clone();
        damaged[usize::try_from(frame.end().unwrap()).unwrap() - 1] ^= 1;
        let after = with_snapshot(damaged, header(2), &tables, fixed_options(1));
        let archive = open(&after);
        assert!(tables[0].has_rows(&rows_of(&archive, 2, "narrow").unwrap()));
        let newest = VerifyOptions::default().full(true).at(Some(SnapshotSelector::Latest));
        assert!(verify(&archive, &newest, &()).unwrap().is_intact());
    }
}

#[test]
fn every_flip_in_an_archive_of_layers_is_found() {
    let mut tables = Evolving::new(23, 200);
    let mut bytes = Vec::new();
    for time in 1..=3 {
        bytes = with_snapshot(bytes, header(time), &tables.state(), fixed_options(1));
        tables.update(2);
    }
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1 << (place % 8);
        let Ok(archive) = tabark::archive::Archive::from_storage(std::sync::Arc::new(damaged)) else { continue };
        let report = verify(&archive, &VerifyOptions::default(), &());
        assert!(report.is_err() || report.is_ok_and(|report| !report.is_intact()), "byte {place}");
    }
}
