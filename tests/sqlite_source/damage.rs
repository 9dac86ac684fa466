//! Damage in the source: an error that names the table, never a part of it for the whole.

use tabark::source::Source as _;
use tabark::source::sqlite::SqliteSource;

use super::{Database, bytes_of, collect, column, rows, table, text};

const PAGE: usize = 4096;

/// Two tables of many pages each, one of them WITHOUT ROWID, and a small one.
fn database() -> Database {
    Database::new(
        "PRAGMA page_size = 4096; CREATE TABLE healthy(a); CREATE TABLE hurt(id INTEGER PRIMARY KEY, v TEXT);
         CREATE TABLE keyed(k TEXT PRIMARY KEY, v) WITHOUT ROWID;
         INSERT INTO healthy VALUES ('fine');
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO hurt SELECT i, printf('%0100d', i) FROM n;
         INSERT INTO keyed SELECT printf('%08d', id), v FROM hurt;",
    )
}

fn pages_of(database: &Database, name: &str) -> Vec<usize> {
    let writer = database.writer();
    let mut statement = writer.prepare("SELECT pageno, pagetype FROM dbstat WHERE name = ? ORDER BY path").unwrap();
    let pages = statement.query_map([name], |row| row.get::<_, i64>(0)).unwrap();
    pages.map(|page| usize::try_from(page.unwrap()).unwrap()).collect()
}

fn edit(database: &Database, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = bytes_of(&database.path());
    edit(&mut bytes);
    std::fs::write(database.path(), bytes).unwrap();
}

#[test]
fn a_corrupt_page_names_its_table_and_others_are_still_read() {
    for name in ["hurt", "keyed"] {
        let database = database();
        let pages = pages_of(&database, name);
        assert!(pages.len() > 20);
        let damaged = pages[pages.len() / 2];
        edit(&database, |bytes| bytes[(damaged - 1) * PAGE..damaged * PAGE].fill(0x5a));
        let source = database.source();
        let schema = table(&source, name);
        let mut seen = 0;
        let error = source
            .read_table(&schema, &mut |_: &[tabark::model::Cell<'_>]| {
                seen += 1;
                Ok(())
            })
            .unwrap_err();
        assert!(error.is_database() && error.table() == Some(name), "{error}");
        assert!(error.message().contains("damaged") && error.hint().unwrap().contains("integrity_check"), "{error}");
        assert!(seen < 3000);
        assert_eq!(column(&source, "healthy", 1), [text("fine")]);
    }
}

#[test]
fn a_truncated_file_is_an_error() {
    let database = database();
    edit(&database, |bytes| bytes.truncate(bytes.len() / 2 / PAGE * PAGE));
    // SQLite may notice on opening (the header counts the pages) or on reading; in no case are there rows and no error.
    let read = SqliteSource::open(&database.path()).and_then(|source| {
        for schema in &source.catalog().tables {
            collect(|sink| source.read_table(schema, sink))?;
        }
        Ok(())
    });
    assert!(read.unwrap_err().is_database());
}

/// Child pages in the wrong order: every page is sound, and SQLite walks through without a word.
#[test]
fn a_b_tree_out_of_order_is_not_taken_for_a_table() {
    let database = database();
    let root = pages_of(&database, "hurt")[0];
    edit(&database, |bytes| {
        let page = &mut bytes[(root - 1) * PAGE..root * PAGE];
        assert_eq!(page[0], 5, "the root is no interior page");
        // Two cells of the root change their left children (4 bytes at the beginning of each cell).
        let cell =
            |page: &[u8], index: usize| usize::from(u16::from_be_bytes([page[12 + 2 * index], page[13 + 2 * index]]));
        let (first, second) = (cell(page, 0), cell(page, 1));
        for offset in 0..4 {
            page.swap(first + offset, second + offset);
        }
    });
    let count: i64 =
        database.writer().query_row("SELECT count(v) FROM hurt NOT INDEXED", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 3000, "SQLite itself noticed");
    let source = database.source();
    let schema = table(&source, "hurt");
    let error = collect(|sink| source.read_table(&schema, sink)).unwrap_err();
    assert!(error.is_database() && error.table() == Some("hurt"), "{error}");
    assert!(error.message().contains("row ids do not ascend"), "{error}");
}

#[test]
fn a_damaged_index_does_not_hurt_its_table() {
    let database = database();
    database
        .writer()
        .execute_batch("CREATE INDEX covering ON hurt(v, id); CREATE INDEX keyed_all ON keyed(k, v)")
        .unwrap();
    for index in ["covering", "keyed_all"] {
        let pages = pages_of(&database, index);
        edit(&database, |bytes| {
            for page in pages {
                bytes[(page - 1) * PAGE..page * PAGE].fill(0x5a);
            }
        });
    }
    let source = database.source();
    assert_eq!(rows(&source, "hurt").len(), 3000);
    assert_eq!(rows(&source, "keyed").len(), 3000);
}

#[test]
fn a_damaged_schema_or_header_is_an_error_on_opening() {
    for (place, value) in [(100, 0x5a_u8), (16, 0x03), (19, 9)] {
        let database = database();
        edit(&database, |bytes| bytes[place] = value);
        let error = match SqliteSource::open(&database.path()) {
            Ok(_) => panic!("opened with byte {place} = {value}"),
            Err(error) => error,
        };
        assert!(error.is_database() && error.hint().is_some(), "{place}: {error}");
    }
}
