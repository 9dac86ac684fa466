//! Damaged and forged pages: an error that names the table, or the rows that SQL gives; never a panic, an endless walk or
//! other rows.

use std::collections::BTreeMap;

use tabark::source::Source as _;
use tabark::source::sqlite::{Reading, SqliteSource};

use super::{Database, bytes_of, collect, is_identical, table};

const PAGE: usize = 512;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        // Vigna's splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

fn database(encoding: &str) -> Database {
    Database::new(&format!(
        "PRAGMA encoding = '{encoding}'; PRAGMA page_size = {PAGE}; CREATE TABLE t(id INTEGER PRIMARY KEY, a, r REAL, b TEXT);
         CREATE TABLE k(a TEXT, b, c, PRIMARY KEY(b DESC, a)) WITHOUT ROWID; CREATE TABLE h(a, b);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
         INSERT INTO t SELECT i, zeroblob(i * 31 % 900), i, 'text ' || i FROM n;
         INSERT INTO k SELECT b || b, id % 7, a FROM t; INSERT INTO h SELECT r * 1.5, b FROM t;
         ALTER TABLE h ADD COLUMN late DEFAULT 'late'"
    ))
}

/// One change of some bytes, of the kinds that find their way to the reader's branches.
fn damage(bytes: &mut [u8], dice: &mut Dice) {
    let pages = bytes.len() / PAGE;
    let page = (1 + dice.below(pages - 1)) * PAGE;
    match dice.below(8) {
        // A bit anywhere, then in a page's header and cell pointers.
        0 => bytes[page + dice.below(PAGE)] ^= 1 << dice.below(8),
        1 | 2 => bytes[page + dice.below(40)] ^= 1 << dice.below(8),
        // A byte that means much: none, all, a length's first byte, a page's kind.
        3 | 4 => bytes[page + dice.below(PAGE)] = [0, 1, 0x7f, 0x80, 0xff, 5, 13, 2, 10][dice.below(9)],
        // A run of bytes.
        5 => {
            let (place, length, value) = (dice.below(PAGE - 64), 1 + dice.below(64), dice.below(256) as u8);
            bytes[page + place..page + place + length].fill(value);
        }
        // The number of some page where another one may stand: circles, and pages that are met twice.
        6 => {
            let (place, number) = (dice.below(PAGE - 4), dice.below(pages + 2) as u32);
            bytes[page + place..page + place + 4].copy_from_slice(&number.to_be_bytes());
        }
        // One page in another's place.
        _ => {
            let from = (1 + dice.below(pages - 1)) * PAGE;
            bytes.copy_within(from..from + PAGE, page);
        }
    }
}

#[test]
fn damaged_pages_give_an_error_or_what_sql_gives() {
    let mut outcomes: BTreeMap<&str, u32> = BTreeMap::new();
    for (encoding, seed) in [("UTF-8", 1), ("UTF-16le", 2)] {
        let database = database(encoding);
        let whole = bytes_of(&database.path());
        let tables: Vec<_> = ["t", "k", "h"].map(|name| table(&database.source(), name)).into();
        let mut dice = Dice(seed);
        for case in 0..1500 {
            let mut bytes = whole.clone();
            for _ in 0..1 + dice.below(6) {
                damage(&mut bytes, &mut dice);
            }
            std::fs::write(database.path(), &bytes).unwrap();
            // A caller's own connection looks less closely at pages than one that is opened for a dump.
            let callers = database.writer();
            let opened = if case % 2 == 0 {
                SqliteSource::open(&database.path())
            } else {
                callers.execute_batch("BEGIN").unwrap();
                SqliteSource::over(&callers)
            };
            let Ok(source) = opened else { continue };
            let by_sql = source.with_reading(Reading::Sql);
            for schema in &tables {
                let by_pages = collect(|sink| source.read_table(schema, sink));
                let by_sql = collect(|sink| by_sql.read_table(schema, sink));
                let what = format!("{encoding}, case {case}, table {}", schema.name);
                let outcome = match (by_pages, by_sql) {
                    (Ok(by_pages), Ok(by_sql)) => {
                        assert!(is_identical(&by_pages, &by_sql), "{what}: other rows than SQL's");
                        "same rows"
                    }
                    (Err(error), by_sql) => {
                        assert!(error.is_database() && error.table() == Some(&schema.name), "{what}: {error}");
                        if by_sql.is_ok() { "only pages refuse" } else { "both refuse" }
                    }
                    (Ok(_), Err(_)) => "only SQL refuses",
                };
                *outcomes.entry(outcome).or_default() += 1;
            }
        }
    }
    let seen = |outcome: &str| outcomes.get(outcome).copied().unwrap_or_default();
    assert!(seen("same rows") > 1000 && seen("both refuse") > 500, "{outcomes:?}");
    // SQLite passes over some contradictions (a pointer beyond the page, a reserved serial type).
    assert!(seen("only pages refuse") < seen("both refuse") / 5, "{outcomes:?}");
}

/// Every page of the table is made to lead back to the root, or to one neighbour, whose rows SQL gives again and again.
#[test]
fn a_b_tree_that_leads_in_circles_is_damage() {
    for name in ["t", "k"] {
        let database = database("UTF-8");
        let whole = bytes_of(&database.path());
        let root: u32 = database
            .writer()
            .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [name], |row| row.get(0))
            .unwrap();
        let place = (root as usize - 1) * PAGE;
        let leftmost = {
            let cell = usize::from(u16::from_be_bytes([whole[place + 12], whole[place + 13]]));
            whole[place + cell..place + cell + 4].to_vec()
        };
        for target in [root.to_be_bytes().to_vec(), leftmost] {
            let mut bytes = whole.clone();
            let cells = usize::from(u16::from_be_bytes([bytes[place + 3], bytes[place + 4]]));
            for cell in 0..cells {
                let pointer = place + 12 + 2 * cell;
                let cell = place + usize::from(u16::from_be_bytes([bytes[pointer], bytes[pointer + 1]]));
                bytes[cell..cell + 4].copy_from_slice(&target);
            }
            bytes[place + 8..place + 12].copy_from_slice(&target);
            std::fs::write(database.path(), &bytes).unwrap();
            let source = database.source();
            let schema = table(&source, name);
            assert_eq!(source.reading_of(&schema), Reading::Pages);
            let error = collect(|sink| source.read_table(&schema, sink)).unwrap_err();
            assert!(error.is_database() && error.table() == Some(name), "{error}");
            assert!(error.message().contains("damaged"), "{error}");
        }
    }
}

/// A record that says it goes on for as long as SQLite allows, over pages that lead in a circle.
#[test]
fn a_record_longer_than_the_database_is_damage() {
    let database = Database::new("PRAGMA page_size = 512; CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(20000))");
    let mut bytes = bytes_of(&database.path());
    let cell = PAGE + usize::from(u16::from_be_bytes([bytes[PAGE + 8], bytes[PAGE + 9]]));
    assert_eq!(bytes[cell] & 0x80, 0x80);
    // The length takes three bytes; with these the record would have two million, in a file of twenty thousand.
    bytes[cell..cell + 3].copy_from_slice(&[0xff, 0xff, 0x7f]);
    std::fs::write(database.path(), &bytes).unwrap();
    let source = database.source();
    let error = collect(|sink| source.read_table(&table(&source, "t"), sink)).unwrap_err();
    assert!(error.message().contains("longer than any can be") && error.table() == Some("t"), "{error}");
}
