//! Whom the certificate of an agent must come from, where `agent_tls.ca_file` says so.

use super::{Settings, SetupError};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// The authorities of the file; and each of its certificates for the server that shows that very one. A self-signed certificate as
/// `openssl req -x509` makes it says of itself that it is an authority, which WebPKI takes from no server: but who wrote it into
/// the file trusts whoever holds its key.
#[derive(Debug)]
struct Named {
    authorities: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // Its dates are looked at before what it may be used for: one that has expired is another error, and stays one.
            Err(Error::InvalidCertificate(CertificateError::Other(_)))
                if self.certificates.iter().any(|c| c == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// TLS towards an agent whose authorities are in a file.
pub(super) fn config(settings: &Settings, ca_pem: &[u8]) -> Result<ClientConfig, SetupError> {
    let failed = |what: &str, e: &dyn std::fmt::Display| SetupError(format!("{what}: {e}"));
    let authority = |e: &dyn std::fmt::Display| failed("agent_tls.ca_file", e);
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(ca_pem).collect::<Result<_, _>>().map_err(|e| authority(&e))?;
    if certificates.is_empty() {
        return Err(SetupError("agent_tls.ca_file holds no certificate".to_owned()));
    }
    let mut roots = RootCertStore::empty();
    for certificate in &certificates {
        roots.add(certificate.clone()).map_err(|e| authority(&e))?;
    }
    let provider: Arc<CryptoProvider> = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let authorities = authorities.build().map_err(|e| authority(&e))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| failed("TLS", &e))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Named { authorities, certificates }));
    let mut config = match &settings.identity_pem {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let own = |e: &dyn std::fmt::Display| failed("agent_tls: client certificate and key", e);
            let chain: Vec<CertificateDer<'static>> =
                CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(|e| own(&e))?;
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|e| own(&e))?;
            builder.with_client_auth_cert(chain, key).map_err(|e| own(&e))?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
