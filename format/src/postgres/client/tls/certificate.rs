//! What a certificate says of itself, as far as webpki, which judges chains, does not tell.

use std::net::IpAddr;

use rustls::CertificateError;
use rustls::pki_types::{ServerName, UnixTime};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Tag, Tagged};
use x509_cert::ext::pkix::ExtendedKeyUsage;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ALTERNATIVE_NAMES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const FOR_SERVERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const FOR_ANYTHING: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// A certificate that is well-formed. Nothing it says is true for that alone.
pub(super) struct Certificate(x509_cert::Certificate);

/// Does an authority's certificate say for which names it may vouch? One that cannot be read may.
pub(super) fn may_bound_names(der: &[u8]) -> bool {
    Certificate::read(der).is_none_or(|certificate| certificate.has(NAME_CONSTRAINTS))
}

impl Certificate {
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        x509_cert::Certificate::from_der(der).ok().map(Self)
    }

    /// Fails if it may not be used now, or not by servers.
    pub(super) fn check_use(&self, now: UnixTime) -> Result<(), CertificateError> {
        let Self(x509_cert::Certificate { tbs_certificate: said, .. }) = self;
        if now.as_secs() < said.validity.not_before.to_unix_duration().as_secs() {
            return Err(CertificateError::NotValidYet);
        }
        if now.as_secs() > said.validity.not_after.to_unix_duration().as_secs() {
            return Err(CertificateError::Expired);
        }
        let uses = said.get::<ExtendedKeyUsage>().map_err(|_| CertificateError::BadEncoding)?;
        match uses {
            Some((_, ExtendedKeyUsage(uses))) if !uses.contains(&FOR_SERVERS) && !uses.contains(&FOR_ANYTHING) => {
                Err(CertificateError::InvalidPurpose)
            }
            _ => Ok(()),
        }
    }

    /// Has it no alternative names, and is its one common name this host's?
    pub(super) fn is_commonly(&self, host: &ServerName<'_>) -> bool {
        let Some(name) = self.common_name().filter(|_| !self.has(ALTERNATIVE_NAMES)) else { return false };
        match host {
            ServerName::DnsName(host) => stands_for(name, host.as_ref()),
            ServerName::IpAddress(address) => name.parse() == Ok(IpAddr::from(*address)),
            _ => false,
        }
    }

    /// The common name of the subject, if there is exactly one.
    fn common_name(&self) -> Option<&str> {
        let parts = self.0.tbs_certificate.subject.0.iter().flat_map(|part| part.0.iter());
        let mut names = parts.filter(|part| part.oid == COMMON_NAME).map(|part| &part.value);
        let (name, None) = (names.next()?, names.next()) else { return None };
        let is_text =
            matches!(name.tag(), Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::TeletexString);
        std::str::from_utf8(name.value()).ok().filter(|_| is_text)
    }

    fn has(&self, extension: ObjectIdentifier) -> bool {
        self.0.tbs_certificate.extensions.iter().flatten().any(|said| said.extn_id == extension)
    }
}

/// Is it the name of this host? `*.example.com` is that of every host right below, but `*.com` is nobody's, as it is among
/// alternative names.
fn stands_for(name: &str, host: &str) -> bool {
    if name.eq_ignore_ascii_case(host) {
        return true;
    }
    let (Some(domain), Some((label, below))) = (name.strip_prefix("*."), host.split_once('.')) else { return false };
    !label.is_empty() && domain.contains('.') && domain.eq_ignore_ascii_case(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_hosts() {
        for (name, host) in [("db", "db"), ("Db.Example", "dB.eXAMPLE"), ("*.a.example", "b.a.example")] {
            assert!(stands_for(name, host), "{name} {host}");
        }
        for (name, host) in [
            ("db", "db2"),
            ("", "db"),
            ("*", "db"),
            ("*.example", "db.example"),
            ("*.a.example", "a.example"),
            ("*.a.example", ".a.example"),
            ("*.a.example", "c.b.a.example"),
            ("d*.a.example", "db.a.example"),
            ("db.*.example", "db.a.example"),
            ("*.*.example", "db.a.example"),
            ("db.example\0.org", "db.example"),
        ] {
            assert!(!stands_for(name, host), "{name} {host}");
        }
    }

    #[test]
    fn bytes_that_are_no_certificate_are_none() {
        for bytes in [&b""[..], b"\x30\x00", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80\0\0"] {
            assert!(Certificate::read(bytes).is_none());
            assert!(may_bound_names(bytes));
        }
    }
}
