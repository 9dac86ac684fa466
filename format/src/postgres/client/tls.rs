//! TLS as `sslmode` asks for it, by rustls.

use std::fs::Metadata;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{Error, Result};
use crate::postgres::settings::{Security, SslMode, is_open_to_others, text_of_file};

/// What makes TLS connections.
pub(super) fn connector(security: &Security) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(ring::default_provider());
    let versions: &[_] = if security.newest_only {
        &[&rustls::version::TLS13]
    } else {
        &[&rustls::version::TLS13, &rustls::version::TLS12]
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|cause| Error::request(format!("TLS cannot be set up: {cause}")))?;
    let verifier: Arc<dyn ServerCertVerifier> = match (security.mode, &security.roots) {
        (SslMode::VerifyFull, Some(roots)) => {
            WebPkiServerVerifier::builder_with_provider(authorities(roots)?, provider)
                .build()
                .map_err(|cause| Error::request(format!("TLS cannot be set up: {cause}")))?
        }
        (SslMode::VerifyCa, Some(roots)) => Arc::new(Lenient::new(Some(authorities(roots)?), &provider)),
        _ => Arc::new(Lenient::new(None, &provider)),
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match &security.certificate {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            builder
                .with_client_auth_cert(chain, private_key(key)?)
                .map_err(|cause| Error::request(format!("{} and {}: {cause}", certificate.display(), key.display())))?
        }
    };
    config.enable_sni = security.names_host;
    if security.direct {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

fn authorities(path: &Path) -> Result<Arc<RootCertStore>> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path)? {
        store.add(certificate).map_err(|cause| Error::request(format!("{}: {cause}", path.display())))?;
    }
    Ok(Arc::new(store))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let text = existing(path, Metadata::is_file)?;
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(Error::request(format!("{} holds no certificates in the form of PEM", path.display()))),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    let mut open = false;
    let text = existing(path, |metadata| {
        open = is_open_to_others(metadata);
        metadata.is_file()
    })?;
    if open {
        return Err(Error::request(format!("{} can be read by others", path.display()))
            .with_hint("make the key private: chmod 0600"));
    }
    // What exactly is wrong with a key is not for everyone's eyes.
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| {
        Error::request(format!("{} holds no private key in the form of PEM", path.display()))
            .with_hint("keys that a passphrase encrypts are not supported")
    })
}

fn existing(path: &Path, fits: impl FnOnce(&Metadata) -> bool) -> Result<String> {
    text_of_file(path, fits)?.ok_or_else(|| Error::request(format!("there is no file {}", path.display())))
}

/// Takes any certificate, or any of one of these authorities, whatever host it is for. That the server has the
/// certificate's key is checked all the same.
#[derive(Debug)]
struct Lenient {
    authorities: Option<Arc<RootCertStore>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Lenient {
    fn new(authorities: Option<Arc<RootCertStore>>, provider: &CryptoProvider) -> Self {
        Self { authorities, algorithms: provider.signature_verification_algorithms }
    }
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        if let Some(authorities) = &self.authorities {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            rustls::client::verify_server_cert_signed_by_trust_anchor(
                &certificate,
                authorities,
                intermediates,
                now,
                self.algorithms.all,
            )?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
