//! Which columns of a table go out, and in which order.

use crate::error::{Error, Result};
use crate::model::TableSchema;
use crate::selection::near_misses;

/// Which columns go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen<'a> {
    /// Those that `SELECT *` would give, as far as they are stored, in the schema's order.
    Visible,
    /// All that are stored, a hidden row id first.
    All,
    /// These, in this order. A hidden row id may be named.
    Named(&'a [String]),
}

/// Indexes of the chosen columns. Fails for a name that the table has not, or that is given twice.
pub fn choose_columns(schema: &TableSchema, chosen: Chosen<'_>) -> Result<Vec<usize>> {
    let all = schema.columns.iter().enumerate();
    match chosen {
        Chosen::Visible => Ok(all.filter(|(_, column)| !column.hidden).map(|(index, _)| index).collect()),
        Chosen::All => Ok(all.map(|(index, _)| index).collect()),
        Chosen::Named(names) => {
            let mut indexes = Vec::with_capacity(names.len());
            for name in names {
                let index = find(schema, name).map_err(|error| error.in_table(&schema.name))?;
                if indexes.contains(&index) {
                    return Err(Error::request(format!("column \"{name}\" is chosen twice")).in_table(&schema.name));
                }
                indexes.push(index);
            }
            Ok(indexes)
        }
    }
}

fn find(schema: &TableSchema, name: &str) -> Result<usize> {
    if let Some(index) = schema.columns.iter().position(|column| column.name == name) {
        return Ok(index);
    }
    if schema.generated.iter().any(|generated| generated == name) {
        return Err(Error::request(format!("column \"{name}\" is computed by the database and not stored"))
            .with_hint("restore the table to get it"));
    }
    let error = Error::request(format!("no column is named \"{name}\""));
    Err(match near_misses(name, schema.columns.iter().map(|column| column.name.as_str())) {
        Some(hint) => error.with_hint(hint),
        None => error,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::Column;

    fn schema() -> TableSchema {
        let column = |name: &str, hidden| Column {
            name: name.into(),
            declared_type: String::new(),
            logical: 0,
            nullable: true,
            hidden,
        };
        TableSchema {
            name: "t".into(),
            role: "table".into(),
            definition: String::new(),
            position: 1,
            columns: vec![column("rowid", true), column("email", false), column("a,b", false)],
            generated: vec!["sum".into()],
            key: vec![],
            options: vec![],
            attached: vec![],
        }
    }

    fn named(names: &[&str]) -> Result<Vec<usize>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        choose_columns(&schema(), Chosen::Named(&names))
    }

    #[test]
    fn hidden_columns_come_when_asked_for() {
        assert_eq!(choose_columns(&schema(), Chosen::Visible).unwrap(), [1, 2]);
        assert_eq!(choose_columns(&schema(), Chosen::All).unwrap(), [0, 1, 2]);
        assert_eq!(named(&["a,b", "rowid"]).unwrap(), [2, 0]);
    }

    #[test]
    fn wrong_names_are_refused_by_name() {
        let error = named(&["emial"]).unwrap_err();
        assert!(error.is_request() && error.hint().unwrap().contains("\"email\""));
        assert!(named(&["email", "email"]).unwrap_err().message().contains("twice"));
        assert!(named(&["sum"]).unwrap_err().message().contains("computed"));
    }
}
