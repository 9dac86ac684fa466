//! A thousand hourly snapshots of a small database that changes a little: what each adds, what the newest costs to read,
//! and what a policy leaves. One test, for it looks at the memory of the whole process.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "simulation/keeping.rs"]
mod keeping;
#[path = "simulation/medium.rs"]
mod medium;

use std::sync::Arc;

use medium::{Cost, Medium};
use rusqlite::Connection;
use tabark::archive::{Archive, ArchiveWriter, Snapshot, SnapshotSelector, VerifyOptions, WriterOptions, verify};
use tabark::dump::{DumpOptions, dump_snapshot};
use tabark::history::retention::{Candidate, Count, Policy, plan};
use tabark::restore::{RestoreOptions, restore};
use tabark::rewrite::prune;
use tabark::selection::Selection;
use tabark::source::sqlite::SqliteSource;

const HOUR: i64 = 3_600_000_000;
/// 2026-01-01T00:30:00Z.
const BEGIN: i64 = 1_767_227_400_000_000;
const SNAPSHOTS: u64 = 1000;
/// Where it is looked back at as many snapshots as are looked at.
const LOOKS: [u64; 3] = [100, 500, 1000];
const WINDOW: usize = 64;
/// The most that a snapshot of the unchanged database adds, its share of the pages of history included, in bytes.
const UNCHANGED: u64 = 750;
/// The same where 3 to 15 rows of one of its tables changed: patches, the page of that row group with all its layers, a table
/// manifest, a catalog, and at times blocks that are written whole.
const CHANGED: u64 = 4200;
/// What a list of all snapshots reads of each, in bytes.
const LISTED: u64 = 60;
/// The most reads that all rows of the newest snapshot take: of manifests, pages, and frames of blocks and of their layers.
const FRAMES: u64 = 150;
/// The most memory that some hundred more snapshots may take, the archive in memory included.
const MEMORY: u64 = 16 << 20;

/// The hour of a snapshot: every fifth night is silent, and once it was silent for nine days.
fn hour_of(number: u64) -> i64 {
    let number = i64::try_from(number).unwrap();
    number + 8 * (number / 112) + if number > 600 { 9 * 24 } else { 0 }
}

fn time_of(number: u64) -> i64 {
    BEGIN + hour_of(number) * HOUR
}

fn database() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
             CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, amount REAL, state TEXT NOT NULL);
             CREATE INDEX orders_state ON orders (state);
             WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 500)
                 INSERT INTO settings SELECT printf('name %04d', i), hex(i * 7919) FROM n;
             WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                 INSERT INTO orders SELECT i, printf('customer %d', i * 7919 % 613), i * 31 % 997 / 4.0, 'new' FROM n;",
        )
        .unwrap();
    connection
}

/// How many rows change before this snapshot: in every fourth none, else some that come, go or are updated.
fn changes_before(number: u64) -> u64 {
    if number.is_multiple_of(4) { 0 } else { 3 + 3 * (number % 5) }
}

fn change(database: &Connection, number: u64) {
    let third = changes_before(number) / 3;
    for step in 0..third {
        let mark = i64::try_from(number * 31 + step * 7).unwrap();
        database.execute("DELETE FROM orders WHERE id = (SELECT min(id) FROM orders)", []).unwrap();
        database
            .execute(
                "INSERT INTO orders SELECT max(id) + 1, printf('customer %d', ?1 % 613), ?1 % 997 / 4.0, 'new' FROM orders",
                [mark],
            )
            .unwrap();
        database
            .execute(
                "UPDATE orders SET state = 'paid' WHERE id = (SELECT min(id) + ?1 FROM orders)",
                [mark * 13 % 2000],
            )
            .unwrap();
    }
}

fn add(medium: &Medium, database: &Connection, number: u64) {
    let writing = WriterOptions::default().with_archive_id([7; 16]);
    let writer = if number == 1 {
        ArchiveWriter::create(medium.clone(), writing).unwrap()
    } else {
        let archive = Archive::from_storage(Arc::new(medium.clone())).unwrap();
        ArchiveWriter::append(medium.clone(), Arc::new(archive), writing).unwrap()
    };
    let options = DumpOptions {
        tables: Selection::everything(),
        filters: vec![],
        tags: vec![],
        time: time_of(number),
        writer: "test".into(),
        archive: writing,
    };
    database.execute_batch("BEGIN").unwrap();
    dump_snapshot(&SqliteSource::over(database).unwrap(), writer, &options, &()).unwrap();
    database.execute_batch("COMMIT").unwrap();
}

/// What an archive costs to use, for whoever wants the newest snapshot.
#[derive(Debug, Clone, Copy, Default)]
struct Costs {
    open: Cost,
    newest: Cost,
    rows: Cost,
    restore: Cost,
}

impl Costs {
    fn of(medium: &Medium, number: u64) -> Self {
        medium.cost();
        let archive = Archive::from_storage(Arc::new(medium.clone())).unwrap();
        let open = medium.cost();
        let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
        assert_eq!(snapshot.summary().number, number);
        let newest = medium.cost();
        let mut rows = 0;
        for table in &snapshot.catalog().tables {
            let table = snapshot.open_table(table).unwrap();
            let columns: Vec<usize> = (0..table.schema().columns.len()).collect();
            rows += table.scan(&columns).map(|group| u64::from(group.unwrap().rows())).sum::<u64>();
        }
        assert_eq!(rows, 2500);
        Self { open, newest, rows: medium.cost(), restore: Cost::default() }
    }

    fn max(self, other: Self) -> Self {
        Self {
            open: self.open.max(other.open),
            newest: self.newest.max(other.newest),
            rows: self.rows.max(other.rows),
            restore: self.restore.max(other.restore),
        }
    }
}

/// Every row of a database, in words.
fn contents(database: &Connection) -> Vec<String> {
    let mut rows = Vec::new();
    for query in ["SELECT name || '|' || value FROM settings", "SELECT id || customer || amount || state FROM orders"] {
        let mut statement = database.prepare(query).unwrap();
        rows.extend(statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
    }
    rows
}

/// The newest snapshot restored is the database, at a cost that is returned.
fn restored(medium: &Medium, database: &Connection) -> Cost {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("new.sqlite");
    let archive = Archive::from_storage(Arc::new(medium.clone())).unwrap();
    medium.cost();
    restore(&archive.select(&SnapshotSelector::Latest).unwrap(), &target, &RestoreOptions::default(), &()).unwrap();
    let cost = medium.cost();
    assert_eq!(contents(&Connection::open(&target).unwrap()), contents(database));
    cost
}

/// What a list of all snapshots costs.
fn listed(medium: &Medium, number: u64) -> Cost {
    let archive = Archive::from_storage(Arc::new(medium.clone())).unwrap();
    medium.cost();
    let list = archive.snapshots().unwrap();
    assert!(list.iter().map(|snapshot| (snapshot.number, snapshot.time)).eq((1..=number).map(|it| (it, time_of(it)))));
    medium.cost()
}

/// The most memory that this process has had, in bytes; 0 where the system does not tell.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| 1024 * line.trim().trim_end_matches(" kB").parse::<u64>().unwrap())
}

/// The archive when it was looked at.
#[derive(Debug)]
struct Look {
    number: u64,
    /// The most of any of the last snapshots.
    costs: Costs,
    list: Cost,
    /// What the last snapshots added, on average: where nothing had changed, and where something had.
    unchanged: u64,
    changed: u64,
    memory: u64,
}

impl Look {
    fn assert_within_bounds(&self) {
        let Costs { open, newest, rows, restore } = self.costs;
        assert!(open.reads <= 4 && open.bytes <= 1024, "{self:#?}");
        assert!(newest.reads <= 8 && newest.bytes <= 1024, "{self:#?}");
        assert!(rows.reads <= FRAMES && restore.reads <= 2 * FRAMES, "{self:#?}");
        // A page of history for every 64 snapshots, and the commits since the last of them.
        assert!(self.list.reads <= 2 * (self.number / 64) + 5 * (self.number % 64 + 64), "{self:#?}");
        assert!(self.list.bytes <= 40_000 + LISTED * self.number, "{self:#?}");
        assert!(self.unchanged <= UNCHANGED && self.changed <= CHANGED, "{self:#?}");
    }

    /// Where there are many more snapshots, all costs the same.
    fn assert_as_cheap_as(&self, before: &Self) {
        assert_eq!(self.costs.open, before.costs.open);
        let pairs = [
            (self.costs.newest, before.costs.newest),
            (self.costs.rows, before.costs.rows),
            (self.costs.restore, before.costs.restore),
        ];
        for (now, then) in pairs {
            assert!(now.reads <= then.reads * 11 / 10, "{now:?} after {then:?}");
            assert!(now.bytes <= then.bytes * 11 / 10, "{now:?} after {then:?}");
        }
        assert!(self.unchanged <= before.unchanged * 11 / 10, "{self:#?}\nafter\n{before:#?}");
        assert!(self.changed <= before.changed * 5 / 4, "{self:#?}\nafter\n{before:#?}");
        assert!(self.memory <= before.memory + MEMORY, "{} bytes after {}", self.memory, before.memory);
    }
}

fn average(added: &[(u64, u64)], changed: bool) -> u64 {
    let of: Vec<u64> = added.iter().filter(|(rows, _)| (*rows > 0) == changed).map(|(_, bytes)| *bytes).collect();
    of.iter().sum::<u64>() / of.len() as u64
}

/// What pruning by days and weeks leaves is what a model says, and each of it is what it was.
fn pruned(medium: &Medium, database: &Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tabark");
    std::fs::write(&path, medium.bytes()).unwrap();
    let before = Archive::open(&path).unwrap();
    let all = before.snapshots().unwrap();
    let candidates: Vec<Candidate<'_>> = all
        .iter()
        .map(|snapshot| Candidate { number: snapshot.number, time: snapshot.time, tags: &snapshot.tags })
        .collect();
    let mut policy = Policy::default();
    (policy.daily, policy.weekly) = (Count::Newest(7), Count::Newest(4));
    let kept = plan(&candidates, time_of(SNAPSHOTS), &policy).unwrap().kept();
    let times: Vec<(u64, i64)> = (1..=SNAPSHOTS).map(|number| (number, time_of(number))).collect();
    assert_eq!(kept, keeping::daily_and_weekly(&times, 7, 4));
    assert!((8..=11).contains(&kept.len()), "{kept:?}");

    let report = prune(&path, &kept, WriterOptions::default(), &()).unwrap();
    assert_eq!(report.dropped, SNAPSHOTS - kept.len() as u64);
    assert!(report.bytes_after < report.bytes_before / 4, "{} of {}", report.bytes_after, report.bytes_before);
    let after = Archive::open(&path).unwrap();
    let left: Vec<(u64, i64)> = after.snapshots().unwrap().iter().map(|left| (left.number, left.time)).collect();
    assert_eq!(left, kept.iter().map(|number| (*number, time_of(*number))).collect::<Vec<_>>());
    assert!(verify(&after, &VerifyOptions::default().full(true), &()).unwrap().is_intact());
    for number in kept {
        let of = |archive: &Archive| fingerprints(&archive.select(&SnapshotSelector::Number(number)).unwrap());
        assert_eq!(of(&after), of(&before), "snapshot {number}");
    }
    restored(&Medium::of(std::fs::read(&path).unwrap()), database);
}

/// The fingerprint of each table.
fn fingerprints(snapshot: &Snapshot<'_>) -> Vec<[u8; 32]> {
    let tables = snapshot.catalog().tables.iter();
    tables.map(|table| snapshot.open_table(table).unwrap().manifest().fingerprint).collect()
}

#[test]
fn a_thousand_snapshots_stay_cheap() {
    let (medium, database) = (Medium::default(), database());
    let (mut looks, mut added, mut costs) = (Vec::new(), Vec::new(), Costs::default());
    for number in 1..=SNAPSHOTS {
        change(&database, number);
        let before = medium.bytes_so_far();
        add(&medium, &database, number);
        if number > 1 {
            added.push((changes_before(number), medium.bytes_so_far() - before));
        }
        let look = LOOKS.iter().find(|look| number <= **look && number + WINDOW as u64 > **look);
        if let Some(look) = look {
            let mut now = Costs::of(&medium, number);
            if number % 3 == 0 || number == *look {
                now.restore = restored(&medium, &database);
            }
            costs = costs.max(now);
            if number == *look {
                looks.push(Look {
                    number,
                    costs: std::mem::take(&mut costs),
                    list: listed(&medium, number),
                    unchanged: average(&added[added.len() - WINDOW..], false),
                    changed: average(&added[added.len() - WINDOW..], true),
                    memory: peak_memory(),
                });
            }
        }
    }
    looks.iter().for_each(Look::assert_within_bounds);
    looks.windows(2).for_each(|pair| pair[1].assert_as_cheap_as(&pair[0]));
    pruned(&medium, &database);
}
