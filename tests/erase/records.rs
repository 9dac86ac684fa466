//! What an archive tells of erasures, and for how long.

use tabark::archive::{VerifyOptions, WriterOptions, key_digest, verify};
use tabark::model::{Cell, Value};
use tabark::rewrite::{compact, prune};

use super::scene::{Scene, key, request};
use super::tables::{TestTable, fixed_options, header, open, rows_of, schema, with_snapshot};

fn state(rows: i64) -> TestTable {
    let row = |id| vec![Value::Integer(id), Value::Text(format!("name {id}").into())];
    TestTable { schema: schema("t", &["id", "name"], &[0]), rows: (1..=rows).map(row).collect() }
}

fn erased() -> Scene {
    let scene = Scene::new(vec![state(10), state(11), state(12)]);
    scene.erase(&request("t", [key(&["12"]), key(&["3"]), key(&["77"])])).unwrap().unwrap();
    scene
}

#[test]
fn a_record_says_what_went_and_holds_no_key() {
    let scene = Scene::new(vec![state(10), state(11), state(12)]);
    let before: Vec<_> = open(&scene.bytes()).snapshots().unwrap().iter().map(|of| (of.number, of.root())).collect();
    let report = scene.erase(&request("t", [key(&["12"]), key(&["3"]), key(&["77"])])).unwrap().unwrap();
    let archive = open(&scene.bytes());
    let records = archive.erasures().unwrap();
    assert_eq!(records, [report.record]);
    let record = &records[0];
    assert_eq!((record.time, record.table.as_str(), record.reason.as_str()), (1000, "t", "asked to"));
    assert_eq!((record.rows, record.snapshots, record.others.len(), record.all_rows()), (4, 3, 0, 4));
    let after: Vec<_> = archive.snapshots().unwrap().iter().map(|of| of.root()).collect();
    let roots: Vec<_> = before.iter().zip(after).map(|((number, old), new)| (*number, *old, new)).collect();
    assert_eq!(record.roots, roots);
    let digest = |id| key_digest(&record.salt, "t", &record.columns, &[Cell::Integer(id)]).unwrap();
    let mut expected = [digest(3), digest(12)];
    expected.sort_unstable();
    assert_eq!(record.keys, expected);
}

#[test]
fn records_survive_dumps_prunes_compactions_and_more_erasures() {
    let scene = erased();
    let first = open(&scene.bytes()).erasures().unwrap();
    scene.put(&with_snapshot(scene.bytes(), header(4), &[state(20)], fixed_options(3)));
    assert_eq!(open(&scene.bytes()).erasures().unwrap(), first);
    prune(&scene.path(), &[2, 4], WriterOptions::default(), &()).unwrap();
    assert_eq!(open(&scene.bytes()).erasures().unwrap(), first);
    compact(&scene.path(), WriterOptions::default().with_level(9), &()).unwrap();
    assert_eq!(open(&scene.bytes()).erasures().unwrap(), first);
    let more = scene.erase(&request("t", [key(&["20"])])).unwrap().unwrap().record;
    let all = open(&scene.bytes()).erasures().unwrap();
    assert_eq!(all, [first[0].clone(), more]);
    super::files::assert_intact(&open(&scene.bytes()));
    let left: Vec<usize> = [2, 4].map(|number| rows_of(&open(&scene.bytes()), number, "t").unwrap().len()).to_vec();
    assert_eq!(left, [10, 19]);
}

#[test]
fn snapshots_can_be_read_where_the_records_cannot() {
    let scene = erased();
    let bytes = scene.bytes();
    let archive = open(&bytes);
    let at = usize::try_from(archive.container().last().commit.erasures.unwrap().offset).unwrap();
    for place in [at + 5, at + 50, at + 110] {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1;
        let archive = open(&damaged);
        assert_eq!(rows_of(&archive, 3, "t").unwrap().len(), 10);
        assert!(archive.erasures().unwrap_err().is_damaged());
        let report = verify(&archive, &VerifyOptions::default(), &()).unwrap();
        assert!(!report.is_intact() && report.tables.iter().all(|table| table.intact), "{report:?}");
        // They would be lost.
        scene.put(&damaged);
        let error = compact(&scene.path(), WriterOptions::default(), &()).unwrap_err();
        assert!(error.is_damaged() && error.hint().is_some(), "{error}");
        assert!(scene.bytes() == damaged);
    }
}
