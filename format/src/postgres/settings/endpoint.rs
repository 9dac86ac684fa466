//! Places where a server may be: hosts, addresses and ports, one for each.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use super::parameters::Parameters;
use super::password::Password;
use crate::error::{Error, Result};

/// The port of servers that were not given another one.
const DEFAULT_PORT: u16 = 5432;
/// Folders in which servers make their sockets: that of distributions, and that of PostgreSQL itself.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgres) enum Place {
    /// By a socket in a folder of this machine.
    Socket(PathBuf),
    /// By the network: a name, an address, or a name for certificates and an address to go to.
    Network { name: Option<String>, address: Option<IpAddr> },
}

/// One place to try.
#[derive(Debug, Clone)]
pub(in crate::postgres) struct Endpoint {
    pub(in crate::postgres) place: Place,
    pub(in crate::postgres) port: u16,
    pub(in crate::postgres) password: Option<Password>,
}

impl Endpoint {
    /// The host by which `.pgpass` knows it.
    pub(super) fn host_in_passfile(&self) -> String {
        match &self.place {
            Place::Socket(folder) if SOCKET_FOLDERS.iter().any(|default| folder.as_os_str() == *default) => {
                "localhost".to_owned()
            }
            Place::Socket(folder) => folder.to_string_lossy().into_owned(),
            Place::Network { name: Some(name), .. } => name.clone(),
            Place::Network { address, .. } => address.map(|address| address.to_string()).unwrap_or_default(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port;
        match &self.place {
            Place::Socket(folder) => write!(f, "{}/.s.PGSQL.{port}", folder.display()),
            Place::Network { name: Some(name), address: Some(address) } => write!(f, "{name}:{port} ({address})"),
            Place::Network { name: Some(name), .. } if name.contains(':') => write!(f, "[{name}]:{port}"),
            Place::Network { name: Some(name), .. } => write!(f, "{name}:{port}"),
            Place::Network { address: Some(IpAddr::V6(address)), .. } => write!(f, "[{address}]:{port}"),
            Place::Network { address: Some(address), .. } => write!(f, "{address}:{port}"),
            Place::Network { .. } => write!(f, ":{port}"),
        }
    }
}

/// The places that parameters name, in the order in which they are tried.
pub(super) fn endpoints(parameters: &Parameters) -> Result<Vec<Endpoint>> {
    let list = |name| parameters.said(name).map_or_else(Vec::new, |value| value.split(',').map(str::trim).collect());
    let (hosts, addresses, ports): (Vec<&str>, Vec<&str>, Vec<&str>) = (list("host"), list("hostaddr"), list("port"));
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(Error::request(format!("{} hosts are named, and {} addresses", hosts.len(), addresses.len())));
    }
    let number = hosts.len().max(addresses.len()).max(1);
    if ports.len() > 1 && ports.len() != number {
        return Err(Error::request(format!("{number} hosts are named, and {} ports", ports.len())));
    }
    let mut endpoints = Vec::new();
    for at in 0..number {
        let host = hosts.get(at).copied().filter(|host| !host.is_empty());
        let address = addresses.get(at).copied().filter(|address| !address.is_empty());
        let port = ports.get(at).or_else(|| ports.first().filter(|_| ports.len() == 1)).copied();
        let port = port.filter(|port| !port.is_empty()).map_or(Ok(DEFAULT_PORT), parse_port)?;
        let address = address.map(parse_address).transpose()?;
        let places = match (host, address) {
            // An address says where to go, whatever the host is.
            (Some(host), None) if host.starts_with('/') => vec![Place::Socket(host.into())],
            (Some(host), None) if host.starts_with('@') => {
                return Err(Error::request("sockets in the abstract namespace are not supported")
                    .with_hint("name the folder of the server's socket"));
            }
            (None, None) if cfg!(unix) => SOCKET_FOLDERS.map(|folder| Place::Socket(folder.into())).to_vec(),
            (None, None) => vec![Place::Network { name: Some("localhost".into()), address: None }],
            (name, address) => vec![Place::Network { name: name.map(str::to_owned), address }],
        };
        endpoints.extend(places.into_iter().map(|place| Endpoint { place, port, password: None }));
    }
    Ok(endpoints)
}

// Neither is repeated: in a URI that is not encoded it may be a part of the password.

fn parse_port(text: &str) -> Result<u16> {
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| Error::request("the port is no number from 1 to 65535"))
}

fn parse_address(text: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| Error::request("the parameter hostaddr holds something that is no numeric address"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    fn shown(pairs: Pairs<'_>) -> Result<Vec<String>> {
        let mut parameters = Parameters::default();
        for (name, value) in pairs {
            parameters.set(name, (*value).to_owned()).unwrap();
        }
        Ok(endpoints(&parameters)?.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn hosts_addresses_and_ports_are_laid_beside_each_other() {
        let cases: [(Pairs<'_>, &[&str]); 10] = [
            (&[], &["/var/run/postgresql/.s.PGSQL.5432", "/tmp/.s.PGSQL.5432"]),
            (&[("host", ""), ("port", "")], &["/var/run/postgresql/.s.PGSQL.5432", "/tmp/.s.PGSQL.5432"]),
            (&[("host", "a"), ("port", "1")], &["a:1"]),
            (&[("host", "a,b"), ("port", "1")], &["a:1", "b:1"]),
            (&[("host", "a,b"), ("port", ",2")], &["a:5432", "b:2"]),
            (&[("host", "a,/s"), ("port", "1,2")], &["a:1", "/s/.s.PGSQL.2"]),
            (&[("hostaddr", "10.0.0.1,::1")], &["10.0.0.1:5432", "[::1]:5432"]),
            (&[("host", "a,b"), ("hostaddr", "10.0.0.1,")], &["a:5432 (10.0.0.1)", "b:5432"]),
            (&[("host", "::1")], &["[::1]:5432"]),
            (&[("host", "a,")], &["a:5432", "/var/run/postgresql/.s.PGSQL.5432", "/tmp/.s.PGSQL.5432"]),
        ];
        for (pairs, expected) in cases {
            assert_eq!(shown(pairs).unwrap(), expected, "{pairs:?}");
        }
    }

    #[test]
    fn lists_that_do_not_fit_and_values_that_are_none_are_refused_without_repeating_them() {
        let wrong: [Pairs<'_>; 7] = [
            &[("host", "a,b"), ("hostaddr", "10.0.0.1")],
            &[("host", "a,b"), ("port", "1,2,3")],
            &[("port", "1,2")],
            &[("port", "secret")],
            &[("port", "0")],
            &[("port", "65536")],
            &[("hostaddr", "secret")],
        ];
        for pairs in wrong {
            let refused = shown(pairs).unwrap_err();
            assert!(refused.is_request() && !refused.to_string().contains("secret"), "{refused}");
        }
    }
}
