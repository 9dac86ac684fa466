//! The parameters that libpq knows: their names, variables, and what is made of each.

use std::collections::BTreeMap;

use super::environment::Environment;
use crate::error::{Error, Result};

/// What is made of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Treatment {
    /// It is used; values that cannot be are refused where it is used.
    Used,
    /// It makes no difference to what a program like this does. Said in a warning if it is given.
    Ignored,
    /// It asks for something that is not done, except with one of these values.
    Only(&'static [&'static str]),
}

use Treatment::{Ignored, Only, Used};

const OFF: &[&str] = &["", "0", "false", "off", "no"];
const NOTHING: &[&str] = &[""];

/// Name, variable (or none), treatment.
const KNOWN: [(&str, &str, Treatment); 52] = [
    ("service", "PGSERVICE", Used),
    ("servicefile", "PGSERVICEFILE", Used),
    ("user", "PGUSER", Used),
    ("password", "PGPASSWORD", Used),
    ("passfile", "PGPASSFILE", Used),
    ("channel_binding", "PGCHANNELBINDING", Used),
    ("connect_timeout", "PGCONNECT_TIMEOUT", Used),
    ("dbname", "PGDATABASE", Used),
    ("host", "PGHOST", Used),
    ("hostaddr", "PGHOSTADDR", Used),
    ("port", "PGPORT", Used),
    ("options", "PGOPTIONS", Used),
    ("application_name", "PGAPPNAME", Used),
    ("fallback_application_name", "", Used),
    ("keepalives", "", Used),
    ("keepalives_idle", "", Used),
    ("keepalives_interval", "", Used),
    ("keepalives_count", "", Used),
    ("tcp_user_timeout", "", Used),
    ("sslmode", "PGSSLMODE", Used),
    ("sslnegotiation", "PGSSLNEGOTIATION", Used),
    ("sslcert", "PGSSLCERT", Used),
    ("sslkey", "PGSSLKEY", Used),
    ("sslcertmode", "PGSSLCERTMODE", Only(&["", "allow", "disable"])),
    ("sslrootcert", "PGSSLROOTCERT", Used),
    ("sslsni", "PGSSLSNI", Used),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", Used),
    ("target_session_attrs", "PGTARGETSESSIONATTRS", Used),
    // The encoding is the database's or UTF-8, whatever programs like to show.
    ("client_encoding", "PGCLIENTENCODING", Ignored),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS", Ignored),
    ("sslcompression", "PGSSLCOMPRESSION", Ignored),
    ("sslkeylogfile", "", Ignored),
    ("krbsrvname", "PGKRBSRVNAME", Ignored),
    ("gsslib", "PGGSSLIB", Ignored),
    ("gssdelegation", "PGGSSDELEGATION", Ignored),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION", Ignored),
    ("min_protocol_version", "PGMINPROTOCOLVERSION", Only(&["", "3.0"])),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", Only(&["", "TLSv1.3"])),
    ("gssencmode", "PGGSSENCMODE", Only(&["", "disable", "prefer"])),
    ("replication", "", Only(OFF)),
    ("sslpassword", "", Only(NOTHING)),
    ("sslcrl", "PGSSLCRL", Only(NOTHING)),
    ("sslcrldir", "PGSSLCRLDIR", Only(NOTHING)),
    ("requirepeer", "PGREQUIREPEER", Only(NOTHING)),
    ("require_auth", "PGREQUIREAUTH", Only(NOTHING)),
    ("scram_client_key", "", Only(NOTHING)),
    ("scram_server_key", "", Only(NOTHING)),
    ("oauth_issuer", "", Only(NOTHING)),
    ("oauth_client_id", "", Only(NOTHING)),
    ("oauth_client_secret", "", Only(NOTHING)),
    ("oauth_scope", "", Only(NOTHING)),
    ("authtype", "", Ignored),
];

/// The values that were given, by name of parameter.
///
/// No `Debug`: one of them may be the password.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    values: BTreeMap<&'static str, String>,
}

impl Parameters {
    /// Takes a value, in place of one that was given earlier.
    pub(super) fn set(&mut self, name: &str, value: String) -> Result<()> {
        let name = known(name)?;
        if value.contains('\0') {
            return Err(Error::request(format!("the value of {name} holds a NUL")));
        }
        self.values.insert(name, value);
        Ok(())
    }

    /// Takes a value where none was given.
    pub(super) fn fill(&mut self, name: &str, value: String) -> Result<()> {
        if self.get(name).is_some() { known(name).map(drop) } else { self.set(name, value) }
    }

    /// Takes what variables say where nothing was given.
    pub(super) fn fill_from(&mut self, environment: &Environment) -> Result<()> {
        for (name, variable, _) in KNOWN {
            if !variable.is_empty()
                && let Some(value) = environment.variable(variable)
            {
                self.fill(name, value.to_owned())?;
            }
        }
        Ok(())
    }

    /// The value, be it empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value, if it says anything: an empty one is as none.
    pub(super) fn said(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Refuses what asks for something that is not done, and names in warnings what makes no difference.
    pub(super) fn judge(&self, warnings: &mut Vec<String>) -> Result<()> {
        for (name, _, treatment) in KNOWN {
            let Some(value) = self.get(name) else { continue };
            match treatment {
                Used => {}
                Ignored if value.is_empty() => {}
                Ignored => warnings.push(format!("the connection parameter {name} makes no difference here")),
                Only(allowed) if allowed.contains(&value) => {}
                Only(_) => {
                    let error = Error::request(format!("the connection parameter {name} is not supported"));
                    return Err(error.with_hint("leave it out, if the connection is as safe as you need without it"));
                }
            }
        }
        Ok(())
    }

    /// The place of a value among words, the first of which stands for none.
    pub(super) fn choice<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>> {
        let Some(value) = self.said(name) else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == value) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                Err(Error::request(format!("the connection parameter {name} is none of {}", words.join(", "))))
            }
        }
    }

    /// A value that is a whole number.
    pub(super) fn number(&self, name: &str) -> Result<Option<i32>> {
        let Some(value) = self.said(name) else { return Ok(None) };
        let number = value.trim().parse().ok();
        number.map(Some).ok_or_else(|| Error::request(format!("the connection parameter {name} is no whole number")))
    }
}

/// The name as the table has it.
fn known(name: &str) -> Result<&'static str> {
    if let Some((known, ..)) = KNOWN.iter().find(|(known, ..)| *known == name) {
        return Ok(known);
    }
    // What stands in the place of a name may be a part of a password that was not quoted: it is shown only where it
    // looks like a name that was misspelt.
    let near = KNOWN.iter().map(|(known, ..)| (strsim::damerau_levenshtein(known, name), *known)).min();
    match near {
        Some((distance, near)) if distance <= 2 => {
            let error = Error::request(format!("there is no connection parameter \"{name}\""));
            Err(error.with_hint(format!("did you mean {near}?")))
        }
        _ => Err(Error::request("there is a connection parameter that PostgreSQL does not know")
            .with_hint("see PostgreSQL's manual, \"Parameter Key Words\"; quote values that hold blanks")),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_a_misspelt_one_is_refused() {
        let mut names: Vec<&str> = KNOWN.iter().map(|(name, ..)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KNOWN.len());
        let mut parameters = Parameters::default();
        let refused = parameters.set("sslmod", "require".into()).unwrap_err();
        assert_eq!(refused.to_string(), "there is no connection parameter \"sslmod\"");
        assert_eq!(refused.hint(), Some("did you mean sslmode?"));
        let refused = parameters.set("rest-of-a-password", "x".into()).unwrap_err();
        assert!(!refused.to_string().contains("rest"));
    }

    #[test]
    fn what_is_not_done_is_refused_by_name_and_what_makes_no_difference_is_listed() {
        for (name, value) in [("sslcrl", "x.crl"), ("requirepeer", "postgres"), ("gssencmode", "require")] {
            let mut parameters = Parameters::default();
            parameters.set(name, value.into()).unwrap();
            let refused = parameters.judge(&mut Vec::new()).unwrap_err();
            assert!(refused.to_string().contains(name), "{refused}");
        }
        let mut parameters = Parameters::default();
        parameters.set("gssencmode", "prefer".into()).unwrap();
        parameters.set("client_encoding", "LATIN1".into()).unwrap();
        parameters.set("sslcrl", String::new()).unwrap();
        let mut warnings = Vec::new();
        parameters.judge(&mut warnings).unwrap();
        assert_eq!(warnings, ["the connection parameter client_encoding makes no difference here"]);
    }
}
