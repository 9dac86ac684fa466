//! The checks of a new database, when all of it is written: SQLite's own of each table's pages, indexes and references, and
//! the proof that its rows are the snapshot's. All only read, so several run at once, each with a connection of its own.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::chosen::Chosen;
use super::connection::{open_to_check, watched};
use super::failure::failure;
use super::foreign_keys::Before;
use super::integrity::{self, Breakers};
use super::load::restored;
use super::pages::Pages;
use super::proof;
use super::rows::Encodings;
use crate::error::{Error, Result};
use crate::observer::{Observer, Phase, check_cancelled};
use crate::restore::plan::RestoredTable;
use crate::source::Source;
use crate::source::sqlite::{Reading, SqliteSource};

/// Rows below which a second thread costs more than it gives.
const FEW_ROWS: u64 = 10_000;

/// Checks that run at once. Each has a page cache; and only one of them reads rows back, which takes memory for a row group.
const AT_ONCE: usize = 2;

/// Kilobytes of pages that a connection keeps which looks rows up, as one check at a time may: in an index that is larger it
/// reads again and again. Beside a row group of 64 MiB that is read back, or another check that looks rows up, this stays
/// below 300 MB in all.
const CACHE_TO_LOOK_UP: u32 = 96 << 10;

/// The same of a check that looks rows up beside another.
const CACHE_BESIDE: u32 = 32 << 10;

/// Kilobytes of pages for reading from first to last.
const CACHE_TO_READ: u32 = 4 << 10;

/// One check.
#[derive(Debug, Clone, Copy)]
enum Check {
    ForeignKeys,
    Integrity(usize),
    Definitions,
    Rows(usize),
}

/// Checks and proves the database. Adds what is worth knowing to `warnings`.
pub(super) fn run(
    database: &Path,
    chosen: &Chosen<'_>,
    pages: &Pages,
    encodings: Encodings,
    warnings: &mut Vec<String>,
    observer: &dyn Observer,
) -> Result<Vec<RestoredTable>> {
    let tables = 0..chosen.tables.len();
    let mut checks: Vec<Check> = vec![Check::ForeignKeys];
    checks.extend(tables.clone().map(Check::Integrity));
    checks.push(Check::Definitions);
    checks.extend(tables.map(Check::Rows));
    let rows = |table: usize| chosen.tables.get(table).map_or(0, |table| table.manifest().rows);
    // The longest first: what comes last should be short. Looking every row up in its indexes takes longest.
    let mut pending: Vec<usize> = (0..checks.len()).collect();
    let weight = |check: Option<&Check>| match check {
        Some(Check::Integrity(table)) => 4 * rows(*table),
        Some(Check::Rows(table)) => 3 * rows(*table),
        Some(Check::ForeignKeys) => (0..chosen.tables.len()).map(rows).sum(),
        Some(Check::Definitions) | None => 0,
    };
    let few = (0..chosen.tables.len()).map(rows).sum::<u64>() < FEW_ROWS;
    if !few {
        pending.sort_by_key(|number| std::cmp::Reverse(weight(checks.get(*number))));
    }
    let work = Work {
        database,
        chosen,
        pages,
        encodings,
        observer,
        checks: &checks,
        queue: Mutex::new(Queue { pending, reads_rows: false, looks_up: false }),
        results: checks.iter().map(|_| Mutex::new(None)).collect(),
    };
    if few {
        work.run();
    } else {
        std::thread::scope(|scope| {
            for _ in 1..AT_ONCE {
                // Without a second thread the first does all.
                let _ = std::thread::Builder::new().name("tabark-check".to_owned()).spawn_scoped(scope, || work.run());
            }
            work.run();
        });
    }
    // Told in the order in which one after another would have told it.
    let (mut skipped, mut failures) = (false, Vec::new());
    for result in work.results {
        match result.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok(found)) => warnings.extend(found),
            Some(Err(error)) => failures.push(error),
            None => skipped = true,
        }
    }
    match failures.into_iter().next() {
        Some(error) => Err(error),
        None if skipped => Err(Error::not_proven("a check of the new database did not run")),
        None => {
            Ok(chosen.tables.iter().enumerate().map(|(number, table)| restored(table, pages.has(number))).collect())
        }
    }
}

struct Work<'w, 'a> {
    database: &'w Path,
    chosen: &'w Chosen<'a>,
    pages: &'w Pages,
    encodings: Encodings,
    observer: &'w dyn Observer,
    checks: &'w [Check],
    queue: Mutex<Queue>,
    results: Vec<Mutex<Option<Result<Vec<String>>>>>,
}

/// What is still to be done.
struct Queue {
    /// Places of the checks, in the order in which they begin. Nothing, once one has failed.
    pending: Vec<usize>,
    /// Does some check read rows back?
    reads_rows: bool,
    /// Does some check look rows up, with a large cache?
    looks_up: bool,
}

/// A check whose turn it is.
#[derive(Debug, Clone, Copy)]
struct Turn {
    place: usize,
    /// Kilobytes of pages that its connection keeps.
    cache: u32,
}

impl Work<'_, '_> {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next check that may begin; `last` is the one that has ended.
    fn next(&self, last: Option<Turn>) -> Option<Turn> {
        let reads_rows = |place: usize| matches!(self.checks.get(place), Some(Check::Rows(_)));
        let looks_up = |place: usize| matches!(self.checks.get(place), Some(Check::ForeignKeys | Check::Integrity(_)));
        let mut queue = self.queue();
        if let Some(Turn { place, cache }) = last {
            queue.reads_rows &= !reads_rows(place);
            queue.looks_up &= cache != CACHE_TO_LOOK_UP;
        }
        let may_begin = |place: &usize| !(queue.reads_rows && reads_rows(*place));
        let at = queue.pending.iter().position(may_begin)?;
        let place = queue.pending.remove(at);
        queue.reads_rows |= reads_rows(place);
        let cache = match looks_up(place) {
            true if queue.looks_up => CACHE_BESIDE,
            true => CACHE_TO_LOOK_UP,
            false => CACHE_TO_READ,
        };
        queue.looks_up |= cache == CACHE_TO_LOOK_UP;
        Some(Turn { place, cache })
    }

    /// Does one check after another until there is none left.
    fn run(&self) {
        let Some(mut current) = self.next(None) else { return };
        let result = self.connect().and_then(|mut connection| {
            watched(&mut connection, self.observer, |connection| {
                let source = SqliteSource::over(connection)?;
                loop {
                    Self::keep_pages(connection, current.cache)?;
                    let found = self.check(connection, &source, current.place)?;
                    self.keep(current.place, Ok(found));
                    match self.next(Some(current)) {
                        Some(next) => current = next,
                        None => return Ok(()),
                    }
                }
            })
        });
        if let Err(error) = result {
            self.keep(current.place, Err(error));
        }
    }

    fn connect(&self) -> Result<Connection> {
        let connection = open_to_check(self.database)?;
        connection.execute_batch("BEGIN").map_err(|cause| failure("checking the new database", cause))?;
        Ok(connection)
    }

    fn keep_pages(connection: &Connection, kilobytes: u32) -> Result<()> {
        connection
            .execute_batch(&format!("PRAGMA cache_size = -{kilobytes}"))
            .map_err(|cause| failure("checking the new database", cause))
    }

    fn keep(&self, place: usize, result: Result<Vec<String>>) {
        if result.is_err() {
            self.queue().pending.clear();
        }
        if let Some(kept) = self.results.get(place) {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        }
    }

    fn check(&self, connection: &Connection, source: &SqliteSource<'_>, place: usize) -> Result<Vec<String>> {
        let Self { chosen, observer, .. } = self;
        check_cancelled(*observer)?;
        let mut warnings = Vec::new();
        let table = |number: usize| chosen.tables.get(number);
        match self.checks.get(place) {
            Some(Check::ForeignKeys) => {
                observer.begin(Phase::Finish, None, None, None);
                Before::default().compare(connection, source.catalog(), chosen, &mut warnings)?;
            }
            Some(Check::Integrity(number)) => {
                let Some(table) = table(*number) else { return Ok(warnings) };
                let name = &table.schema().name;
                observer.begin(Phase::Finish, Some(name), None, None);
                integrity::check(connection, name, Breakers::Snapshot, &mut warnings)?;
            }
            Some(Check::Definitions) => proof::check_definitions(source.catalog(), chosen)?,
            Some(Check::Rows(number)) => {
                let Some(table) = table(*number) else { return Ok(warnings) };
                // What was written without SQLite is read by SQLite: nothing that wrote it may vouch for it.
                let reading = if self.pages.has(*number) { Reading::Sql } else { Reading::Pages };
                proof::check_rows(&source.with_reading(reading), table, self.encodings, *observer)?;
            }
            None => {}
        }
        Ok(warnings)
    }
}
