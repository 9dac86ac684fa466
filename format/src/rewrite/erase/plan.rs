//! What is to be erased, snapshot by snapshot, before anything is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::choice::{self, Choice};
use super::followed::{Followed, Follower};
use super::{EraseRequest, indexes, target};
use crate::archive::{Archive, ErasureRecord, Snapshot, key_digest, random};
use crate::error::{Error, Result};
use crate::model::roles;
use crate::observer::{Observer, check_cancelled};

/// What an erasure takes out of an archive.
#[derive(Debug)]
#[non_exhaustive]
pub struct ErasePlan {
    /// The table that rows were chosen in.
    pub table: String,
    /// The columns that choose them.
    pub columns: Vec<String>,
    /// Keys of rows that were found, each once.
    pub keys: u64,
    /// All snapshots of the archive, oldest first.
    pub snapshots: Vec<PlannedSnapshot>,
    /// Virtual tables that are left as they are and may hold words of erased rows, by name.
    pub indexes: Vec<String>,
    salt: [u8; 32],
    digests: BTreeSet<[u8; 32]>,
}

/// What an erasure takes out of a snapshot.
#[derive(Debug)]
#[non_exhaustive]
pub struct PlannedSnapshot {
    /// Its number.
    pub number: u64,
    /// Its time, in microseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// By table, how many rows go; sorted by name, and only of tables that lose some.
    pub rows: Vec<(String, u64)>,
    tables: BTreeMap<String, PlannedTable>,
}

/// What is taken out of a table of a snapshot.
#[derive(Debug, Clone)]
pub(super) struct PlannedTable {
    pub(super) choices: Arc<Vec<Choice>>,
    /// The same number where the choices are the same.
    pub(super) edition: u64,
    rows: u64,
}

impl ErasePlan {
    /// Is there nothing to erase?
    pub fn is_nothing(&self) -> bool {
        self.snapshots.iter().all(|snapshot| snapshot.rows.is_empty())
    }

    /// Rows that go, by table, over all snapshots; sorted by name.
    pub fn rows(&self) -> Vec<(String, u64)> {
        let mut rows: BTreeMap<&String, u64> = BTreeMap::new();
        for (table, count) in self.snapshots.iter().flat_map(|snapshot| &snapshot.rows) {
            *rows.entry(table).or_default() += count;
        }
        rows.into_iter().map(|(table, rows)| (table.clone(), rows)).collect()
    }

    /// The record of it, but for the roots.
    pub(super) fn record(&self, request: &EraseRequest<'_>) -> ErasureRecord {
        let (own, others) = self.rows().into_iter().partition::<Vec<_>, _>(|(table, _)| *table == self.table);
        ErasureRecord {
            time: request.time,
            table: self.table.clone(),
            columns: self.columns.clone(),
            rows: own.iter().map(|(_, rows)| rows).sum(),
            others,
            snapshots: self.snapshots.iter().filter(|snapshot| !snapshot.rows.is_empty()).count() as u64,
            reason: request.reason.clone(),
            salt: self.salt,
            keys: self.digests.iter().copied().collect(),
            roots: Vec::new(),
        }
    }

    pub(super) fn table(&self, number: u64, name: &str) -> Option<&PlannedTable> {
        let at = self.snapshots.binary_search_by_key(&number, |snapshot| snapshot.number).ok()?;
        self.snapshots.get(at)?.tables.get(name)
    }
}

pub(super) fn plan(archive: &Archive, request: &EraseRequest<'_>, observer: &dyn Observer) -> Result<ErasePlan> {
    if request.keys.is_empty() {
        return Err(Error::request("no key of a row to erase").with_hint("name it with --key"));
    }
    let mut planner = Planner {
        request,
        observer,
        columns: None,
        salt: random()?,
        digests: BTreeSet::new(),
        indexes: BTreeSet::new(),
        follower: Follower::default(),
        editions: Vec::new(),
    };
    let mut snapshots = Vec::new();
    for summary in archive.snapshots()? {
        check_cancelled(observer)?;
        let (number, time) = (summary.number, summary.time);
        let tables = planner.snapshot(&archive.snapshot(summary)?)?;
        snapshots.push(PlannedSnapshot { number, time, rows: Vec::new(), tables });
    }
    let Some(columns) = planner.columns.take() else {
        return archive
            .select(&crate::archive::SnapshotSelector::Latest)?
            .table(&request.table)
            .and_then(|_| Err(Error::request(format!("no snapshot holds a table \"{}\"", request.table))));
    };
    planner.add_samples(archive, &mut snapshots)?;
    for snapshot in &mut snapshots {
        snapshot.tables.retain(|_, table| table.rows > 0);
        snapshot.rows = snapshot.tables.iter().map(|(name, table)| (name.clone(), table.rows)).collect();
    }
    let Planner { salt, digests, indexes, .. } = planner;
    let indexes: Vec<String> = indexes.into_iter().collect();
    if !indexes.is_empty() && !request.keeps_indexes {
        let names = indexes.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let why = format!(
            "the stored tables of {names} may hold words of the erased rows, and rows cannot be taken out of them"
        );
        return Err(Error::request(why).with_hint(
            "--keep-shadow erases all the same and leaves them as they are; dumps with --exclude-table leave such an index out",
        ));
    }
    let keys = digests.len() as u64;
    Ok(ErasePlan { table: request.table.clone(), columns, keys, snapshots, indexes, salt, digests })
}

struct Planner<'a, 'r> {
    request: &'a EraseRequest<'r>,
    observer: &'a dyn Observer,
    /// The columns that choose rows, from the first snapshot on that has the table.
    columns: Option<Vec<String>>,
    salt: [u8; 32],
    digests: BTreeSet<[u8; 32]>,
    indexes: BTreeSet<String>,
    follower: Follower,
    /// Choices that were made so far, for their editions: by table, those of the snapshot before.
    editions: Vec<(String, Arc<Vec<Choice>>, u64)>,
}

impl Planner<'_, '_> {
    fn snapshot(&mut self, snapshot: &Snapshot<'_>) -> Result<BTreeMap<String, PlannedTable>> {
        let request = self.request;
        let catalog = snapshot.catalog();
        let Some(entry) = catalog.tables.iter().find(|table| table.name == request.table) else {
            return Ok(BTreeMap::new());
        };
        let table = snapshot.open_table(entry)?;
        let number = snapshot.summary().number;
        let columns = target::columns(request, number, table.schema(), self.columns.as_deref())?;
        let first = target::choice(request, &columns, table.schema())?;
        let (salt, digests, name) = (&self.salt, &mut self.digests, &request.table);
        let mut digest = |cells: &[crate::model::Cell<'_>]| {
            digests.insert(key_digest(salt, name, &columns, cells)?);
            Ok(())
        };
        let followed = self.follower.follow(snapshot, request, &columns, first, &mut digest, self.observer)?;
        self.columns = Some(columns);
        let mut planned = BTreeMap::new();
        for (name, Followed { choices, rows }) in followed {
            if rows > 0 {
                let schema = snapshot.table(&name)?.schema().clone();
                self.indexes.extend(indexes::holding(&schema, &catalog.objects));
            }
            let edition = self.edition(&name, &choices);
            planned.insert(name, PlannedTable { choices, edition, rows });
        }
        Ok(planned)
    }

    fn edition(&mut self, name: &str, choices: &Arc<Vec<Choice>>) -> u64 {
        let next = self.editions.iter().map(|(.., edition)| edition + 1).max().unwrap_or_default();
        match self.editions.iter_mut().find(|(table, ..)| table == name) {
            Some((_, before, edition)) => {
                if before != choices {
                    (*before, *edition) = (Arc::clone(choices), next);
                }
                *edition
            }
            None => {
                self.editions.push((name.to_owned(), Arc::clone(choices), next));
                next
            }
        }
    }

    /// The samples that ANALYZE took of tables hold keys of theirs: all samples of tables that lose rows go.
    fn add_samples(&mut self, archive: &Archive, snapshots: &mut [PlannedSnapshot]) -> Result<()> {
        let losing = |snapshot: &PlannedSnapshot| {
            snapshot.tables.iter().filter(|(_, table)| table.rows > 0).map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        let touched: BTreeSet<String> = snapshots.iter().flat_map(losing).collect();
        if touched.is_empty() {
            return Ok(());
        }
        for (planned, summary) in snapshots.iter_mut().zip(archive.snapshots()?) {
            let snapshot = archive.snapshot(summary)?;
            let is_samples = |name: &str| name == "sqlite_stat4" || name == "sqlite_stat3";
            for entry in snapshot.catalog().tables.iter().filter(|entry| is_samples(&entry.name)) {
                let table = snapshot.open_table(entry)?;
                let schema = table.schema();
                let column = schema.columns.iter().position(|column| column.name == "tbl");
                let Some(column) = column.filter(|_| schema.role == roles::INTERNAL) else { continue };
                let mut choice = Choice::new(vec![(column, super::comparison::Comparison::of_names())]);
                for name in &touched {
                    choice.add(&[crate::model::Cell::Text(name.as_bytes())]);
                }
                let choices = Arc::new(vec![choice]);
                let mut rows = 0;
                choice::scan(&table, &choices, &[], self.observer, |_, _| {
                    rows += 1;
                    Ok(())
                })?;
                let edition = self.edition(&entry.name, &choices);
                planned.tables.insert(entry.name.clone(), PlannedTable { choices, edition, rows });
            }
        }
        Ok(())
    }
}
