//! Certificate and key to a TLS configuration.

use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Certificate and key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(String);

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
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificates)
        .collect::<Result<_, _>>()
        .map_err(|e| TlsError(format!("the certificate file is not PEM: {e}")))?;
    if chain.is_empty() {
        return Err(TlsError("the certificate file holds no certificate".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|e| TlsError(format!("the key file holds no private key: {e}")))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| TlsError(e.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| TlsError(format!("certificate and key do not fit: {e}")))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
