//! How a connection is protected: TLS, certificates, and what of them is checked.

use std::path::PathBuf;

use super::environment::Environment;
use super::parameters::Parameters;
use crate::error::{Error, Result};

/// When TLS is used, and what is checked (`sslmode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::postgres) enum SslMode {
    /// Never.
    Disable,
    /// Where the server refuses connections without.
    Allow,
    /// Where the server can.
    Prefer,
    /// Always; the server's certificate is not looked at.
    Require,
    /// Always; the certificate must be signed by a trusted authority.
    VerifyCa,
    /// Always; it must also be for the host that was named.
    VerifyFull,
}

/// What is asked of TLS.
#[derive(Debug, Clone)]
pub(in crate::postgres) struct Security {
    pub(in crate::postgres) mode: SslMode,
    /// The file of authorities, if there is one.
    pub(in crate::postgres) roots: Option<PathBuf>,
    /// The files of a certificate and key for the server to know the client by, if there are.
    pub(in crate::postgres) certificate: Option<(PathBuf, PathBuf)>,
    /// Is the server told, before anything is encrypted, which host is meant?
    pub(in crate::postgres) names_host: bool,
    /// Must it be TLS 1.3?
    pub(in crate::postgres) newest_only: bool,
    /// Does TLS begin at once, without asking the server first?
    pub(in crate::postgres) direct: bool,
}

impl Security {
    pub(super) fn of(parameters: &Parameters, environment: &Environment) -> Result<Self> {
        let modes = [
            ("disable", SslMode::Disable),
            ("allow", SslMode::Allow),
            ("prefer", SslMode::Prefer),
            ("require", SslMode::Require),
            ("verify-ca", SslMode::VerifyCa),
            ("verify-full", SslMode::VerifyFull),
        ];
        let mut mode = parameters.choice("sslmode", &modes)?.unwrap_or(SslMode::Prefer);
        let named_roots = parameters.said("sslrootcert").map(PathBuf::from);
        if named_roots.as_ref().is_some_and(|roots| roots.as_os_str() == "system") {
            return Err(Error::request("sslrootcert=system is not supported")
                .with_hint("name a file of authorities, such as /etc/ssl/certs/ca-certificates.crt"));
        }
        // At home a file is used where it is; one that is named must be there.
        let at_home = |name: &str| environment.at_home(name).filter(|path| path.is_file());
        let roots = named_roots.or_else(|| at_home(".postgresql/root.crt"));
        // As libpq does, for the sake of what has always been so.
        if mode == SslMode::Require && roots.as_ref().is_some_and(|roots| roots.is_file()) {
            mode = SslMode::VerifyCa;
        }
        if mode >= SslMode::VerifyCa && roots.is_none() {
            return Err(Error::request("the server's certificate cannot be checked: no file of authorities is named")
                .with_hint("name it with sslrootcert=FILE, or put it at ~/.postgresql/root.crt"));
        }
        if mode >= SslMode::VerifyCa && at_home(".postgresql/root.crl").is_some() {
            return Err(Error::request("~/.postgresql/root.crl: lists of revoked certificates are not supported")
                .with_hint("move the file away, if certificates may be trusted without it"));
        }
        let direct = parameters.choice("sslnegotiation", &[("postgres", false), ("direct", true)])?.unwrap_or(false);
        if direct && mode < SslMode::Require {
            return Err(Error::request("sslnegotiation=direct needs sslmode=require or a stricter one"));
        }
        let versions = [("TLSv1", false), ("TLSv1.1", false), ("TLSv1.2", false), ("TLSv1.3", true)];
        Ok(Self {
            mode,
            roots,
            certificate: certificate(parameters, environment)?,
            names_host: parameters.choice("sslsni", &[("1", true), ("0", false)])?.unwrap_or(true),
            newest_only: parameters.choice("ssl_min_protocol_version", &versions)?.unwrap_or(false),
            direct,
        })
    }
}

fn certificate(parameters: &Parameters, environment: &Environment) -> Result<Option<(PathBuf, PathBuf)>> {
    if parameters.get("sslcertmode") == Some("disable") {
        return Ok(None);
    }
    let at_home = |name: &str| environment.at_home(name).filter(|path| path.is_file());
    let named = parameters.said("sslcert").map(PathBuf::from);
    let Some(certificate) = named.or_else(|| at_home(".postgresql/postgresql.crt")) else { return Ok(None) };
    let named = parameters.said("sslkey").map(PathBuf::from);
    match named.or_else(|| at_home(".postgresql/postgresql.key")) {
        Some(key) => Ok(Some((certificate, key))),
        None => Err(Error::request(format!("there is no key for the certificate {}", certificate.display()))
            .with_hint("name its file with sslkey=FILE, or put it at ~/.postgresql/postgresql.key")),
    }
}
