//! Certificate and key to a TLS configuration.

use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// Certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of the certificate has something else in it.
    #[error("the certificate file is not PEM: {0}")]
    NotPem(pem::Error),
    /// The file of the certificate has other sections.
    #[error("the certificate file holds no certificate")]
    NoCertificate,
    /// The file of the key has none.
    #[error("the key file holds no private key: {0}")]
    NoKey(pem::Error),
    /// The library has none of the versions.
    #[error(transparent)]
    Versions(rustls::Error),
    /// The key is of another certificate.
    #[error("certificate and key do not fit: {0}")]
    DoNotFit(rustls::Error),
}

/// Certificate and key of a port, which may be replaced while it is listened on. Clones share what
/// was set last.
#[derive(Clone, Debug)]
pub struct Certificate(Arc<ArcSwap<ServerConfig>>);

impl Certificate {
    /// For connections from now on.
    pub fn replace(&self, config: Arc<ServerConfig>) {
        self.0.store(config);
    }

    pub(super) fn now(&self) -> Arc<ServerConfig> {
        self.0.load_full()
    }

    /// Takes over what the other holds.
    pub fn take_over(&self, other: &Self) {
        self.replace(other.now());
    }
}

impl From<Arc<ServerConfig>> for Certificate {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self(Arc::new(ArcSwap::new(config)))
    }
}

/// A configuration that offers HTTP/2 and HTTP/1.1, of a certificate chain and its key in PEM.
///
/// # Errors
/// Either cannot be read, or they do not belong together.
pub fn tls_config(certificates: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(certificates).collect::<Result<_, _>>().map_err(TlsError::NotPem)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(TlsError::NoKey)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Versions)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::DoNotFit)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
