//! What a snapshot says of the database itself.

use crate::error::Result;
use crate::model::SourceDescription;
use crate::postgres::client::Client;

/// The setting `scope` of a snapshot of the whole database.
pub(crate) const WHOLE: &str = "database";

/// Reads it. With `everything`, the snapshot is of the whole database.
pub(super) fn read(client: &mut Client, everything: bool) -> Result<SourceDescription> {
    let version = client.version();
    // Where the locale of a provider other than libc stands, and its own rules.
    let (provider, locale, rules) = match version {
        170_000.. => ("d.datlocprovider", "d.datlocale", "d.daticurules"),
        160_000.. => ("d.datlocprovider", "d.daticulocale", "d.daticurules"),
        150_000.. => ("d.datlocprovider", "d.daticulocale", "NULL"),
        _ => ("'c'", "NULL", "NULL"),
    };
    let row = client.value(&format!(
        "SELECT d.datname, pg_catalog.current_setting('server_version'), pg_catalog.pg_encoding_to_char(d.encoding),
                d.datcollate, d.datctype, {provider}, {locale}, {rules}
         FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()"
    ))?;
    let provider = match row.text(5) {
        "i" => "icu",
        "b" => "builtin",
        _ => "libc",
    };
    let settings = [
        ("collate", row.get(3)),
        ("ctype", row.get(4)),
        ("encoding", row.get(2)),
        ("icu_rules", row.get(7)),
        ("locale", row.get(6)),
        ("locale_provider", Some(provider)),
        ("scope", Some(if everything { WHOLE } else { "tables" })),
    ];
    let settings =
        settings.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    // "15.18 (Debian 15.18-0+deb12u1)": the version is the first word.
    let engine_version = row.text(1).split(' ').next().unwrap_or_default().to_owned();
    Ok(SourceDescription { engine: "postgresql".to_owned(), engine_version, name: row.text(0).to_owned(), settings })
}
