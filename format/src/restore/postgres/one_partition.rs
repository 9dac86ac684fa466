//! A partition that is restored while the table that it is a partition of stays as it is in the target.
//!
//! It is made, filled and proven as a table of its own, so that nothing which comes from above fires, and is attached at the end. Where
//! it replaces another, that is detached then; and a check that says what its bound says is made before, so that the server need not
//! read the rows again while everybody waits.

use super::chosen::Chosen;
use super::placement::{Place, Placement, referenced, relation_place};
use super::references::attached;
use super::steps::{Making, Statement, Step, Steps};
use super::swap::constraint;
use super::target::{Above, Target};
use crate::error::{Error, Result};
use crate::model::SchemaObject;
use crate::postgres::sql::{qualified, quote};
use crate::postgres::tokens::{Kind, tokens};

/// The check that says what the bound says.
pub(super) const BOUND: &str = "tabark_partition_bound";

/// When something is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Now,
    /// When the old tables are locked, and before they go.
    AtSwap,
    /// When the new tables are where they end.
    AfterSwap,
}

/// A partition that is restored alone.
pub(super) struct Taken {
    /// Its name in the archive.
    pub(super) name: String,
    place: Place,
    /// Does it take the place of one that is there?
    replaces: bool,
    /// What it is a partition of, what that is a partition of, and so on.
    above: Vec<Place>,
    /// The statement that attaches it.
    attach: String,
    condition: Option<String>,
    /// The partition that has the rows which belong to no other.
    default: Option<Place>,
}

impl Taken {
    /// Those that replace others, and those that are new. Refuses such as would be put in another place than the target's.
    pub(super) fn all(
        chosen: &Chosen<'_>,
        placement: &Placement,
        target: &Target,
        above: &[Above],
    ) -> Result<Vec<Self>> {
        let mut all: Vec<Self> = Vec::new();
        for entry in above {
            if let Some(taken) = all.iter_mut().find(|taken| taken.place == entry.partition) {
                taken.above.push(entry.place.clone());
                continue;
            }
            let route = placement.routes.iter().find(|route| route.to == entry.partition && route.kind != "sequence");
            let route = route.ok_or_else(|| Error::database("the target's catalog changed while it was read"))?;
            let refused = |why: &str| {
                Error::request(format!(
                    "{}.{} is a partition of {}.{} in the target{why}",
                    route.to.0, route.to.1, entry.place.0, entry.place.1
                ))
                .with_hint(
                    "replace the partitioned table with all of its partitions, or restore beside it (--into-schema)",
                )
            };
            if route.from != route.to {
                return Err(refused(", and something of another name cannot take its place alone"));
            }
            let of_partition = |object: &&SchemaObject| {
                object.kind == "partition" && attached(object).is_some_and(|(_, child)| child == entry.partition)
            };
            let there = target.objects().find(of_partition).ok_or_else(|| refused(", which does not say its bound"))?;
            if let Some(wanted) = chosen.before.iter().find(of_partition)
                && !is_same(&wanted.definition, &there.definition)
            {
                return Err(refused(&format!(", {}; in the snapshot it is {}", bound(there), bound(wanted))));
            }
            all.push(Self {
                name: route.name.clone(),
                place: entry.partition.clone(),
                replaces: true,
                above: vec![entry.place.clone()],
                attach: there.definition.clone(),
                condition: entry.condition.clone(),
                default: entry.default.clone(),
            });
        }
        for object in chosen.before.iter().filter(|object| object.kind == "partition") {
            let Some((parent, place)) = attached(object) else { continue };
            let is_alone = placement.from(&parent).is_none() && target.relation(&parent) == Some("partitioned table");
            let route = placement.from(&place).filter(|route| route.from == route.to);
            if let (true, Some(route)) = (is_alone && all.iter().all(|taken| taken.place != place), route) {
                let above = above_in(target, parent);
                let (name, attach) = (route.name.clone(), object.definition.clone());
                all.push(Self { name, place, replaces: false, above, attach, condition: None, default: None });
            }
        }
        Ok(all)
    }

    /// Is it a partition of this, or of a partition of it?
    pub(super) fn is_below(&self, place: &Place) -> bool {
        self.above.contains(place)
    }

    /// Does the partition have this from what it is attached to? A snapshot of the partition alone has it as its own.
    pub(super) fn has_from_above(&self, object: &SchemaObject, target: &Target) -> bool {
        let is_above = |kind: &str, name: &str| {
            let like = |other: &SchemaObject| {
                other.kind == kind
                    && constraint(other) == name
                    && relation_place(&other.table).is_some_and(|place| self.is_below(&place))
            };
            target.objects().any(like)
        };
        object.table == self.name
            && match object.kind.as_str() {
                // The server finds those that are alike.
                "index attach" => true,
                "foreign key" | "trigger" => is_above(&object.kind, constraint(object)),
                _ => false,
            }
    }

    /// Locks that are taken with those of the old tables: what it is attached to, and where the server looks for its rows.
    pub(super) fn locked(&self) -> impl Iterator<Item = String> {
        let parent = self.above.first().map(|place| format!("ONLY {}", qualified(&place.0, &place.1)));
        parent.into_iter().chain(self.default.iter().map(|place| qualified(&place.0, &place.1)))
    }

    /// Before the old tables are locked.
    pub(super) fn prepare(&self, steps: &mut Steps, placement: &Placement) {
        let (Some(condition), Some(route)) = (&self.condition, placement.from(&self.place)) else { return };
        let made = qualified(&route.made.0, &route.made.1);
        let sql = format!("ALTER TABLE {made} ADD CONSTRAINT {} CHECK ({condition})", quote(BOUND));
        steps.run("check", &self.name, sql);
    }

    /// The old one becomes a table of its own.
    pub(super) fn detach(&self, steps: &mut Steps) {
        let Some(parent) = self.above.first().filter(|_| self.replaces) else { return };
        let (parent, place) = (qualified(&parent.0, &parent.1), qualified(&self.place.0, &self.place.1));
        steps.run("detach", &self.name, format!("ALTER TABLE {parent} DETACH PARTITION {place}"));
    }

    /// The new one becomes a partition.
    fn attach(&self, steps: &mut Steps) {
        steps.run("partition", &self.name, self.attach.clone());
        if self.condition.is_some() {
            let place = qualified(&self.place.0, &self.place.1);
            steps.run("check", &self.name, format!("ALTER TABLE {place} DROP CONSTRAINT {}", quote(BOUND)));
        }
    }
}

impl Steps {
    /// Attaches partitions that are restored alone, and makes what needs them.
    pub(super) fn attach(&mut self, taken: &[Taken]) {
        taken.iter().for_each(|taken| taken.attach(self));
        let after: Vec<Step> = self.after_swap.drain(..).map(Step::Run).collect();
        self.steps.extend(after);
    }

    /// When something of a replacement is made. A foreign key to a table that stays keeps those who write to that waiting; one to what
    /// a partition is put into is right when it is there; and triggers that a partition has from above come with being attached.
    pub(super) fn when(&self, object: &SchemaObject, making: &Making<'_, '_>) -> Result<When> {
        let when = match object.kind.as_str() {
            "foreign key" => match referenced(object) {
                Some(place) if making.taken.iter().any(|taken| taken.is_below(&place)) => When::AfterSwap,
                Some(place) if making.replaces && making.placement.from(&place).is_none() => When::AtSwap,
                _ => When::Now,
            },
            "comment" if object.definition.starts_with("COMMENT ON CONSTRAINT ") => {
                let is_its_key = |statement: &Statement| {
                    let key = statement.name.strip_prefix(&format!("{}.", statement.table)).unwrap_or(&statement.name);
                    statement.kind == "foreign key" && statement.table == object.table && key == constraint(object)
                };
                match (self.at_swap.iter().any(is_its_key), self.after_swap.iter().any(is_its_key)) {
                    (true, _) => When::AtSwap,
                    (_, true) => When::AfterSwap,
                    _ => When::Now,
                }
            }
            "trigger state" if is_from_above(object, making) => When::AfterSwap,
            _ => When::Now,
        };
        let route = relation_place(&object.table).and_then(|place| making.placement.from(&place));
        if when == When::AfterSwap && route.is_some_and(|route| route.from != route.to) {
            return Err(Error::request(format!(
                "{} \"{}\" of \"{}\" needs a partition that is restored alone, and the table gets another name",
                object.kind, object.name, object.table
            ))
            .with_hint("restore the two one after the other"));
        }
        Ok(when)
    }
}

/// Is it the state of a trigger that a partition has from a table that stays?
fn is_from_above(object: &SchemaObject, making: &Making<'_, '_>) -> bool {
    let parent = |name: &str| {
        let partition = making.chosen.before.iter().find(|other| other.kind == "partition" && other.table == name)?;
        making.chosen.relations.get(&attached(partition)?.0).map(String::as_str)
    };
    let mut name = object.table.as_str();
    for _ in 0..=making.chosen.before.len() {
        let of_trigger =
            |other: &&SchemaObject| other.kind == "trigger" && other.table == name && other.name == object.name;
        let has_from_above =
            |other: &SchemaObject| making.taken.iter().any(|taken| taken.has_from_above(other, making.target));
        if making.chosen.after.iter().any(|other| of_trigger(&other) && !has_from_above(other)) {
            return false;
        }
        if making.taken.iter().any(|taken| taken.name == name) {
            return true;
        }
        let Some(next) = parent(name) else { return false };
        name = next;
    }
    false
}

/// A table of the target, what it is a partition of, and so on.
fn above_in(target: &Target, place: Place) -> Vec<Place> {
    let mut above = vec![place];
    while let Some(parent) = target.objects().filter(|object| object.kind == "partition").find_map(|object| {
        let (parent, child) = attached(object)?;
        (above.last() == Some(&child)).then_some(parent)
    }) {
        above.push(parent);
    }
    above
}

/// Do two statements attach the same partition to the same table by the same bound?
fn is_same(one: &str, other: &str) -> bool {
    crate::postgres::tokens::says_the_same(one, other)
}

/// What a statement that attaches a partition says of it: of what, and its bound.
fn bound(object: &SchemaObject) -> String {
    let of = attached(object).map(|(parent, _)| format!("of {}.{} ", parent.0, parent.1)).unwrap_or_default();
    let all = tokens(&object.definition).unwrap_or_default();
    // ALTER TABLE ONLY schema . name ATTACH PARTITION schema . name
    let mut left = 11;
    let rest = all.iter().skip_while(|token| {
        if token.kind != Kind::Blank {
            left -= 1;
        }
        left >= 0
    });
    format!("{of}{}", rest.map(|token| token.text).collect::<String>().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_what_stands_behind_the_names() {
        let definition =
            "ALTER TABLE ONLY public.\"a b\" ATTACH PARTITION public.c FOR VALUES FROM ('x') TO (MAXVALUE)";
        let object = SchemaObject {
            kind: "partition".into(),
            name: "c".into(),
            table: "c".into(),
            definition: definition.into(),
            position: 0,
        };
        assert_eq!(bound(&object), "of public.a b FOR VALUES FROM ('x') TO (MAXVALUE)");
        assert!(is_same(definition, &definition.replace("public.c", "\"public\".c")));
        assert!(!is_same(definition, &definition.replace("'x'", "'y'")));
    }
}
