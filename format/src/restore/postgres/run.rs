//! A restore from its plan to its commit.

use std::slice;
use std::sync::Mutex;

use super::by_root::{Root, Roots};
use super::chosen::{Chosen, extension_of};
use super::load::{Load, Rows};
use super::locks::take_together;
use super::made::Made;
use super::one_partition::{BOUND, Taken};
use super::options::{Part, PostgresRestoreOptions};
use super::placement::{Place, Placement, Route};
use super::plan::{PlannedStep, PostgresPlan, PostgresReport};
use super::proof::{self, Leaf};
use super::steps::{self, Making, Statement, Step, Steps};
use super::swap::{Swap, moves_along};
use super::target::{Dependants, Target};
use crate::archive::Snapshot;
use crate::error::{Error, Result};
use crate::hex;
use crate::model::TableSchema;
use crate::observer::{Observer, Phase, check_cancelled};
use crate::postgres::client::Client;
use crate::postgres::settings::ConnectionSettings;
use crate::postgres::sql::qualified;
use crate::restore::kept::ChosenTable;
use crate::restore::{PlannedTable, RestoreMode, RestoredTable, TableAction};
use crate::source::postgres::catalog::{self, Inventory, TableFacts};
use crate::source::postgres::rows::{Order, lock};

/// Materialized views are filled from views, which connections are otherwise kept from reading.
pub(super) const FILLING: &str = "SELECT pg_catalog.set_config(name, '', true) FROM pg_catalog.pg_settings WHERE name = \
                                  'restrict_nonsystem_relation_kind'";

/// Foreign keys check rows that are added only where triggers of a replica do not take their place.
const CHECKING: &str = "SELECT pg_catalog.set_config(name, 'origin', true) FROM pg_catalog.pg_settings WHERE name = \
                        'session_replication_role' AND setting <> 'origin'";
/// What helps where a row is not of the partition that it comes from.
const ELSEWHERE: &str = "if rows belong to other partitions on this server (by its collations or hashes), restore the partitioned table \
                         with all of its partitions, and --by-root";

/// What a restore knows before it asks the target.
pub(super) struct Run<'r, 'a> {
    pub(super) chosen: &'r Chosen<'a>,
    pub(super) options: &'r PostgresRestoreOptions,
    /// What the names of staging schemas begin with.
    pub(super) staging: String,
}

/// What is to be done in a target.
pub(super) struct Work {
    pub(super) target: Target,
    pub(super) placement: Placement,
    pub(super) steps: Steps,
    /// Tables that rows go through.
    pub(super) roots: Roots,
    /// Is a table added to, replaced or made?
    pub(super) actions: Vec<TableAction>,
}

impl Work {
    /// Where the rows of a table are sent.
    fn into(&self, name: &str) -> Option<&Place> {
        match self.roots.of_table(name) {
            Some(root) => self.placement.from(&root.place).map(|route| &route.made),
            None => self.placement.table(name).map(|route| &route.made),
        }
    }
}

impl<'r, 'a> Run<'r, 'a> {
    pub(super) fn new(snapshot: &Snapshot<'_>, chosen: &'r Chosen<'a>, options: &'r PostgresRestoreOptions) -> Self {
        let root = hex::encode(&snapshot.summary().root());
        let staging = format!("tabark_new_{}", root.get(..8).unwrap_or_default());
        Self { chosen, options, staging }
    }

    /// Works out what is to be done. Must be called in a transaction.
    pub(super) fn work(&self, client: &mut Client) -> Result<Work> {
        let target = Target::read(client)?;
        if self.options.connections.get() > 1 && !target.is_empty() {
            return Err(Error::request("several connections restore into an empty database only")
                .with_hint("leave --jobs out: the restore is then one transaction"));
        }
        if self.adds() {
            return self.additions(target);
        }
        // A sequence that no column owns stays as it is, for whoever else counts with it.
        let taken = |place: &Place| target.relation(place).is_some_and(|kind| kind != "sequence");
        let placement = Placement::of(self.chosen, self.options, &self.staging, &taken)?;
        target.check_staging(&placement.staging())?;
        let mut replaced: Vec<Route> = Vec::new();
        let mut owned: Vec<Place> = Vec::new();
        for route in &placement.routes {
            if self.chosen.extension_of(&route.name).is_some() {
                continue;
            }
            let Some(kind) = target.relation(&route.to) else { continue };
            if route.kind == "sequence" && kind == "sequence" {
                // It goes with the table that owns it; what it was allowed to whom stays.
                owned.extend((!route.is_direct()).then(|| route.to.clone()));
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
        let is_replaced = |place: &Place| replaced.iter().any(|route| route.to == *place) || owned.contains(place);
        let roots = if self.options.part == Part::Schema {
            Roots::default()
        } else {
            Roots::of(self.chosen, &target, self.options)?
        };
        let places: Vec<Place> = replaced.iter().map(|route| route.to.clone()).collect();
        let dependants = Dependants::of(client, &places)?;
        let taken = Taken::all(self.chosen, &placement, &target, &dependants.above)?;
        let mut steps = Steps::make(&Making {
            chosen: self.chosen,
            placement: &placement,
            target: &target,
            options: self.options,
            roots: &roots,
            taken: &taken,
            is_replaced: &is_replaced,
            replaces: !replaced.is_empty(),
        })?;
        if replaced.is_empty() {
            for route in placement.routes.iter().filter(|route| !route.is_direct() && !moves_along(route, self.chosen))
            {
                let parts = steps::parts(route, self.chosen, &placement);
                steps.bring(route, &parts);
            }
            for schema in placement.staging() {
                steps.run("drop", &schema, format!("DROP SCHEMA {}", crate::postgres::sql::quote(&schema)));
            }
            steps.attach(&taken);
        } else {
            let swap = Swap::of(&target, replaced, owned, dependants, taken)?;
            swap.steps(&mut steps, self.chosen, &placement, self.options)?;
        }
        Ok(Work { target, placement, steps, roots, actions })
    }

    fn actions(&self, placement: &Placement, replaced: &[Route]) -> Vec<TableAction> {
        let action = |table: &ChosenTable<'_>| {
            let place = placement.table(&table.schema().name).map(|route| &route.to);
            let is_replaced = replaced.iter().any(|route| Some(&route.to) == place);
            if extension_of(table.schema()).is_some() {
                TableAction::AppendTo
            } else if is_replaced {
                TableAction::ReplaceTable
            } else {
                TableAction::CreateTable
            }
        };
        self.chosen.tables.iter().map(action).collect()
    }

    /// The plan, for people and programs.
    pub(super) fn plan(&self, client: &mut Client, settings: &ConnectionSettings) -> Result<PostgresPlan> {
        let work = self.work(client)?;
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
        let statement = |statement: &Statement| {
            let Statement { kind, name, sql, .. } = statement;
            PlannedStep { kind: kind.clone(), name: name.clone(), sql: sql.clone() }
        };
        let step = |step: &Step| match step {
            Step::Run(one) => vec![statement(one)],
            Step::Together(several) => several.iter().map(statement).collect(),
            Step::Rows(name) => {
                let place = work.into(name).map(|place| qualified(&place.0, &place.1));
                let sql = format!("COPY {} FROM STDIN", place.unwrap_or_default());
                vec![PlannedStep { kind: "rows".into(), name: name.clone(), sql }]
            }
            Step::Prove(name) | Step::ProveTogether(name) => {
                vec![PlannedStep { kind: "proof".into(), name: name.clone(), sql: String::new() }]
            }
        };
        let mut warnings = work.steps.warnings.clone();
        if !self.adds() {
            warnings.extend(self.chosen.omitted.iter().map(|omitted| format!("not in the snapshot: {omitted}")));
        }
        PostgresPlan {
            target: settings.shown(),
            tables: tables.collect(),
            steps: work.steps.steps.iter().flat_map(step).collect(),
            present: work.steps.present.clone(),
            code: work.steps.code.clone(),
            by_root: work.roots.all.iter().map(Root::told).collect(),
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
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = {}; SET LOCAL maintenance_work_mem = '256MB'; SET CONSTRAINTS ALL DEFERRED; {FILLING}; {CHECKING}",
            self.options.lock_timeout.as_millis()
        ))?;
        // What the plan was made from may have changed while the archive was verified.
        let work = self.work(&mut lock(&client))?;
        let plan = self.told(&work, settings);
        if self.adds() {
            self.add(&client, &work, observer)?;
            check_cancelled(observer)?;
            lock(&client).run("COMMIT")?;
        } else if self.options.connections.get() > 1 {
            self.make_in_parallel(&client, settings, &work, observer)?;
        } else {
            self.make(&client, &work, observer)?;
            check_cancelled(observer)?;
            lock(&client).run("COMMIT")?;
        }
        let tables = self.chosen.tables.iter().map(|table| self.restored(table)).collect();
        let kept = work.actions.iter().zip(&self.chosen.tables).filter_map(|(action, table)| {
            let schema = self.options.keep_old.as_ref().filter(|_| *action == TableAction::ReplaceTable)?;
            let route = work.placement.table(&table.schema().name)?;
            Some((format!("{}.{}", route.to.0, route.to.1), format!("{schema}.{}", route.to.1)))
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

    fn make(&self, client: &Mutex<Client>, work: &Work, observer: &dyn Observer) -> Result<()> {
        let mut made: Option<Inventory> = None;
        for step in &work.steps.steps {
            check_cancelled(observer)?;
            match step {
                Step::Run(statement) => run(client, statement, observer)?,
                Step::Together(statements) => take_together(client, statements, self.options.lock_timeout, observer)?,
                Step::Rows(name) | Step::Prove(name) | Step::ProveTogether(name) => {
                    let inventory = match &mut made {
                        Some(made) => made,
                        None => made.insert(self.made(client, work)?),
                    };
                    let inventory: &Inventory = inventory;
                    let done = match step {
                        Step::Prove(_) => {
                            self.prove(slice::from_ref(client), work, inventory, name, Order::AsTheyLie, observer)
                        }
                        Step::ProveTogether(_) => self.prove_together(client, work, inventory, name, observer),
                        _ => self.load(client, work, inventory, name, Rows::All, observer),
                    };
                    done.map_err(|error| error.in_table(name.as_str()))?;
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
        catalog::for_rows(&mut client, &relations)
    }

    /// Fills a table that was made.
    pub(super) fn load(
        &self,
        client: &Mutex<Client>,
        work: &Work,
        made: &Inventory,
        name: &str,
        rows: Rows,
        observer: &dyn Observer,
    ) -> Result<()> {
        let (table, route, schema, facts) = self.pair(work, made, name)?;
        let extension = extension_of(table.schema());
        if let Some(extension) = extension {
            refuse_rows_of_users(client, &route.made, &facts.condition, extension)?;
        }
        let through_root = work.roots.of_table(name).is_some();
        let into = work.into(name).unwrap_or(&route.made);
        let is_new = rows == Rows::All && extension.is_none() && !through_root;
        let load = Load { into, facts, made: schema, is_new, rows };
        load.run(&mut lock(client), table, observer).map(drop).map_err(|error| {
            let is_partition = || self.chosen.is_partition(name) && error.message().contains("(SQLSTATE 23514)");
            if through_root {
                error.noting(format_args!("the rows were sent to {}.{}", into.0, into.1))
            } else if is_partition() {
                error.with_hint(ELSEWHERE)
            } else {
                error
            }
        })
    }

    /// Reads a table that was made back.
    pub(super) fn prove(
        &self,
        clients: &[Mutex<Client>],
        work: &Work,
        made: &Inventory,
        name: &str,
        first: Order,
        observer: &dyn Observer,
    ) -> Result<()> {
        let (table, _, schema, facts) = self.pair(work, made, name)?;
        proof::check_rows(clients, schema, facts, table, first, observer)
    }

    /// Reads all partitions of a table back that their rows were sent to.
    pub(super) fn prove_together(
        &self,
        client: &Mutex<Client>,
        work: &Work,
        made: &Inventory,
        root: &str,
        observer: &dyn Observer,
    ) -> Result<()> {
        let root = work.roots.root(root).ok_or_else(|| Error::not_proven("the target does not have the root"))?;
        let leaves = root.leaves.iter().map(|name| {
            let (table, _, made, facts) = self.pair(work, made, name)?;
            Ok(Leaf { table, made, facts })
        });
        proof::check_together(client, &leaves.collect::<Result<Vec<_>>>()?, observer)
    }

    /// A table of the snapshot, where it goes, and what the target says of it.
    fn pair<'m>(
        &'m self,
        work: &'m Work,
        made: &'m Inventory,
        name: &str,
    ) -> Result<(&'m ChosenTable<'a>, &'m Route, &'m TableSchema, &'m TableFacts)> {
        let missing = || Error::not_proven("the target does not have the table that was made");
        let table = self.chosen.tables.iter().find(|table| table.schema().name == name).ok_or_else(missing)?;
        let route = work.placement.table(name).ok_or_else(missing)?;
        let schema = made.catalog.tables.iter().find(|table| {
            table.option("schema") == Some(route.made.0.as_str())
                && table.option("relation") == Some(route.made.1.as_str())
        });
        let schema = schema.ok_or_else(missing)?;
        let facts = made.tables.iter().find(|facts| facts.name == schema.name).ok_or_else(missing)?;
        Ok((table, route, schema, facts))
    }

    /// The definitions of what was restored, read back, are the snapshot's.
    pub(super) fn check_made(&self, client: &Mutex<Client>, work: &Work) -> Result<()> {
        let target = Target::read(&mut lock(client))?;
        let (placement, left_out) = (&work.placement, &work.steps.left_out);
        Made { chosen: self.chosen, placement, target: &target, left_out }.check()
    }
}

/// Refuses to put rows of users into the table of an extension beside others of theirs: neither would be the snapshot's then.
fn refuse_rows_of_users(client: &Mutex<Client>, place: &Place, condition: &str, extension: &str) -> Result<()> {
    let sql = format!("SELECT EXISTS (SELECT FROM ONLY {} {condition})", qualified(&place.0, &place.1));
    if lock(client).value(&sql)?.is_true(0) {
        return Err(Error::request(format!(
            "the target's table of the extension \"{extension}\" has rows of users already"
        ))
        .with_hint(
            "replace them (--mode replace), add to them (--mode append or upsert), or leave the table out (-T)",
        ));
    }
    Ok(())
}

/// Runs one statement. Keys, indexes and checks of what is there take their time: they stop when the observer asks.
pub(super) fn run(client: &Mutex<Client>, statement: &Statement, observer: &dyn Observer) -> Result<()> {
    let Statement { kind, name, sql, .. } = statement;
    observer.begin(Phase::Finish, Some(name), None, None);
    lock(client)
        .run_one_watched(sql, observer)
        .map_err(|error| {
            let is_broken = kind == "foreign key" && error.message().contains("(SQLSTATE 23503)");
            let is_elsewhere = error.message().contains(BOUND);
            let error = error.noting(format_args!("while making {kind} \"{name}\""));
            if is_elsewhere {
                return error.with_hint(ELSEWHERE);
            }
            if is_broken {
                let hint = "rows of this table refer to rows that the snapshot does not have: restore it too, or delete those rows first";
                return error.with_hint(hint);
            }
            error
        })
}
