//! In which order rows are added to tables: after those that they refer to.
//!
//! A foreign key that may wait for the end of the transaction asks for no order. Where the others go in a circle, values that may be
//! null are null until all rows are there. Where that cannot be, it is said before anything is touched.

use super::append::Addition;
use super::placement::{Place, relation_place};
use super::references::{Definition, attached};
use super::target::Target;
use crate::error::{Error, Result};
use crate::model::SchemaObject;
use crate::postgres::tokens::{Kind, tokens};

/// A foreign key by which rows of one addition must come after those of another.
struct Edge<'t> {
    child: usize,
    parent: usize,
    key: &'t SchemaObject,
    columns: Vec<String>,
}

/// The additions in an order that foreign keys allow, with the columns that have to be null first. Fails if there is none.
pub(super) fn in_order<'t>(additions: Vec<Addition<'t>>, target: &'t Target) -> Result<Vec<Addition<'t>>> {
    let edges = edges(&additions, target);
    let mut order: Vec<(usize, Vec<String>)> = Vec::with_capacity(additions.len());
    let mut waiting: Vec<usize> = (0..additions.len()).collect();
    while !waiting.is_empty() {
        let mut open = waiting.iter().map(|at| {
            let held = edges.iter().filter(|edge| edge.child == *at && waiting.contains(&edge.parent));
            (*at, held.collect::<Vec<_>>())
        });
        let open: Vec<(usize, Vec<&Edge<'_>>)> = open.by_ref().collect();
        let free = open.iter().find(|(_, held)| held.is_empty()).map(|(at, _)| (*at, Vec::new()));
        let next =
            free.or_else(|| open.iter().find_map(|(at, held)| Some((*at, additions.get(*at)?.nulls_for(held)?))));
        let Some(next) = next else { return Err(circle(&additions, &open)) };
        waiting.retain(|at| *at != next.0);
        order.push(next);
    }
    let mut additions: Vec<Option<Addition<'t>>> = additions.into_iter().map(Some).collect();
    let ordered = order.into_iter().filter_map(|(at, later)| {
        let mut addition = additions.get_mut(at)?.take()?;
        addition.later = later;
        Some(addition)
    });
    Ok(ordered.collect())
}

impl Addition<'_> {
    /// Columns that keep these keys from being looked at as long as they are null, if they may be, and if rows are known again when
    /// they get their values.
    fn nulls_for(&self, edges: &[&Edge<'_>]) -> Option<Vec<String>> {
        if !self.has_same_key() {
            return None;
        }
        let may_be_null = |name: &&String| {
            let column = self.there.columns.iter().find(|column| column.name == **name);
            let is_given = self.table.schema().columns.iter().any(|column| column.name == **name);
            is_given && column.is_some_and(|column| column.nullable) && !self.key().contains(&name.as_str())
        };
        let mut all: Vec<String> = Vec::new();
        for edge in edges {
            let nullable: Vec<&String> = edge.columns.iter().filter(may_be_null).collect();
            // Of a key that is to match in full all columns are null or none.
            let needed = if says(edge.key, &["match", "full"]) { edge.columns.len() } else { 1 };
            if nullable.len() < needed {
                return None;
            }
            all.extend(nullable.into_iter().take(needed).cloned());
        }
        all.sort_unstable();
        all.dedup();
        Some(all)
    }

    /// Do rows that are added refer to others by these columns?
    fn refers_by(&self, columns: &[String]) -> bool {
        let rows = self.table.manifest().rows;
        let is_given = |name: &String| self.table.schema().columns.iter().any(|column| column.name == *name);
        rows > 0 && !columns.iter().any(|name| is_given(name) && self.nulls_of(name) == rows)
    }
}

fn edges<'t>(additions: &[Addition<'t>], target: &'t Target) -> Vec<Edge<'t>> {
    let partitions: Vec<(Place, Place)> =
        target.objects().filter(|object| object.kind == "partition").filter_map(attached).collect();
    let is_at_or_below = |place: &Place, above: &Place| {
        let mut place = place;
        for _ in 0..=partitions.len() {
            if place == above {
                return true;
            }
            let Some((parent, _)) = partitions.iter().find(|(_, child)| child == place) else { return false };
            place = parent;
        }
        false
    };
    let mut edges = Vec::new();
    for key in target.objects().filter(|object| object.kind == "foreign key") {
        let (Some(words), Some(of)) = (Definition::of(key), relation_place(&key.table)) else { continue };
        if says(key, &["deferrable"]) || says(key, &["not", "enforced"]) {
            continue;
        }
        for (child, from) in additions.iter().enumerate().filter(|(_, one)| is_at_or_below(&one.place, &of)) {
            if !from.refers_by(&words.from) {
                continue;
            }
            let parents = additions.iter().enumerate().filter(|(_, one)| is_at_or_below(&one.place, &words.parent));
            // Rows that refer to others of their own table come with them.
            for (parent, _) in parents.filter(|(parent, _)| *parent != child) {
                edges.push(Edge { child, parent, key, columns: words.from.clone() });
            }
        }
    }
    edges
}

/// Are these words in a definition, outside of parentheses?
fn says(object: &SchemaObject, words: &[&str]) -> bool {
    let all = tokens(&object.definition).unwrap_or_default();
    let mut depth = 0_u32;
    let mut outside = Vec::new();
    for token in all.iter().filter(|token| token.kind != Kind::Blank) {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ if depth == 0 => outside.push(*token),
            _ => {}
        }
    }
    let is_word = |(token, word): (&crate::postgres::tokens::Token<'_>, &&str)| {
        token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word)
    };
    outside.windows(words.len()).any(|window| window.iter().zip(words).all(is_word))
}

/// Tables that refer to one another, followed from the first that waits until one comes again.
fn circle(additions: &[Addition<'_>], open: &[(usize, Vec<&Edge<'_>>)]) -> Error {
    let mut seen: Vec<(usize, String)> = Vec::new();
    let mut at = open.first().map(|(at, _)| *at);
    while let Some(here) = at {
        if let Some(start) = seen.iter().position(|(other, _)| *other == here) {
            seen.drain(..start);
            break;
        }
        let edge = open.iter().find(|(other, _)| *other == here).and_then(|(_, held)| held.first());
        let Some(edge) = edge else { break };
        let table = additions.get(here).map_or("", |addition| addition.table.schema().name.as_str());
        seen.push((here, format!("\"{}\" of \"{table}\"", super::swap::constraint(edge.key))));
        at = Some(edge.parent);
    }
    let keys: Vec<String> = seen.into_iter().map(|(_, key)| key).collect();
    Error::request(format!("tables refer to one another, and none can be filled first: by the foreign keys {}", keys.join(", ")))
        .with_hint(
            "let one of them wait (ALTER TABLE … ALTER CONSTRAINT … DEFERRABLE), or replace the tables together (--mode replace)",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_outside_of_parentheses_alone() {
        let key = |end: &str| SchemaObject {
            kind: "foreign key".into(),
            name: "k".into(),
            table: "t".into(),
            definition: format!(
                "ALTER TABLE ONLY public.t ADD CONSTRAINT \"match full\" FOREIGN KEY (deferrable) {end}"
            ),
            position: 0,
        };
        assert!(!says(&key("REFERENCES public.u(deferrable)"), &["deferrable"]));
        assert!(says(&key("REFERENCES public.u(id) DEFERRABLE INITIALLY DEFERRED"), &["deferrable"]));
        assert!(says(&key("REFERENCES public.u(id) MATCH FULL"), &["match", "full"]));
        assert!(!says(&key("REFERENCES public.u(id)"), &["match", "full"]));
    }
}
