//! What the tests do with a database: dump it, verify, restore, and have others judge what came back.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use tabark::Error;
use tabark::archive::{Archive, SnapshotSelector, VerifyOptions, WriterOptions, verify};
use tabark::dump::{DumpOptions, DumpReport, dump};
use tabark::model::{Filter, SchemaObject};
use tabark::postgres::settings::ConnectionSettings;
use tabark::restore::postgres::{PostgresReport, PostgresRestoreOptions, restore};
use tabark::selection::Selection;
use tabark::source::postgres::{PostgresOptions, PostgresSource};
use tabark::source::{Source as _, SourceCatalog};

use super::postgres::Database;

/// An archive of a test, with its folder.
pub(crate) struct Kept {
    folder: tempfile::TempDir,
}

impl Kept {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("a.tabark")
    }

    pub(crate) fn open(&self) -> Archive {
        Archive::open(&self.path()).unwrap()
    }

    /// Adds a snapshot of the chosen tables.
    pub(crate) fn dump(&self, database: &Database<'_>, tables: &Selection, connections: usize) -> DumpReport {
        self.dump_filtered(database, tables, connections, &[])
    }

    pub(crate) fn dump_filtered(
        &self,
        database: &Database<'_>,
        tables: &Selection,
        connections: usize,
        filters: &[(&str, Filter)],
    ) -> DumpReport {
        dump_into(&self.path(), &open(database, tables, connections), filters)
    }

    /// Restores the newest snapshot.
    pub(crate) fn restore(
        &self,
        target: &Database<'_>,
        options: &PostgresRestoreOptions,
    ) -> Result<PostgresReport, Error> {
        let archive = self.open();
        restore(&archive.select(&SnapshotSelector::Latest).unwrap(), &settings(target), options, &())
    }

    /// Every byte and cell of the archive is what it should be.
    pub(crate) fn verify(&self) {
        let report = verify(&self.open(), &VerifyOptions::default().full(true), &()).unwrap();
        assert!(report.is_intact(), "{:?}", report.findings);
    }

    /// Fingerprints of the newest snapshot's tables.
    pub(crate) fn fingerprints(&self) -> BTreeMap<String, String> {
        let archive = self.open();
        let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
        let of = |name: &str| tabark::hex::encode(&snapshot.table(name).unwrap().manifest().fingerprint);
        snapshot.catalog().tables.iter().map(|entry| (entry.name.clone(), of(&entry.name))).collect()
    }
}

pub(crate) fn settings(database: &Database<'_>) -> ConnectionSettings {
    ConnectionSettings::parse(&database.url()).unwrap()
}

pub(crate) fn open(database: &Database<'_>, tables: &Selection, connections: usize) -> PostgresSource {
    let options = PostgresOptions::default().connections(NonZero::new(connections).unwrap());
    PostgresSource::open(&settings(database), tables, options, &()).unwrap()
}

pub(crate) fn dump_options(filters: &[(&str, Filter)]) -> DumpOptions {
    DumpOptions {
        tables: Selection::everything(),
        filters: filters.iter().map(|(name, filter)| ((*name).to_owned(), filter.clone())).collect(),
        tags: vec![],
        time: 1_764_000_000_000_000,
        writer: "test".into(),
        archive: WriterOptions::default().with_level(1),
    }
}

pub(crate) fn dump_into(path: &Path, source: &PostgresSource, filters: &[(&str, Filter)]) -> DumpReport {
    dump(source, path, &dump_options(filters), &()).unwrap()
}

/// What a database says of itself, but for its name.
pub(crate) fn catalog(database: &Database<'_>) -> SourceCatalog {
    let mut catalog = open(database, &Selection::everything(), 1).catalog().clone();
    catalog.description.name.clear();
    catalog
}

/// Two catalogs are the same, told by the first statement that differs.
pub(crate) fn assert_same_catalog(wanted: &SourceCatalog, found: &SourceCatalog) {
    let statements = |catalog: &SourceCatalog| {
        let of = |object: &SchemaObject| {
            format!("{} {} of {}: {}", object.kind, object.name, object.table, object.definition)
        };
        let mut all: Vec<(u64, String)> = catalog.objects.iter().map(|object| (object.position, of(object))).collect();
        for table in &catalog.tables {
            all.push((table.position, format!("table {}: {}", table.name, table.definition)));
            all.extend(table.attached.iter().map(|object| (object.position, of(object))));
        }
        all.sort();
        all.into_iter().map(|(_, text)| text).collect::<Vec<_>>()
    };
    let (before, after) = (statements(wanted), statements(found));
    let lost: Vec<&String> = before.iter().filter(|text| !after.contains(text)).collect();
    let new: Vec<&String> = after.iter().filter(|text| !before.contains(text)).collect();
    assert!(lost.is_empty() && new.is_empty(), "lost: {lost:#?}\nnew: {new:#?}");
    assert_eq!(before, after, "in another order");
    for (a, b) in wanted.tables.iter().zip(&found.tables) {
        assert_eq!(a, b);
    }
}
