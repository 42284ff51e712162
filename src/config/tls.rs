//! Certificates that this server shows.

use super::Resolver;
use crate::wire::connection::Tls;
use std::sync::Arc;

/// A server's certificate chain and key, both PEM.
/// The TLS of the protocol's port, of a certificate chain and its key in PEM.
///
/// # Errors
/// Either cannot be read, or they do not belong together.
pub fn tls_config(cert: &[u8], key: &[u8]) -> Result<Arc<rustls::ServerConfig>, String> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(cert).collect();
    let chain = chain.map_err(|e| format!("cert_file: {e}"))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| format!("key_file: {e}"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| e.to_string())?;
    builder.with_no_client_auth().with_single_cert(chain, key).map(Arc::new).map_err(|e| e.to_string())
}

impl Resolver {
    pub(super) fn tls(&mut self) -> Option<Tls> {
        let mode = self.one_of("tls.mode", &[("off", 0), ("offered", 1), ("required", 2)])?;
        if mode == 0 {
            return Some(Tls::Off);
        }
        if self.file.text("tls.cert_file").is_none() || self.file.text("tls.key_file").is_none() {
            return self.mistake("tls", "cert_file and key_file are needed unless mode is off".to_owned());
        }
        let (cert, key) = (self.bytes("tls.cert_file"), self.bytes("tls.key_file"));
        match tls_config(&cert?, &key?) {
            Ok(config) => Some(if mode == 1 { Tls::Offered(config) } else { Tls::Required(config) }),
            Err(e) => self.mistake("tls", e),
        }
    }
}
