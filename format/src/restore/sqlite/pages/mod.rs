//! Filling the tables and indexes of a new database by writing their b-tree pages, from the first row to the last.
//!
//! SQLite makes the tables and indexes, empty, and closes the file; their roots are then filled without it, all other
//! pages are appended; and SQLite opens the file again to do the rest, check and read back all of it, by SQL and not by pages. The file has no name
//! that anyone looks for until that is done.

mod affinity;
mod coverage;
mod index_sort;
mod page_file;
mod rows;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::Connection;

use self::coverage::TablePages;
pub(super) use self::coverage::covers;
use self::page_file::{HEADER, PageFile};
use super::chosen::Chosen;
use super::failure::failure;
use super::load::begin;
use super::rows::Encodings;
use crate::container::folder_of;
use crate::error::{Error, Result};
use crate::observer::{Observer, Phase};
use crate::sqlite_file::Layout;

/// What is written as pages.
pub(super) struct Pages {
    tables: Vec<Option<TablePages>>,
    /// Indexes that SQLite must fill when the rows are there.
    pub(super) left: Vec<String>,
}

/// May anything be written as pages into this database? Where SQLite moves pages by itself, a map of them would have to be
/// written too.
pub(super) fn may_be_written(connection: &Connection, encodings: Encodings) -> Result<bool> {
    let moves: i64 = connection
        .query_row("PRAGMA main.auto_vacuum", [], |row| row.get(0))
        .map_err(|cause| failure("reading the settings", cause))?;
    Ok(moves == 0 && encodings.same)
}

impl Pages {
    /// What is written of these tables, which SQLite has made with all indexes that they have by now; `covered` says of
    /// each whether it is.
    pub(super) fn of(connection: &Connection, chosen: &Chosen<'_>, covered: &[bool], utf8: bool) -> Result<Self> {
        let (mut tables, mut left) = (Vec::with_capacity(chosen.tables.len()), Vec::new());
        for (table, covered) in chosen.tables.iter().zip(covered) {
            tables.push(if *covered {
                let (pages, not_covered) = coverage::describe(connection, table, utf8)?;
                left.extend(not_covered);
                Some(pages)
            } else {
                None
            });
        }
        Ok(Self { tables, left })
    }

    /// Is this table, by its place among the chosen ones, written as pages?
    pub(super) fn has(&self, table: usize) -> bool {
        self.tables.get(table).is_some_and(Option::is_some)
    }

    /// Is there anything to write?
    pub(super) fn is_empty(&self) -> bool {
        self.tables.iter().all(Option::is_none)
    }

    /// Writes the rows and keys into the file, which nobody has open.
    pub(super) fn write(
        &self,
        chosen: &Chosen<'_>,
        path: &Path,
        encodings: Encodings,
        observer: &dyn Observer,
    ) -> Result<()> {
        let layout = layout(path)?;
        let file = PageFile::open(path, layout)?;
        for (table, pages) in chosen.tables.iter().zip(&self.tables) {
            if let Some(pages) = pages {
                begin(observer, Phase::Restore, table);
                rows::write(table, pages, layout, encodings, (&file, folder_of(path)), observer)?;
            }
        }
        file.finish()
    }
}

fn layout(path: &Path) -> Result<Layout> {
    let mut header = [0; HEADER];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut header))
        .map_err(|cause| Error::io("reading the new database's header", cause))?;
    // Descending keys, and integers without payload, are of the format's version 4, which SQLite writes.
    let version = header.get(44..).and_then(<[u8]>::first_chunk).map(|bytes| u32::from_be_bytes(*bytes));
    Layout::of_header(&header)
        .filter(|_| version == Some(4))
        .ok_or_else(|| Error::database("SQLite made a file of an unknown layout"))
}
