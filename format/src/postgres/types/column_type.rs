//! What is to be known of a column's type, worked out from what a catalog says of it.

use super::wire::Wire;
use crate::model::Logical;

/// What a catalog says of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypeFacts {
    /// The schema that it is in.
    pub(crate) schema: String,
    /// Its own name (`typname`): `int4`, not `integer`.
    pub(crate) name: String,
    /// `typtype`: b base, c composite, d domain, e enum, m multirange, p pseudo, r range.
    pub(crate) kind: char,
    /// `typcategory`.
    pub(crate) category: char,
    /// Its number in this database.
    pub(crate) oid: u32,
    /// `atttypmod` of the column; of what stands below a domain, the domain's `typtypmod`; -1 for none.
    pub(crate) modifier: i32,
    /// `typoutput`, qualified and quoted where it must be: `pg_catalog.array_out`.
    pub(crate) output: String,
    /// Of a type with `typelem`, that.
    pub(crate) element: Option<Box<TypeFacts>>,
    /// Of a domain, the type below it, which may be a domain again.
    pub(crate) base: Option<Box<TypeFacts>>,
}

impl TypeFacts {
    /// The type below all domains.
    pub(super) fn bottom(&self) -> &Self {
        let mut facts = self;
        while let ('d', Some(base)) = (facts.kind, facts.base.as_deref()) {
            facts = base;
        }
        facts
    }

    /// The modifier that values keep to: the first that the column or a domain below it has.
    pub(super) fn modifier_below(&self) -> i32 {
        let mut facts = self;
        while let (true, Some(base)) = (facts.modifier < 0, facts.base.as_deref()) {
            facts = base;
        }
        facts.modifier
    }

    /// Is its output function this one of the system's?
    pub(super) fn is_printed_by(&self, function: &str) -> bool {
        let name = self.output.strip_prefix("pg_catalog.").or_else(|| self.output.strip_prefix("\"pg_catalog\"."));
        name.is_some_and(|name| name.trim_matches('"') == function)
    }
}

/// How the order of a column's cells is that of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyOrder {
    /// As the server's default order is.
    Same,
    /// As it is with `COLLATE "C"`.
    WithCollateC,
    /// There is no order of the server that is the cells'.
    None,
}

/// A column's type: how it is selected, decoded and encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnType {
    pub(super) wire: Wire,
    /// The output function by which its values are selected, where they are not selected as they are.
    output: Option<String>,
}

impl ColumnType {
    /// The type of these facts.
    pub(crate) fn of(facts: &TypeFacts) -> Self {
        let wire = Wire::of(facts);
        let is_printed = matches!(wire, Wire::Printed(_) | Wire::Opaque);
        let output = is_printed.then(|| facts.bottom().output.clone());
        Self { wire, output }
    }

    /// What the column's cells mean.
    pub(crate) fn logical(&self) -> Logical {
        match &self.wire {
            Wire::Bool => Logical::Boolean,
            Wire::Int2 | Wire::Int4 | Wire::Int8 | Wire::Oid | Wire::Money => Logical::Integer,
            Wire::Float4 | Wire::Float8 => Logical::Real,
            Wire::Text | Wire::Padded | Wire::Byte => Logical::Text,
            Wire::Bytea => Logical::Bytes,
            Wire::Date => Logical::Date,
            Wire::Time => Logical::Time,
            Wire::Timestamp => Logical::Timestamp,
            Wire::TimestampWithZone => Logical::TimestampWithZone,
            Wire::Uuid => Logical::Uuid,
            Wire::Json | Wire::Jsonb => Logical::Json,
            Wire::Numeric { scale: Some(scale), .. } => Logical::Decimal(*scale),
            Wire::Numeric { scale: None, .. } => Logical::DecimalText,
            Wire::Interval => Logical::Interval,
            Wire::Enum | Wire::Printed(_) | Wire::Opaque => Logical::Opaque,
        }
    }

    /// The expression that selects a column of this type for COPY BINARY. The name is quoted and may be qualified.
    pub(crate) fn select(&self, quoted_column: &str) -> String {
        match &self.output {
            Some(output) => format!("{output}({quoted_column})"),
            None => quoted_column.to_owned(),
        }
    }

    /// Is the form known in which the server takes its values in COPY BINARY? Tables whose columns all have one are restored so,
    /// others by COPY TEXT.
    pub(crate) fn has_binary(&self) -> bool {
        self.wire != Wire::Opaque
    }

    /// How the order of cells is that of the server, so that rows selected in the order of a key come in the order of its cells.
    /// Of texts it is so only where all are valid UTF-8 (not in a database of the encoding SQL_ASCII).
    pub(crate) fn key_order(&self) -> KeyOrder {
        match &self.wire {
            Wire::Bool
            | Wire::Int2
            | Wire::Int4
            | Wire::Int8
            | Wire::Oid
            | Wire::Money
            | Wire::Bytea
            | Wire::Date
            | Wire::Time
            | Wire::Timestamp
            | Wire::TimestampWithZone
            | Wire::Uuid
            | Wire::Numeric { precision: Some(1..=18), scale: Some(_) } => KeyOrder::Same,
            Wire::Text => KeyOrder::WithCollateC,
            _ => KeyOrder::None,
        }
    }

    /// Does the column hold money, whose text COPY TEXT writes as the locale "C" reads it (`lc_monetary`)?
    #[cfg(test)]
    pub(crate) fn is_money(&self) -> bool {
        self.wire == Wire::Money
    }
}
