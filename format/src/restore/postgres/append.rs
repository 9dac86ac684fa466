//! Rows into tables that exist: added to those that are there, or in the place of those with the same key.

use std::sync::Mutex;

use super::load::{Load, Rows};
use super::placement::{Place, Placement};
use super::target::Target;
use crate::error::{Error, Result};
use crate::model::TableSchema;
use crate::observer::{Observer, Phase};
use crate::postgres::client::Client;
use crate::postgres::sql::{literal, qualified, quote};
use crate::restore::RestoreMode;
use crate::restore::kept::ChosenTable;
use crate::restore::proof::{Watched, not_the_snapshots};
use crate::restore::row_sum::RowSum;
use crate::source::postgres::catalog::TableFacts;
use crate::source::postgres::rows::{Order, TableRows, lock};

/// The table in which rows wait that take the place of others, or for rows that they refer to; a number follows.
const WAITING: &str = "tabark_rows";

/// A table of the target and the rows that go into it.
pub(super) struct Addition<'t> {
    pub(super) table: &'t ChosenTable<'t>,
    pub(super) place: Place,
    pub(super) there: &'t TableSchema,
    facts: &'t TableFacts,
    /// Columns that are null until the rows are there which they refer to.
    pub(super) later: Vec<String>,
}

impl<'t> Addition<'t> {
    /// Finds the target's table and refuses one that is not as the rows need it, before anything is touched.
    pub(super) fn of(
        table: &'t ChosenTable<'t>,
        placement: &Placement,
        target: &'t Target,
        mode: RestoreMode,
    ) -> Result<Self> {
        let schema = table.schema();
        let route = placement.table(&schema.name).ok_or_else(Error::interrupted)?;
        let place = route.to.clone();
        let there = target.table(&place).ok_or_else(|| {
            Error::request(format!("the target has no table {}.{}", place.0, place.1))
                .with_hint("restore it with its definition: leave --mode and --data-only out")
        })?;
        let addition = Self { table, place, there, facts: target.facts(there)?, later: Vec::new() };
        addition.check_columns()?;
        if mode == RestoreMode::Upsert {
            addition.check_key()?;
        }
        Ok(addition)
    }

    fn drifted(&self, what: String) -> Error {
        Error::request(format!("the target's table is not as the snapshot's: {what}"))
            .in_table(&self.table.schema().name)
            .with_hint("change the table, or restore it with its definition (--mode replace)")
    }

    fn check_columns(&self) -> Result<()> {
        let schema = self.table.schema();
        for column in &schema.columns {
            if self.there.generated.contains(&column.name) {
                return Err(self.drifted(format!("column \"{}\" is computed there", column.name)));
            }
            match self.there.columns.iter().find(|there| there.name == column.name) {
                None => return Err(self.drifted(format!("it has no column \"{}\"", column.name))),
                Some(there) if there.declared_type != column.declared_type => {
                    return Err(self.drifted(format!(
                        "column \"{}\" is of the type {} there, and was of the type {}",
                        column.name, there.declared_type, column.declared_type
                    )));
                }
                Some(there) if !there.nullable && column.nullable && self.nulls_of(&column.name) > 0 => {
                    return Err(self.drifted(format!("column \"{}\" takes no nulls there", column.name)));
                }
                Some(_) => {}
            }
        }
        for (there, facts) in self.there.columns.iter().zip(&self.facts.columns) {
            let is_given = schema.columns.iter().any(|column| column.name == there.name);
            if !is_given && !there.nullable && !facts.has_default {
                return Err(
                    self.drifted(format!("column \"{}\" is new there, takes no nulls and has no default", there.name))
                );
            }
        }
        Ok(())
    }

    pub(super) fn nulls_of(&self, name: &str) -> u64 {
        let manifest = self.table.manifest();
        let place = manifest.schema.columns.iter().position(|column| column.name == name);
        place.and_then(|place| manifest.columns.get(place)).map_or(0, |column| column.nulls)
    }

    /// The snapshot's key must be the target's, by which rows are known again.
    fn check_key(&self) -> Result<()> {
        let schema = self.table.schema();
        if schema.key.is_empty() {
            return Err(Error::request("rows without a key cannot take the place of others")
                .in_table(&schema.name)
                .with_hint("add them (--mode append) or replace the table (--mode replace)"));
        }
        if !self.has_same_key() {
            return Err(self.drifted("it has another key".into()));
        }
        Ok(())
    }

    /// Does the target know rows by the snapshot's key?
    pub(super) fn has_same_key(&self) -> bool {
        let schema = self.table.schema();
        !schema.key.is_empty() && key_names(schema) == key_names(self.there)
    }

    /// Keeps other writers away and the table's own triggers silent; these are given back to [`Self::end`].
    pub(super) fn begin(&self, client: &Mutex<Client>) -> Result<Vec<(String, String)>> {
        self.lock_writers(client)?;
        self.silence_triggers(client)
    }

    /// Triggers are as they were. No constraint may be waiting for the end any more.
    pub(super) fn end(&self, client: &Mutex<Client>, enabled: &[(String, String)]) -> Result<()> {
        self.wake_triggers(client, enabled)
    }

    /// Adds the rows, and proves that exactly they were added; what must wait for other tables is left to [`Self::complete`].
    pub(super) fn append(&self, at: usize, client: &Mutex<Client>, observer: &dyn Observer) -> Result<Option<RowSum>> {
        let before = self.sum(client, observer)?;
        if self.later.is_empty() {
            self.load(&self.place, self.facts).run(&mut lock(client), self.table, observer)?;
            self.prove_append(client, &before, observer)?;
            self.raise_sequences(client)?;
            return Ok(None);
        }
        self.let_wait(at, client, observer)?;
        self.insert(at, "", client, observer)?;
        Ok(Some(before))
    }

    /// Puts the rows in the place of those with their key, or adds them; [`Self::complete`] proves that they are there.
    pub(super) fn upsert(&self, at: usize, client: &Mutex<Client>, observer: &dyn Observer) -> Result<()> {
        self.let_wait(at, client, observer)?;
        let given = self.numbers_of_the_server(client)?;
        let is_set = |name: &&str| {
            !self.key().contains(name) && ![&self.later, &given].iter().any(|left| left.iter().any(|left| left == name))
        };
        let others = self.names().into_iter().filter(is_set).map(quote);
        let others: Vec<String> = others.map(|name| format!("{name} = EXCLUDED.{name}")).collect();
        let doing = if others.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", others.join(", ")) };
        let keys: Vec<String> = self.key().into_iter().map(quote).collect();
        self.insert(at, &format!(" ON CONFLICT ({}) DO {doing}", keys.join(", ")), client, observer)
    }

    /// Gives columns their values that waited, and proves that the rows are there. `before`: what the table held, where rows are
    /// added to it.
    pub(super) fn complete(
        &self,
        at: usize,
        before: Option<&RowSum>,
        client: &Mutex<Client>,
        observer: &dyn Observer,
    ) -> Result<()> {
        if !self.later.is_empty() {
            let set: Vec<String> =
                self.later.iter().map(|name| quote(name)).map(|name| format!("{name} = waiting.{name}")).collect();
            let into = qualified(&self.place.0, &self.place.1);
            let sql = format!(
                "UPDATE ONLY {into} SET {} FROM pg_temp.{WAITING}_{at} waiting WHERE {}",
                set.join(", "),
                self.same_key(&into)
            );
            lock(client).run_watched(&sql, observer)?;
        }
        match before {
            Some(before) => self.prove_append(client, before, observer)?,
            None => match self.prove_upsert(at, client, observer) {
                Err(error) if error.is_not_proven() => return Err(self.fixed_numbers(client, error)?),
                proved => proved?,
            },
        }
        lock(client).run(&format!("DROP TABLE pg_temp.{WAITING}_{at}"))?;
        self.raise_sequences(client)
    }

    /// The rows in a table of this session alone.
    fn let_wait(&self, at: usize, client: &Mutex<Client>, observer: &dyn Observer) -> Result<()> {
        let names: Vec<String> = self.names().into_iter().map(quote).collect();
        let into = qualified(&self.place.0, &self.place.1);
        lock(client).run(&format!(
            "CREATE TEMPORARY TABLE {WAITING}_{at} ON COMMIT DROP AS SELECT {} FROM ONLY {into} WITH NO DATA",
            names.join(", ")
        ))?;
        let waiting = ("pg_temp".to_owned(), format!("{WAITING}_{at}"));
        self.load(&waiting, self.facts).run(&mut lock(client), self.table, observer).map(drop)
    }

    /// Rows that wait go into the table, but for values that have to wait longer.
    fn insert(&self, at: usize, on_conflict: &str, client: &Mutex<Client>, observer: &dyn Observer) -> Result<()> {
        let names: Vec<String> = self.names().into_iter().map(quote).collect();
        let value =
            |name: &str| if self.later.iter().any(|later| later == name) { "NULL".to_owned() } else { quote(name) };
        let values: Vec<String> = self.names().into_iter().map(value).collect();
        let sql = format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM pg_temp.{WAITING}_{at}{on_conflict}",
            qualified(&self.place.0, &self.place.1),
            names.join(", "),
            values.join(", ")
        );
        lock(client).run_watched(&sql, observer)
    }

    fn prove_append(&self, client: &Mutex<Client>, before: &RowSum, observer: &dyn Observer) -> Result<()> {
        let added = {
            let given = self.given();
            self.table.sum(&given, observer)?
        };
        if self.sum(client, observer)?.is_sum_of(before, &added) {
            return Ok(());
        }
        Err(not_the_snapshots(&self.table.schema().name))
    }

    /// Columns whose numbers rows take when they come, and keep: no statement changes them.
    fn numbers_of_the_server(&self, client: &Mutex<Client>) -> Result<Vec<String>> {
        let rows = lock(client).rows(&format!(
            "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = {}::pg_catalog.regclass AND attidentity = 'a' AND NOT \
             attisdropped",
            literal(&qualified(&self.place.0, &self.place.1))
        ))?;
        Ok(rows.iter().map(|row| row.text(0).to_owned()).collect())
    }

    /// What is wrong with rows that are not proven, where the server alone gives numbers.
    fn fixed_numbers(&self, client: &Mutex<Client>, error: Error) -> Result<Error> {
        let given = self.numbers_of_the_server(client)?;
        let fixed = given.iter().find(|name| !self.key().contains(&name.as_str()));
        Ok(fixed.map_or(error, |name| {
            Error::request(format!(
                "rows there have other numbers in the column {} than the snapshot, which the server alone gives (GENERATED ALWAYS \
                 AS IDENTITY)",
                quote(name)
            ))
            .with_hint("make the column GENERATED BY DEFAULT, or replace the table (--mode replace)")
        }))
    }

    /// Reads the rows with the snapshot's keys back, which must be the snapshot's.
    fn prove_upsert(&self, at: usize, client: &Mutex<Client>, observer: &dyn Observer) -> Result<()> {
        let same = self.same_key(&qualified(&self.place.0, &self.place.1));
        let among = format!("EXISTS (SELECT 1 FROM pg_temp.{WAITING}_{at} waiting WHERE {same})");
        let (given, facts) = (self.given(), self.given_facts());
        observer.begin(Phase::Prove, Some(&self.table.schema().name), Some(self.table.rows()), None);
        let mut fingerprinter = crate::archive::Fingerprinter::new(self.table.schema());
        TableRows::new(&given, &facts).read_ordered(
            std::slice::from_ref(client),
            &[&among],
            Order::Key,
            &mut Watched::new(observer, &mut fingerprinter),
        )?;
        if fingerprinter.finish().table == self.table.wanted().fingerprint.table {
            return Ok(());
        }
        Err(not_the_snapshots(&self.table.schema().name))
    }

    /// That a row of the table is the one that waits.
    fn same_key(&self, into: &str) -> String {
        let keys = self.key().into_iter().map(quote);
        keys.map(|key| format!("waiting.{key} = {into}.{key}")).collect::<Vec<_>>().join(" AND ")
    }

    /// The snapshot's columns.
    fn names(&self) -> Vec<&str> {
        self.table.schema().columns.iter().map(|column| column.name.as_str()).collect()
    }

    pub(super) fn key(&self) -> Vec<&str> {
        key_names(self.table.schema())
    }

    fn load<'l>(&'l self, into: &'l Place, facts: &'l TableFacts) -> Load<'l> {
        Load { into, facts, made: self.there, is_new: false, rows: Rows::All }
    }

    /// Readers go on; who writes waits until the rows are there and proven.
    fn lock_writers(&self, client: &Mutex<Client>) -> Result<()> {
        let place = qualified(&self.place.0, &self.place.1);
        lock(client).run(&format!("LOCK TABLE ONLY {place} IN SHARE ROW EXCLUSIVE MODE"))
    }

    /// The target's table with the snapshot's columns alone, in the snapshot's order.
    fn given(&self) -> TableSchema {
        let mut given = self.table.schema().clone();
        given.options = self.there.options.clone();
        given
    }

    fn given_facts(&self) -> TableFacts {
        let mut facts = self.facts.clone();
        let place = |name: &str| self.there.columns.iter().position(|there| there.name == *name);
        let columns = self.table.schema().columns.iter().filter_map(|column| place(&column.name));
        facts.columns = columns.filter_map(|place| self.facts.columns.get(place).cloned()).collect();
        facts
    }

    fn sum(&self, client: &Mutex<Client>, observer: &dyn Observer) -> Result<RowSum> {
        let (given, facts) = (self.given(), self.given_facts());
        let mut sum = RowSum::new(&given);
        observer.begin(Phase::Prove, Some(&given.name), None, None);
        TableRows::new(&given, &facts).read_ordered(
            std::slice::from_ref(client),
            &[],
            Order::AsTheyLie,
            &mut Watched::new(observer, &mut sum),
        )?;
        Ok(sum)
    }

    /// Switches the table's own triggers off, which would do again what they did when the rows were first written. What they were
    /// is kept; should the restore fail, the transaction takes it back.
    fn silence_triggers(&self, client: &Mutex<Client>) -> Result<Vec<(String, String)>> {
        let place = qualified(&self.place.0, &self.place.1);
        let mut client = lock(client);
        let rows = client.rows(&format!(
            "SELECT tgname, tgenabled FROM pg_catalog.pg_trigger WHERE tgrelid = {}::pg_catalog.regclass AND NOT tgisinternal AND \
             tgenabled <> 'D' ORDER BY tgname",
            literal(&place)
        ))?;
        let enabled: Vec<(String, String)> =
            rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect();
        if !enabled.is_empty() {
            client.run(&format!("ALTER TABLE {place} DISABLE TRIGGER USER"))?;
        }
        Ok(enabled)
    }

    fn wake_triggers(&self, client: &Mutex<Client>, enabled: &[(String, String)]) -> Result<()> {
        let place = qualified(&self.place.0, &self.place.1);
        for (name, when) in enabled {
            let how = match when.as_str() {
                "R" => "ENABLE REPLICA",
                "A" => "ENABLE ALWAYS",
                _ => "ENABLE",
            };
            lock(client).run(&format!("ALTER TABLE {place} {how} TRIGGER {}", quote(name)))?;
        }
        Ok(())
    }

    /// Sequences of the table's columns go on behind the rows that came. One that counts down goes on below them.
    fn raise_sequences(&self, client: &Mutex<Client>) -> Result<()> {
        let place = qualified(&self.place.0, &self.place.1);
        let mut client = lock(client);
        for column in &self.table.schema().columns {
            let name = quote(&column.name);
            let row = client.value(&format!(
                "SELECT pg_catalog.pg_get_serial_sequence({}, {})",
                literal(&place),
                literal(&column.name)
            ))?;
            let Some(sequence) = row.get(0) else { continue };
            client.rows(&format!(
                "SELECT pg_catalog.setval({sequence}, CASE WHEN s.seqincrement > 0 THEN GREATEST(v.last_value, m.most) ELSE \
                 LEAST(v.last_value, m.least) END, true) FROM pg_catalog.pg_sequence s, {relation} v, (SELECT pg_catalog.max({name}) \
                 AS most, pg_catalog.min({name}) AS least FROM ONLY {place}) m WHERE s.seqrelid = {sequence}::pg_catalog.regclass AND \
                 CASE WHEN s.seqincrement > 0 THEN m.most > v.last_value AND m.most <= s.seqmax OR m.most = v.last_value AND NOT \
                 v.is_called ELSE m.least < v.last_value AND m.least >= s.seqmin END",
                sequence = literal(sequence),
                relation = sequence,
            ))?;
        }
        Ok(())
    }
}

fn key_names(schema: &TableSchema) -> Vec<&str> {
    let columns = schema.key.iter().filter_map(|part| schema.columns.get(part.column as usize));
    columns.map(|column| column.name.as_str()).collect()
}
