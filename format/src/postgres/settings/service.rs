//! Services: named groups of parameters in `.pg_service.conf` and the system's `pg_service.conf`.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::files;
use super::parameters::Parameters;
use crate::error::{Error, Result};

/// Takes what the chosen service says, if one is chosen, where nothing was given.
pub(super) fn fill(parameters: &mut Parameters, environment: &Environment) -> Result<()> {
    let chosen = parameters.get("service").or_else(|| environment.variable("PGSERVICE"));
    let Some(service) = chosen.filter(|name| !name.is_empty()).map(str::to_owned) else { return Ok(()) };
    for (path, must_exist) in places(parameters, environment) {
        match files::text(&path, std::fs::Metadata::is_file)? {
            Some(text) if take(&text, &service, &path, parameters)? => return Ok(()),
            Some(_) => {}
            None if must_exist => {
                return Err(Error::request(format!("there is no file of services {}", path.display())));
            }
            None => {}
        }
    }
    Err(Error::request(format!("no file of services has a service \"{service}\""))
        .with_hint("add it to ~/.pg_service.conf, or name the file in PGSERVICEFILE"))
}

/// Files to look into, in turn, and whether each must exist.
fn places(parameters: &Parameters, environment: &Environment) -> Vec<(PathBuf, bool)> {
    let mut places = Vec::new();
    match parameters.said("servicefile").or_else(|| environment.said("PGSERVICEFILE")) {
        Some(named) => places.push((PathBuf::from(named), true)),
        None => places.extend(environment.at_home(".pg_service.conf").map(|path| (path, false))),
    }
    let named = environment.said("PGSYSCONFDIR").map(PathBuf::from);
    let folders = named.map_or_else(|| environment.system_folders.clone(), |folder| vec![folder]);
    places.extend(folders.into_iter().map(|folder| (folder.join("pg_service.conf"), false)));
    places
}

/// Takes the lines of a service out of a file's text; `false` if it is not there.
fn take(text: &str, service: &str, path: &Path, parameters: &mut Parameters) -> Result<bool> {
    let mut found = false;
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        // Lines of a file may hold passwords: only their numbers are said.
        let wrong = |what: &str| Error::request(format!("{}, line {number}: {what}", path.display()));
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(group) = line.strip_prefix('[') {
            if found {
                return Ok(true);
            }
            found = group.strip_suffix(']') == Some(service);
            continue;
        }
        if !found {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            return Err(wrong("a parameter has no \"=\" (LDAP is not supported)"));
        };
        if matches!(name, "service" | "servicefile") {
            return Err(wrong("a service cannot name another one"));
        }
        parameters.fill(name, value.to_owned()).map_err(|error| {
            let hint = error.hint().map(str::to_owned);
            let error = wrong(error.message());
            match hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            }
        })?;
    }
    Ok(found)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const FILE: &str =
        "# ours\n[other]\nhost=wrong\n\n[app]\n host=db.example\nport=5433\npassword=a=b \n# x\n[next]\nnonsense\n";

    #[test]
    fn a_service_fills_what_was_not_given() {
        let mut parameters = Parameters::default();
        parameters.set("port", "1".into()).unwrap();
        assert!(take(FILE, "app", Path::new("f"), &mut parameters).unwrap());
        let read = ["host", "port", "password"].map(|name| parameters.get(name).unwrap().to_owned());
        assert_eq!(read, ["db.example", "1", "a=b"]);
        assert!(!take(FILE, "absent", Path::new("f"), &mut parameters).unwrap());
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line_alone() {
        for (text, line) in [("[a]\nsecret\n", 2), ("[a]\n\nservice=secret\n", 3), ("[a]\nsecret-word=secret\n", 2)] {
            let refused = take(text, "a", Path::new("f"), &mut Parameters::default()).unwrap_err();
            assert!(refused.to_string().starts_with(&format!("f, line {line}: ")), "{refused}");
            assert!(!format!("{refused:?}").contains("secret"), "{refused:?}");
        }
    }
}
