//! Whether a server is believed to be who it says it is, as libpq's users expect.
//!
//! Chains of certificates are rustls's to judge. In two things PostgreSQL's users are used to more than it takes: a certificate that
//! stands in the file of authorities is trusted when a server shows that very one, whether or not it says of itself that it is an
//! authority's; and one without alternative names may name its host as the subject's common name.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::certificate::{Certificate, may_bound_names};

type Checked<T> = Result<T, rustls::Error>;

/// What is asked of a server's certificate; of one for which nothing else is said, that the server has its key.
#[derive(Debug)]
pub(super) struct Verifier {
    authorities: Option<Authorities>,
    names_host: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

/// The certificates that a user trusts.
#[derive(Debug)]
pub(super) struct Authorities {
    store: RootCertStore,
    certificates: Vec<CertificateDer<'static>>,
    /// Does one of them say for which names it may vouch?
    bound_names: bool,
}

impl Authorities {
    /// Fails if one of them cannot be understood.
    pub(super) fn of(certificates: Vec<CertificateDer<'static>>) -> Checked<Self> {
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store.add(certificate.clone())?;
        }
        let bound_names = certificates.iter().any(|certificate| may_bound_names(certificate));
        Ok(Self { store, certificates, bound_names })
    }
}

impl Verifier {
    /// Takes any certificate.
    pub(super) fn of(provider: &CryptoProvider) -> Self {
        Self { authorities: None, names_host: false, algorithms: provider.signature_verification_algorithms }
    }

    /// Takes only certificates that these vouch for.
    pub(super) fn trusting(self, authorities: Authorities) -> Self {
        Self { authorities: Some(authorities), ..self }
    }

    /// Takes only certificates that are for the host that was named.
    pub(super) fn naming_the_host(self) -> Self {
        Self { names_host: true, ..self }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Checked<ServerCertVerified> {
        let Some(authorities) = &self.authorities else { return Ok(ServerCertVerified::assertion()) };
        let parsed = ParsedCertificate::try_from(end_entity)?;
        if authorities.certificates.contains(end_entity) {
            Certificate::read(end_entity).ok_or(CertificateError::BadEncoding)?.check_use(now)?;
        } else {
            let (store, algorithms) = (&authorities.store, self.algorithms.all);
            verify_server_cert_signed_by_trust_anchor(&parsed, store, intermediates, now, algorithms)?;
        }
        if let (true, Err(refusal)) = (self.names_host, verify_server_name(&parsed, server_name)) {
            // An authority that may vouch for some names only is not held to that in common names: there they count for nothing.
            let bound = authorities.bound_names || intermediates.iter().any(|certificate| may_bound_names(certificate));
            let named = Certificate::read(end_entity).is_some_and(|certificate| certificate.is_commonly(server_name));
            if bound || !named {
                return Err(refusal);
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Checked<HandshakeSignatureValid> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Checked<HandshakeSignatureValid> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use rustls::crypto::ring;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    /// 2030-01-01, when the certificates are valid.
    const TIME: u64 = 1_893_456_000;

    macro_rules! certificate {
        ($name:literal) => {
            CertificateDer::from_pem_slice(include_bytes!(concat!(
                "../../../../../tests/postgres_client/certificates/",
                $name,
                ".crt"
            )))
            .unwrap()
        };
    }

    fn shown_at(time: u64, verifier: Verifier, chain: &[CertificateDer<'static>], host: &str) -> Checked<()> {
        let [first, others @ ..] = chain else { return Err(CertificateError::BadEncoding.into()) };
        let host = ServerName::try_from(host.to_owned()).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(time));
        verifier.verify_server_cert(first, others, &host, &[], now).map(|_| ())
    }

    fn trusting(authority: CertificateDer<'static>) -> Verifier {
        Verifier::of(&ring::default_provider()).trusting(Authorities::of(vec![authority]).unwrap())
    }

    #[test]
    fn a_certificate_that_is_its_own_authority_is_trusted_where_it_is_the_one_that_is_known() {
        let documented = || certificate!("documented");
        let host = "dbhost.yourdomain.com";
        let shown = |verifier: Verifier, certificate, host| shown_at(TIME, verifier, &[certificate], host);
        assert_eq!(shown(trusting(documented()).naming_the_host(), documented(), host), Ok(()));
        assert_eq!(shown(trusting(documented()), documented(), "other.example.com"), Ok(()));
        shown(trusting(documented()).naming_the_host(), documented(), "other.example.com").unwrap_err();
        // Of the same name, but with another key.
        shown(trusting(certificate!("authority")), documented(), host).unwrap_err();
        shown(trusting(certificate!("for_clients")), documented(), host).unwrap_err();
        let for_clients = shown(trusting(certificate!("for_clients")), certificate!("for_clients"), host);
        assert_eq!(for_clients, Err(CertificateError::InvalidPurpose.into()));
        for (time, error) in [(0, CertificateError::NotValidYet), (3_000_000_000, CertificateError::Expired)] {
            assert_eq!(shown_at(time, trusting(documented()), &[documented()], host), Err(error.into()));
        }
    }

    #[test]
    fn a_common_name_counts_where_there_is_no_other() {
        let takes = |certificate: CertificateDer<'static>, host: &str| {
            let verifier = trusting(certificate!("authority")).naming_the_host();
            shown_at(TIME, verifier, &[certificate], host).is_ok()
        };
        assert!(takes(certificate!("common_name"), "db.example.com"));
        assert!(takes(certificate!("common_name"), "DB.Example.com"));
        for host in ["example.com", "a.db.example.com", "db.example.org", "192.0.2.7"] {
            assert!(!takes(certificate!("common_name"), host), "{host}");
        }
        assert!(takes(certificate!("wildcard"), "db.example.com"));
        for host in ["example.com", "a.db.example.com", "db.example.org"] {
            assert!(!takes(certificate!("wildcard"), host), "{host}");
        }
        assert!(takes(certificate!("address"), "192.0.2.7"));
        assert!(!takes(certificate!("address"), "192.0.2.8"));
        // Which one?
        assert!(!takes(certificate!("twice_named"), "db.example.com"));
        assert!(!takes(certificate!("twice_named"), "other.example.com"));
        assert!(takes(certificate!("alternative"), "other.example.com"));
        assert!(!takes(certificate!("alternative"), "db.example.com"));
    }

    #[test]
    fn a_common_name_does_not_lead_around_the_bounds_of_an_authority() {
        let chain = [certificate!("beyond_bounds"), certificate!("bounded")];
        assert_eq!(shown_at(TIME, trusting(certificate!("authority")), &chain, "db.example.com"), Ok(()));
        let named = shown_at(TIME, trusting(certificate!("authority")).naming_the_host(), &chain, "db.example.com");
        named.unwrap_err();
        let named = shown_at(TIME, trusting(certificate!("bounded")).naming_the_host(), &chain, "db.example.com");
        named.unwrap_err();
    }

    #[test]
    fn no_flipped_certificate_is_trusted_in_the_place_of_a_known_one() {
        let known = certificate!("documented");
        for place in 0..known.len() {
            let mut flipped = known.to_vec();
            if let Some(byte) = flipped.get_mut(place) {
                *byte ^= 1;
            }
            let shown = shown_at(TIME, trusting(known.clone()), &[flipped.into()], "dbhost.yourdomain.com");
            assert!(shown.is_err(), "{place}");
        }
    }
}
