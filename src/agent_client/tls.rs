//! TLS towards an agent, where `agent_tls.ca_file` says whom its certificate must come from.

use super::{AgentSettings, SetupError};
use dbtrail_tls::{ServerVerification, TlsSetupError};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// TLS towards an agent whose authorities are in a file.
pub(super) fn config(settings: &AgentSettings, ca_pem: &[u8]) -> Result<ClientConfig, SetupError> {
    let builder = dbtrail_tls::client(ServerVerification::AuthoritiesAndName(ca_pem)).map_err(|error| {
        SetupError(match error {
            TlsSetupError::NoCertificate => "agent_tls.ca_file holds no certificate".to_owned(),
            TlsSetupError::Authorities(what) => format!("agent_tls.ca_file: {what}"),
            TlsSetupError::Library(_) => error.to_string(),
        })
    })?;
    let mut config = match &settings.identity_pem {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let own =
                |e: &dyn std::fmt::Display| SetupError(format!("agent_tls: client certificate and key: {e}"));
            let chain: Vec<CertificateDer<'static>> =
                CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(|e| own(&e))?;
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|e| own(&e))?;
            builder.with_client_auth_cert(chain, key).map_err(|e| own(&e))?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
