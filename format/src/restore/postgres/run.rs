//! A restore from its plan to its commit.

use std::sync::Mutex;

use super::append::Addition;
use super::chosen::{Chosen, is_relation};
use super::load::Load;
use super::options::{Part, PostgresRestoreOptions};
use super::placement::{Place, Placement, Route};
use super::plan::{PlannedStep, PostgresPlan, PostgresReport};
use super::proof;
use super::steps::{Statement, Step, Steps};
use super::swap::{Swap, moves_along};
use super::target::{Dependants, Target};
use crate::archive::Snapshot;
use crate::error::{Error, Result};
use crate::hex;
use crate::observer::{Observer, Phase, check_cancelled};
use crate::postgres::client::Client;
use crate::postgres::settings::ConnectionSettings;
use crate::postgres::sql::qualified;
use crate::postgres::tokens::says_the_same;
use crate::restore::kept::ChosenTable;
use crate::restore::{PlannedTable, RestoreMode, RestoredTable, TableAction};
use crate::source::postgres::catalog::{self, Inventory};
use crate::source::postgres::rows::lock;

/// What a restore knows before it asks the target.
pub(super) struct Run<'r, 'a> {
    pub(super) chosen: &'r Chosen<'a>,
    pub(super) options: &'r PostgresRestoreOptions,
    /// What the names of staging schemas begin with.
    staging: String,
}

/// What is to be done in a target.
pub(super) struct Work {
    pub(super) target: Target,
    pub(super) placement: Placement,
    pub(super) steps: Steps,
    /// Is a table added to, replaced or made?
    pub(super) actions: Vec<TableAction>,
}

impl<'r, 'a> Run<'r, 'a> {
    pub(super) fn new(snapshot: &Snapshot<'_>, chosen: &'r Chosen<'a>, options: &'r PostgresRestoreOptions) -> Self {
        let root = hex::encode(&snapshot.summary().root());
        let staging = format!("tabark_new_{}", root.get(..8).unwrap_or_default());
        Self { chosen, options, staging }
    }

    /// Are rows added to tables that exist?
    fn adds(&self) -> bool {
        self.options.part == Part::Data || matches!(self.options.mode, RestoreMode::Append | RestoreMode::Upsert)
    }

    /// Works out what is to be done. Must be called in a transaction.
    pub(super) fn work(&self, client: &mut Client) -> Result<Work> {
        let target = Target::read(client)?;
        if self.adds() {
            return self.additions(target);
        }
        let taken = |place: &Place| target.relation(place).is_some();
        let placement = Placement::of(self.chosen, self.options, &self.staging, &taken)?;
        let mut replaced: Vec<Route> = Vec::new();
        for route in &placement.routes {
            let Some(kind) = target.relation(&route.to) else { continue };
            // A sequence goes with the table that owns it, or stays as it is.
            if route.kind == "sequence" && kind == "sequence" {
                continue;
            }
            if self.options.mode != RestoreMode::Replace {
                return Err(Error::request(format!("the target has a {kind} {}.{}", route.to.0, route.to.1)).with_hint(
                    "replace it (--mode replace), add to it (--mode append or upsert), or restore beside it (--into-schema)",
                ));
            }
            if kind != route.kind {
                return Err(Error::request(format!(
                    "{}.{} is a {kind} in the target and a {} in the snapshot",
                    route.to.0, route.to.1, route.kind
                )));
            }
            replaced.push(route.clone());
        }
        let actions = self.actions(&placement, &replaced);
        let is_replaced = |place: &Place| replaced.iter().any(|route| route.to == *place);
        let mut steps = Steps::make(self.chosen, &placement, &target, self.options, &is_replaced)?;
        if replaced.is_empty() {
            for route in placement.routes.iter().filter(|route| !route.is_direct() && !moves_along(route, self.chosen))
            {
                steps.bring(route);
            }
            for schema in placement.staging() {
                steps.run("drop", &schema, format!("DROP SCHEMA {}", crate::postgres::sql::quote(&schema)));
            }
        } else {
            let places: Vec<Place> = replaced.iter().map(|route| route.to.clone()).collect();
            let dependants = Dependants::of(client, &places)?;
            Swap::of(&target, replaced, dependants)?.steps(&mut steps, self.chosen, &placement, self.options)?;
        }
        Ok(Work { target, placement, steps, actions })
    }

    fn actions(&self, placement: &Placement, replaced: &[Route]) -> Vec<TableAction> {
        let action = |table: &ChosenTable<'_>| {
            let place = placement.table(&table.schema().name).map(|route| &route.to);
            let is_replaced = replaced.iter().any(|route| Some(&route.to) == place);
            if is_replaced { TableAction::ReplaceTable } else { TableAction::CreateTable }
        };
        self.chosen.tables.iter().map(action).collect()
    }

    /// Only rows, into what is there.
    fn additions(&self, target: Target) -> Result<Work> {
        let placement = Placement::of(self.chosen, self.options, &self.staging, &|_| false)?;
        let mut steps = Steps::default();
        for table in &self.chosen.tables {
            Addition::of(table, &placement, &target, self.options.mode)?;
            steps.steps.push(Step::Rows(table.schema().name.clone()));
        }
        let actions = self.chosen.tables.iter().map(|_| TableAction::AppendTo).collect();
        Ok(Work { target, placement, steps, actions })
    }

    /// The plan, for people and programs.
    pub(super) fn plan(&self, client: &mut Client, settings: &ConnectionSettings) -> Result<PostgresPlan> {
        let work = self.work(client)?;
        if self.options.connections.get() > 1 && !work.target.is_empty() {
            return Err(Error::request("several connections restore into an empty database only")
                .with_hint("leave --jobs out: the restore is then one transaction"));
        }
        Ok(self.told(&work, settings))
    }

    pub(super) fn told(&self, work: &Work, settings: &ConnectionSettings) -> PostgresPlan {
        let tables = self.chosen.tables.iter().zip(&work.actions).map(|(table, action)| PlannedTable {
            name: table.schema().name.clone(),
            role: table.schema().role.clone(),
            rows: table.manifest().rows,
            filters: table.manifest().filters.clone(),
            expire: table.rules().to_vec(),
            stored_bytes: table.manifest().stored_bytes,
            action: *action,
        });
        let step = |step: &Step| match step {
            Step::Run(Statement { kind, name, sql }) => {
                PlannedStep { kind: kind.clone(), name: name.clone(), sql: sql.clone() }
            }
            Step::Rows(name) => {
                let place = work.placement.table(name).map(|route| qualified(&route.made.0, &route.made.1));
                let sql = format!("COPY {} FROM STDIN", place.unwrap_or_default());
                PlannedStep { kind: "rows".into(), name: name.clone(), sql }
            }
            Step::Prove(name) => PlannedStep { kind: "proof".into(), name: name.clone(), sql: String::new() },
        };
        let mut warnings = work.steps.warnings.clone();
        if !self.adds() {
            warnings.extend(self.chosen.omitted.iter().map(|omitted| format!("not in the snapshot: {omitted}")));
        }
        PostgresPlan {
            target: settings.shown(),
            tables: tables.collect(),
            steps: work.steps.steps.iter().map(step).collect(),
            present: work.steps.present.clone(),
            code: work.steps.code.clone(),
            warnings,
        }
    }

    /// Does it.
    pub(super) fn run(
        &self,
        client: Client,
        settings: &ConnectionSettings,
        observer: &dyn Observer,
    ) -> Result<PostgresReport> {
        let client = Mutex::new(client);
        lock(&client).run(&format!(
            "BEGIN; SET LOCAL lock_timeout = {}; SET LOCAL maintenance_work_mem = '256MB'; SET CONSTRAINTS ALL DEFERRED",
            self.options.lock_timeout.as_millis()
        ))?;
        // What the plan was made from may have changed while the archive was verified.
        let work = self.work(&mut lock(&client))?;
        let plan = self.told(&work, settings);
        if self.adds() {
            self.add(&client, &work, observer)?;
        } else {
            self.make(&client, &work, observer)?;
        }
        check_cancelled(observer)?;
        lock(&client).run("COMMIT")?;
        let tables = self.chosen.tables.iter().map(|table| self.restored(table)).collect();
        let kept = work.actions.iter().zip(&self.chosen.tables).filter_map(|(action, table)| {
            let schema = self.options.keep_old.as_ref().filter(|_| *action == TableAction::ReplaceTable)?;
            let route = work.placement.table(&table.schema().name)?;
            Some((qualified(&route.to.0, &route.to.1), qualified(schema, &route.to.1)))
        });
        Ok(PostgresReport { plan, tables, kept: kept.collect(), warnings: Vec::new() })
    }

    fn restored(&self, table: &ChosenTable<'_>) -> RestoredTable {
        let wanted = table.wanted();
        let with_rows = self.options.part != Part::Schema;
        RestoredTable {
            name: table.schema().name.clone(),
            rows: if with_rows { wanted.fingerprint.rows } else { 0 },
            fingerprint: wanted.fingerprint.table,
            filters: table.manifest().filters.clone(),
            expire: table.rules().to_vec(),
            expired: wanted.expired,
            without_time: wanted.without_time,
            proved: with_rows,
            as_pages: false,
        }
    }

    fn add(&self, client: &Mutex<Client>, work: &Work, observer: &dyn Observer) -> Result<()> {
        for table in &self.chosen.tables {
            let addition = Addition::of(table, &work.placement, &work.target, self.options.mode)?;
            let added = match self.options.mode {
                RestoreMode::Upsert => addition.upsert(client, observer),
                _ => addition.append(client, observer),
            };
            added.map_err(|error| error.in_table(&table.schema().name))?;
        }
        // Constraints that wait for the end are looked at now, so that what they refuse is told as what it is.
        lock(client).run("SET CONSTRAINTS ALL IMMEDIATE")
    }

    fn make(&self, client: &Mutex<Client>, work: &Work, observer: &dyn Observer) -> Result<()> {
        let mut made: Option<Inventory> = None;
        for step in &work.steps.steps {
            check_cancelled(observer)?;
            match step {
                Step::Run(statement) => run(client, statement, observer)?,
                Step::Rows(name) | Step::Prove(name) => {
                    let inventory = match &mut made {
                        Some(made) => made,
                        None => made.insert(self.made(client, work)?),
                    };
                    let inventory: &Inventory = inventory;
                    let is_proof = matches!(step, Step::Prove(_));
                    self.rows(client, work, inventory, name, is_proof, observer)
                        .map_err(|error| error.in_table(name.as_str()))?;
                }
            }
        }
        self.check_made(client, work)
    }

    /// What the target says of the tables that were just made.
    pub(super) fn made(&self, client: &Mutex<Client>, work: &Work) -> Result<Inventory> {
        let mut client = lock(client);
        let everything = crate::selection::Selection::everything();
        let places: Vec<&Place> = work.placement.routes.iter().map(|route| &route.made).collect();
        let mut relations = catalog::discover(&mut client, &everything)?;
        relations.retain(|relation| places.iter().any(|place| relation.schema == place.0 && relation.name == place.1));
        catalog::read(&mut client, &relations, false)
    }

    pub(super) fn rows(
        &self,
        client: &Mutex<Client>,
        work: &Work,
        made: &Inventory,
        name: &str,
        is_proof: bool,
        observer: &dyn Observer,
    ) -> Result<()> {
        let missing = || Error::not_proven("the target does not have the table that was made");
        let table = self.chosen.tables.iter().find(|table| table.schema().name == name).ok_or_else(missing)?;
        let route = work.placement.table(name).ok_or_else(missing)?;
        let schema = made.catalog.tables.iter().find(|table| {
            table.option("schema") == Some(route.made.0.as_str())
                && table.option("relation") == Some(route.made.1.as_str())
        });
        let schema = schema.ok_or_else(missing)?;
        let facts = made.tables.iter().find(|facts| facts.name == schema.name).ok_or_else(missing)?;
        if is_proof {
            return proof::check_rows(client, schema, facts, table, observer);
        }
        let load = Load { into: &route.made, facts, made: schema, is_new: true };
        load.run(&mut lock(client), table, observer).map(drop)
    }

    /// The definitions of what was restored, read back, are the snapshot's.
    fn check_made(&self, client: &Mutex<Client>, work: &Work) -> Result<()> {
        let target = Target::read(&mut lock(client))?;
        for table in &self.chosen.tables {
            let name = &table.schema().name;
            let missing = || Error::not_proven("the target does not have the table").in_table(name);
            let route = work.placement.table(name).ok_or_else(missing)?;
            let there = target.table(&route.to).ok_or_else(missing)?;
            // A new name stands in all definitions; those are then the server's own business.
            if route.to == route.from && !says_the_same(&there.definition, &table.schema().definition) {
                return Err(Error::not_proven("the target has another definition").in_table(name));
            }
        }
        let left_out: Vec<&str> = work.steps.warnings.iter().map(String::as_str).collect();
        for object in self.chosen.before.iter().chain(&self.chosen.after) {
            let is_plain = work.placement.routes.iter().all(|route| route.to == route.from);
            let is_compared = is_relation(object)
                || matches!(
                    object.kind.as_str(),
                    "index" | "primary key" | "unique" | "exclusion" | "trigger" | "policy" | "rule"
                );
            if !is_plain || !is_compared || left_out.iter().any(|warning| warning.contains(&object.name)) {
                continue;
            }
            match target.like(object) {
                Some(there) if says_the_same(&there.definition, &object.definition) => {}
                _ => {
                    return Err(Error::not_proven(format!(
                        "the target does not have {} \"{}\" as it was",
                        object.kind, object.name
                    )));
                }
            }
        }
        Ok(())
    }
}

/// Runs one statement. Keys, indexes and checks of what is there take their time: they stop when the observer asks.
pub(super) fn run(client: &Mutex<Client>, statement: &Statement, observer: &dyn Observer) -> Result<()> {
    let Statement { kind, name, sql } = statement;
    observer.begin(Phase::Finish, Some(name), None, None);
    lock(client)
        .run_one_watched(sql, observer)
        .map_err(|error| error.noting(format_args!("while making {kind} \"{name}\"")))
}
