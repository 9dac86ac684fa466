//! Damaged archives: what is chosen is verified before the target is touched.

use super::*;

/// Two tables whose rows are too many to share a frame.
fn two_tables() -> Case {
    Case::new(
        "CREATE TABLE a(id INTEGER PRIMARY KEY, x TEXT); CREATE TABLE b(id INTEGER PRIMARY KEY, x BLOB); CREATE INDEX i ON a(x);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
         INSERT INTO a SELECT i, hex(randomblob(40)) FROM n;
         INSERT INTO b SELECT id, randomblob(60) FROM a;",
    )
}

/// The place in the archive of a byte of the given table's rows.
fn place_of_rows(case: &Case, name: &str) -> usize {
    let archive = Archive::open(&case.archive()).unwrap();
    let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
    let table = snapshot.table(name).unwrap();
    let group = table.groups().next().unwrap().unwrap();
    let frame = group.frame_of(&group.entry.blocks[1].pieces[0].slice).unwrap();
    usize::try_from(frame.offset + frame.length - 10).unwrap()
}

fn flip(case: &Case, place: usize) {
    let mut damaged = bytes(&case.archive());
    damaged[place] ^= 0x10;
    std::fs::write(case.archive(), damaged).unwrap();
}

#[test]
fn a_damaged_table_is_refused_and_another_restored() {
    for target_exists in [false, true] {
        let case = two_tables();
        if target_exists {
            drop(case.make_target("CREATE TABLE mine(a); INSERT INTO mine VALUES (1); CREATE TABLE a(old)"));
        }
        flip(&case, place_of_rows(&case, "a"));
        for tables in [&["a"][..], &[], &["b", "a"]] {
            let error = case.refused(RestoreMode::Replace, tables);
            assert!(error.is_damaged(), "{error}");
            assert_eq!(error.table(), Some("a"));
        }
        let report = case.restore(RestoreMode::Replace, &["b"]).unwrap();
        assert_eq!(report.tables[0].rows, 9000);
        let source = Connection::open(case.source()).unwrap();
        assert_eq!(reading::table(&case.open_target(), "b"), reading::table(&source, "b"));
    }
}

/// All that is chosen is verified first: a damaged last table must not show after hours of restoring the others.
#[test]
fn nothing_is_written_before_everything_is_verified() {
    struct WritesNothing;
    impl Observer for WritesNothing {
        fn begin(&self, phase: tabark::observer::Phase, table: Option<&str>, _: Option<u64>, _: Option<u64>) {
            assert_eq!(phase, tabark::observer::Phase::Verify, "{table:?}");
        }
    }
    let case = two_tables();
    flip(&case, place_of_rows(&case, "b"));
    let error = case.restore_with(&RestoreOptions::default(), &WritesNothing).unwrap_err();
    assert!(error.is_damaged() && error.table() == Some("b"), "{error}");
}

/// Wherever a byte is flipped: a restore fails and leaves nothing, or brings everything back.
#[test]
fn no_flipped_byte_leads_to_a_wrong_restore() {
    let case = Case::new(
        "CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT, b); INSERT INTO t(b) VALUES ('x'), (1.5), (x'00');
         CREATE INDEX i ON t(b); CREATE VIEW v AS SELECT * FROM t;",
    );
    let sound = bytes(&case.archive());
    let expected = read_everything(&case.source());
    let (mut refused, mut restored) = (0, 0);
    for place in (0..sound.len()).step_by(3) {
        let mut damaged = sound.clone();
        damaged[place] ^= 1 << (place % 8);
        std::fs::write(case.archive(), damaged).unwrap();
        match case.restore(RestoreMode::Create, &[]) {
            Ok(_) => {
                restored += 1;
                assert_eq!(read_everything(&case.target()), expected, "byte {place}");
                std::fs::remove_file(case.target()).unwrap();
            }
            Err(error) => {
                refused += 1;
                assert!(error.is_damaged() || error.is_unsupported(), "byte {place}: {error}");
            }
        }
        assert_eq!(files(case.directory.path()), ["archive.tabark", "source.db"], "byte {place}");
    }
    assert!(refused > restored, "{refused} {restored}");
}
