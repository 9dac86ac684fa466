//! What stands on what, as the server's `pg_depend` has it: the whole of it, for one question is asked sooner than many.

use std::collections::HashMap;

use crate::error::Result;
use crate::postgres::client::Client;

/// The first number that a server gives to what its users make.
pub(super) const FIRST_OF_USERS: u32 = 16384;

/// The catalogs, by the numbers that they have on every server.
pub(super) mod class {
    pub(in super::super) const TYPE: u32 = 1247;
    pub(in super::super) const FUNCTION: u32 = 1255;
    pub(in super::super) const RELATION: u32 = 1259;
    pub(in super::super) const OPERATOR_MEMBER: u32 = 2602;
    pub(in super::super) const FUNCTION_MEMBER: u32 = 2603;
    pub(in super::super) const DEFAULT: u32 = 2604;
    pub(in super::super) const CAST: u32 = 2605;
    pub(in super::super) const CONSTRAINT: u32 = 2606;
    pub(in super::super) const SCHEMA: u32 = 2615;
    pub(in super::super) const OPERATOR_CLASS: u32 = 2616;
    pub(in super::super) const OPERATOR: u32 = 2617;
    pub(in super::super) const RULE: u32 = 2618;
    pub(in super::super) const TRIGGER: u32 = 2620;
    pub(in super::super) const OPERATOR_FAMILY: u32 = 2753;
    pub(in super::super) const EXTENSION: u32 = 3079;
    pub(in super::super) const POLICY: u32 = 3256;
    pub(in super::super) const STATISTICS: u32 = 3381;
    pub(in super::super) const COLLATION: u32 = 3456;
    pub(in super::super) const TEXT_SEARCH_DICTIONARY: u32 = 3600;
    pub(in super::super) const TEXT_SEARCH_CONFIGURATION: u32 = 3602;
    // Steps that are no entries of a catalog but have to be waited for: numbers that no server gives.
    pub(in super::super) const ATTACHING: u32 = 1;
    pub(in super::super) const REFRESH: u32 = 2;
    pub(in super::super) const SHELL: u32 = 3;
}

/// An entry of a catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Address {
    pub(super) class: u32,
    pub(super) oid: u32,
}

impl Address {
    pub(super) const fn new(class: u32, oid: u32) -> Self {
        Self { class, oid }
    }

    pub(super) const fn relation(oid: u32) -> Self {
        Self::new(class::RELATION, oid)
    }
}

/// One thing that another needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) on: Address,
    /// It goes with the other but need not be there before it (`a` in `pg_depend`).
    pub(super) auto: bool,
}

/// Everything in `pg_depend` that is about what users made.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    needs: HashMap<Address, Vec<Need>>,
    /// What something is only a part of: the row type of a table, the index of a constraint.
    whole: HashMap<Address, Address>,
    parts: HashMap<Address, Vec<Address>>,
    extension: HashMap<Address, u32>,
    /// Sequences by the table of the column that owns them.
    sequences: HashMap<u32, Vec<u32>>,
}

impl Dependencies {
    pub(super) fn read(client: &mut Client) -> Result<Self> {
        let mut found = Self::default();
        let rows = client.rows(
            "SELECT d.classid, d.objid, d.refclassid, d.refobjid, d.deptype, d.refobjsubid, s.oid
             FROM pg_catalog.pg_depend AS d
             LEFT JOIN pg_catalog.pg_class AS s ON d.classid = 1259 AND d.refclassid = 1259 AND d.refobjsubid > 0
                 AND s.oid = d.objid AND s.relkind = 'S'
             WHERE d.objid >= 16384 AND d.deptype <> 'p'
             ORDER BY 1, 2, 3, 4, 5",
        )?;
        for row in rows {
            let from = Address::new(row.number(0)?, row.number(1)?);
            let on = Address::new(row.number(2)?, row.number(3)?);
            found.add(from, on, row.text(4), row.get(6).is_some());
        }
        Ok(found)
    }

    fn add(&mut self, from: Address, on: Address, kind: &str, is_sequence: bool) {
        match kind {
            "e" => {
                self.extension.insert(from, on.oid);
                return;
            }
            // What a partition has of its parent's is made on its own, and joined by a step of its own.
            "P" | "S" => return,
            "i" => {
                self.whole.insert(from, on);
                self.parts.entry(on).or_default().push(from);
            }
            // The constraints of a domain are parts of it, as what an operator class or family holds is of that.
            "a" if from.class == class::CONSTRAINT && on.class == class::TYPE
                || matches!(from.class, class::OPERATOR_MEMBER | class::FUNCTION_MEMBER)
                    && matches!(on.class, class::OPERATOR_CLASS | class::OPERATOR_FAMILY) =>
            {
                self.parts.entry(on).or_default().push(from);
            }
            _ => {}
        }
        if is_sequence {
            self.sequences.entry(on.oid).or_default().push(from.oid);
        }
        let needs = self.needs.entry(from).or_default();
        let need = Need { on, auto: kind == "a" };
        if !needs.contains(&need) {
            needs.push(need);
        }
    }

    pub(super) fn needs(&self, of: Address) -> &[Need] {
        self.needs.get(&of).map_or(&[], Vec::as_slice)
    }

    /// What this is a part of, if it is one.
    pub(super) fn whole(&self, part: Address) -> Option<Address> {
        self.whole.get(&part).copied()
    }

    /// Notes that something stands in the statement that makes another.
    pub(super) fn put_into(&mut self, part: Address, whole: Address) {
        self.whole.insert(part, whole);
    }

    pub(super) fn parts(&self, whole: Address) -> &[Address] {
        self.parts.get(&whole).map_or(&[], Vec::as_slice)
    }

    /// The extension that made this, or what this is a part of.
    pub(super) fn extension(&self, of: Address) -> Option<u32> {
        let mut at = of;
        for _ in 0..8 {
            if let Some(extension) = self.extension.get(&at) {
                return Some(*extension);
            }
            at = self.whole(at)?;
        }
        None
    }

    /// Sequences that the columns of a table own.
    pub(super) fn sequences(&self, table: u32) -> &[u32] {
        self.sequences.get(&table).map_or(&[], Vec::as_slice)
    }
}
