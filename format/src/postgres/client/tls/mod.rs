//! TLS as `sslmode` asks for it, by rustls.

mod certificate;
mod verifier;

use std::fs::Metadata;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_postgres_rustls::MakeRustlsConnect;

use self::verifier::{Authorities, Verifier};
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
    let verifier = match (security.mode, &security.roots) {
        (SslMode::VerifyFull, Some(roots)) => Verifier::of(&provider).trusting(authorities(roots)?).naming_the_host(),
        (SslMode::VerifyCa, Some(roots)) => Verifier::of(&provider).trusting(authorities(roots)?),
        _ => Verifier::of(&provider),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|cause| Error::request(format!("TLS cannot be set up: {cause}")))?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
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

fn authorities(path: &Path) -> Result<Authorities> {
    Authorities::of(certificates(path)?).map_err(|cause| Error::request(format!("{}: {cause}", path.display())))
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
