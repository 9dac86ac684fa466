//! Which form the values of a type have in COPY BINARY.

use super::column_type::TypeFacts;

/// The binary form of the types that are known by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wire {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    /// An amount in the smallest unit of the currency.
    Money,
    Float4,
    Float8,
    /// text, varchar, name; refcursor, which is a text to its input and output functions.
    Text,
    /// char(n): blanks at its end are part of it and do not count when it is compared.
    Padded,
    /// `"char"`: one byte.
    Byte,
    Bytea,
    Date,
    Time,
    Timestamp,
    TimestampWithZone,
    Uuid,
    Json,
    Jsonb,
    /// With a scale from 0 to 18 that all values have, or without.
    Numeric {
        precision: Option<u16>,
        scale: Option<u8>,
    },
    Interval,
    /// Its binary form is its label.
    Enum,
    /// Comes as text of its output function, and goes back in a binary form that is known.
    Printed(Received),
    /// Comes as text of its output function, and goes back as text only.
    Opaque,
}

/// The binary form of types that come as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Received {
    /// inet, and cidr, which always has its bits behind it.
    Network {
        cidr: bool,
    },
    /// macaddr of 6 bytes, macaddr8 of 8.
    HardwareAddress {
        bytes: usize,
    },
    /// bit, varbit.
    Bits,
    Array(Box<Element>),
}

/// What an array is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    /// The number of the type in this database: an array says it.
    pub(super) oid: u32,
    pub(super) wire: Wire,
}

/// Bytes of a modifier that are not its own.
const MODIFIER_HEADER: i32 = 4;

impl Wire {
    /// The form of a type of these facts; of a domain, that of the type below it.
    pub(super) fn of(facts: &TypeFacts) -> Self {
        let bottom = facts.bottom();
        if bottom.kind == 'e' {
            return Self::Enum;
        }
        if let Some(element) = bottom.element.as_deref()
            && bottom.is_printed_by("array_out")
        {
            let wire = Self::of(element);
            return match wire.is_read_from_text() {
                true => Self::Printed(Received::Array(Box::new(Element { oid: element.oid, wire }))),
                false => Self::Opaque,
            };
        }
        if bottom.kind != 'b' || bottom.schema != "pg_catalog" {
            return Self::Opaque;
        }
        match bottom.name.as_str() {
            "bool" => Self::Bool,
            "int2" => Self::Int2,
            "int4" => Self::Int4,
            "int8" => Self::Int8,
            "oid" => Self::Oid,
            "money" => Self::Money,
            "float4" => Self::Float4,
            "float8" => Self::Float8,
            "text" | "varchar" | "name" | "refcursor" => Self::Text,
            "bpchar" => Self::Padded,
            "char" => Self::Byte,
            "bytea" => Self::Bytea,
            "date" => Self::Date,
            "time" => Self::Time,
            "timestamp" => Self::Timestamp,
            "timestamptz" => Self::TimestampWithZone,
            "uuid" => Self::Uuid,
            "json" => Self::Json,
            "jsonb" => Self::Jsonb,
            "numeric" => Self::numeric(facts.modifier_below()),
            "interval" => Self::Interval,
            "inet" => Self::Printed(Received::Network { cidr: false }),
            "cidr" => Self::Printed(Received::Network { cidr: true }),
            "macaddr" => Self::Printed(Received::HardwareAddress { bytes: 6 }),
            "macaddr8" => Self::Printed(Received::HardwareAddress { bytes: 8 }),
            "bit" | "varbit" => Self::Printed(Received::Bits),
            _ => Self::Opaque,
        }
    }

    /// A numeric with this modifier: 16 bits of precision above a scale of 11 bits with its sign.
    fn numeric(modifier: i32) -> Self {
        let Some(modifier) = modifier.checked_sub(MODIFIER_HEADER).filter(|modifier| *modifier >= 0) else {
            return Self::Numeric { precision: None, scale: None };
        };
        let scale = ((modifier & 0x7ff) ^ 1_024) - 1_024;
        let scale = u8::try_from(scale).ok().filter(|scale| *scale <= crate::model::MAX_DECIMAL_SCALE);
        Self::Numeric { precision: u16::try_from(modifier >> 16).ok(), scale }
    }

    /// Can a value be made of the text that an array has of it? (Of money not: it is printed as a locale likes it.)
    fn is_read_from_text(&self) -> bool {
        !matches!(self, Self::Money | Self::Opaque | Self::Printed(Received::Array(_)))
    }
}
