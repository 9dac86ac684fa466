//! Taking the place of what is there: the last steps of a restore in mode "replace".
//!
//! New tables stand in a staging schema, filled and proven, before the old ones are locked. From then on only catalogs change:
//! what stands on the old tables is taken away, they go, the new ones get their names, and what stood on them is put on these.
//! All of it is one transaction; who reads sees the old state or the new one.

use super::chosen::Chosen;
use super::one_partition::Taken;
use super::options::PostgresRestoreOptions;
use super::placement::{Place, Placement, Route, named_part, referenced, relation_place};
use super::steps::{self, Statement, Step, Steps, noun};
use super::target::{Dependants, Target};
use crate::error::{Error, Result};
use crate::model::SchemaObject;
use crate::postgres::sql::{qualified, quote};

/// The relations of the target that are replaced.
pub(super) struct Swap<'t> {
    target: &'t Target,
    /// Routes whose end is taken.
    replaced: Vec<Route>,
    /// Sequences that go with their tables.
    owned: Vec<Place>,
    /// Views that stand on what is replaced and are not restored, in order of creation.
    views: Vec<Place>,
    /// How publications let go of what is replaced, and take it again.
    publications: Vec<(String, String)>,
    /// Partitions that are replaced alone.
    taken: Vec<Taken>,
    /// Tables that stay and that foreign keys of those refer to which they are partitions of.
    referred_to: Vec<Place>,
}

impl<'t> Swap<'t> {
    /// Of these routes, whose ends the target has. Refuses what could not be put back.
    pub(super) fn of(
        target: &'t Target,
        replaced: Vec<Route>,
        owned: Vec<Place>,
        dependants: Dependants,
        taken: Vec<Taken>,
    ) -> Result<Self> {
        if let Some(first) = dependants.others.first() {
            let more = dependants.others.len() - 1;
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            return Err(Error::request(format!("what is to be replaced is needed by {first}{more}"))
                .with_hint("drop that first and make it again afterwards, or restore beside it (--into-schema)"));
        }
        let is_replaced = |place: &Place| replaced.iter().any(|route| route.to == *place);
        let views = dependants.views.iter().filter(|place| !is_replaced(place)).cloned().collect();
        let Dependants { publications, referred_to, .. } = dependants;
        Ok(Self { target, replaced, owned, views, publications, taken, referred_to })
    }

    fn is_replaced(&self, place: &Place) -> bool {
        self.replaced.iter().any(|route| route.to == *place)
    }

    /// Is it something that a partition is taken out of, so that rows which others refer to go for a while?
    fn is_above(&self, place: &Place) -> bool {
        self.taken.iter().any(|taken| taken.is_below(place))
    }

    /// Foreign keys of tables that stay, to tables that go.
    fn foreign_keys(&self) -> Vec<&'t SchemaObject> {
        let stays = |object: &&SchemaObject| {
            relation_place(&object.table).is_some_and(|place| !self.is_replaced(&place))
                && referenced(object).is_some_and(|place| self.is_replaced(&place) || self.is_above(&place))
        };
        self.target.objects().filter(|object| object.kind == "foreign key").filter(stays).collect()
    }

    /// Foreign keys of tables that go, to what a partition is taken out of.
    fn foreign_keys_that_go(&self) -> Vec<&'t SchemaObject> {
        let goes = |object: &&SchemaObject| {
            relation_place(&object.table).is_some_and(|place| self.is_replaced(&place))
                && referenced(object).is_some_and(|place| self.is_above(&place))
        };
        self.target.objects().filter(|object| object.kind == "foreign key").filter(goes).collect()
    }

    /// What of the target stands on a relation; a view's definition first.
    fn standing_on(&self, place: &Place) -> Vec<&'t SchemaObject> {
        let on = |object: &&SchemaObject| relation_place(&object.table).as_ref() == Some(place);
        self.target.objects().filter(on).collect()
    }

    /// Appends the steps.
    pub(super) fn steps(
        &self,
        steps: &mut Steps,
        chosen: &Chosen<'_>,
        placement: &Placement,
        options: &PostgresRestoreOptions,
    ) -> Result<()> {
        let old: Vec<&Route> = self.replaced.iter().collect();
        let tables: Vec<&&Route> = old.iter().filter(|route| noun(&route.kind) == "TABLE").collect();
        let foreign_keys = self.foreign_keys();
        let gone = self.foreign_keys_that_go();
        for taken in &self.taken {
            taken.prepare(steps, placement);
        }
        let mut locked: Vec<String> = tables.iter().map(|route| qualified(&route.to.0, &route.to.1)).collect();
        locked
            .extend(foreign_keys.iter().filter_map(|key| relation_place(&key.table)).map(|at| qualified(&at.0, &at.1)));
        // Where a foreign key goes, the server looks at all partitions of what it refers to.
        let above = foreign_keys.iter().chain(&gone).filter_map(|key| referenced(key)).filter(|at| self.is_above(at));
        locked.extend(above.map(|at| qualified(&at.0, &at.1)));
        locked.extend(self.taken.iter().flat_map(Taken::locked));
        locked.sort_unstable();
        locked.dedup();
        let mut together = self.take_views_away()?;
        if !locked.is_empty() {
            let sql = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", locked.join(", "));
            together.push(Statement::new("lock", "", sql));
        }
        if !self.referred_to.is_empty() {
            let tables: Vec<String> = self.referred_to.iter().map(|at| qualified(&at.0, &at.1)).collect();
            let sql = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", tables.join(", "));
            together.push(Statement::new("lock", "", sql));
        }
        together.append(&mut steps.at_swap);
        steps.steps.push(Step::Together(together));
        for key in foreign_keys.iter().chain(&gone) {
            let Some(at) = relation_place(&key.table) else { continue };
            if options.keep_old.is_some() && self.is_replaced(&at) {
                steps.warnings.push(format!(
                    "\"{}\" is kept without its foreign key \"{}\", to a table whose partition is replaced",
                    key.table,
                    constraint(key)
                ));
            }
            let sql = format!("ALTER TABLE {} DROP CONSTRAINT {}", qualified(&at.0, &at.1), quote(constraint(key)));
            steps.run("foreign key", &key.name, sql);
        }
        for (let_go, _) in &self.publications {
            steps.run("publication", "", let_go.clone());
        }
        for taken in &self.taken {
            taken.detach(steps);
        }
        self.take_tables_away(steps, &old, options);
        for route in placement.routes.iter().filter(|route| !route.is_direct() && !moves_along(route, chosen)) {
            let parts = steps::parts(route, chosen, placement);
            steps.bring(route, &parts);
        }
        steps.attach(&self.taken);
        for place in &self.views {
            for object in self.standing_on(place) {
                steps.run(&object.kind, &object.name, object.definition.clone());
            }
        }
        for key in foreign_keys {
            steps.run(&key.kind, &key.name, key.definition.clone());
        }
        for (_, take) in &self.publications {
            steps.run("publication", "", take.clone());
        }
        self.give_back(steps);
        for schema in placement.staging() {
            steps.run("drop", &schema, format!("DROP SCHEMA {}", quote(&schema)));
        }
        Ok(())
    }

    /// Views that are put back later, and those that the snapshot's take the place of; the last made goes first.
    fn take_views_away(&self) -> Result<Vec<Statement>> {
        let mut taken = Vec::new();
        for place in self.views.iter().rev() {
            let kind = self.target.relation(place).ok_or_else(|| {
                Error::database(format!("the view {}.{} is not known", place.0, place.1))
                    .with_hint("the target's schema is changing; restore again when it is not")
            })?;
            let sql = format!("DROP {} {}", noun(kind), qualified(&place.0, &place.1));
            taken.push(Statement::new("drop", &place.1, sql));
        }
        let position = |route: &&Route| {
            self.target.object(&route.kind, &route.name, &route.name).map_or(0, |object| object.position)
        };
        let mut views: Vec<&Route> = self.replaced.iter().filter(|route| route.kind.ends_with("view")).collect();
        views.sort_by_key(|route| std::cmp::Reverse(position(route)));
        for route in views {
            let sql = format!("DROP {} {}", noun(&route.kind), qualified(&route.to.0, &route.to.1));
            taken.push(Statement::new("drop", &route.name, sql));
        }
        Ok(taken)
    }

    /// Old tables are dropped together, as they may refer to one another, or go to another schema with all that is theirs.
    fn take_tables_away(&self, steps: &mut Steps, old: &[&Route], options: &PostgresRestoreOptions) {
        let tables: Vec<&&Route> = old.iter().filter(|route| noun(&route.kind) == "TABLE").collect();
        if tables.is_empty() {
            return;
        }
        match &options.keep_old {
            None => {
                let names: Vec<String> = tables.iter().map(|route| qualified(&route.to.0, &route.to.1)).collect();
                steps.run("drop", "", format!("DROP TABLE {}", names.join(", ")));
            }
            Some(schema) => {
                steps.run("schema", schema, format!("CREATE SCHEMA {}", quote(schema)));
                for route in tables {
                    let place = qualified(&route.to.0, &route.to.1);
                    steps.run("keep", &route.name, format!("ALTER TABLE {place} SET SCHEMA {}", quote(schema)));
                    for (noun, part) in self.standing_on(&route.to).into_iter().filter_map(named_part) {
                        if noun == "STATISTICS" {
                            let place = qualified(&route.to.0, &part);
                            steps.run("keep", &part, format!("ALTER {noun} {place} SET SCHEMA {}", quote(schema)));
                        }
                    }
                }
            }
        }
    }

    /// Owners and privileges that the old tables had.
    fn give_back(&self, steps: &mut Steps) {
        for object in self.target.objects() {
            let is_kept = matches!(object.kind.as_str(), "owner" | "privileges");
            let is_meant = |place: Place| self.is_replaced(&place) || self.owned.contains(&place);
            // A sequence's owner is its table's, and cannot be another.
            let of_replaced = || {
                let place =
                    relation_place(&object.table).filter(|place| object.kind != "owner" || !self.owned.contains(place));
                place.is_some_and(is_meant)
            };
            if is_kept && of_replaced() {
                steps.run(&object.kind, &object.name, object.definition.clone());
            }
        }
    }
}

/// The name of a constraint, without what says whose it is.
pub(super) fn constraint(object: &SchemaObject) -> &str {
    object.name.strip_prefix(&object.table).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&object.name)
}

/// Does it move with its table, as a sequence does that a column owns?
pub(super) fn moves_along(route: &Route, chosen: &Chosen<'_>) -> bool {
    route.kind == "sequence"
        && chosen
            .before
            .iter()
            .any(|object| object.kind == "sequence owner" && (object.name == route.name || object.table == route.name))
}
