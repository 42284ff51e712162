//! Whom the certificate of a server must come from: one verifier for the connections of the shim to
//! its agents and of the agent to the server that it captures.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WantsClientCert, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};
use std::sync::Arc;

/// What a server's certificate is held against.
#[derive(Clone, Copy, Debug)]
pub enum ServerVerification<'a> {
    /// Nothing: encryption alone (`ssl-mode=required`).
    AnyCertificate,
    /// The authorities of a PEM file; the host's name does not count (`ssl-mode=verify-ca`).
    Authorities(&'a [u8]),
    /// The authorities of a PEM file, and the host's name (`ssl-mode=verify-identity`).
    AuthoritiesAndName(&'a [u8]),
}

/// TLS cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsSetupError {
    /// The file of authorities has no certificate in it.
    #[error("holds no certificate in PEM")]
    NoCertificate,
    /// The file of authorities cannot be used.
    #[error("{0}")]
    Authorities(String),
    /// The library refuses the settings.
    #[error("TLS: {0}")]
    Library(String),
}

/// The one verifier. `authorities`: `None`, any certificate will do.
///
/// Each certificate of the file is also taken from the server that shows that very one. A
/// self-signed certificate as `openssl req -x509` makes it says of itself that it is an authority,
/// which WebPKI takes from no server: but who wrote it into the file trusts whoever holds its key.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    certificates: Vec<CertificateDer<'static>>,
    checks_name: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authorities) = &self.authorities else { return Ok(ServerCertVerified::assertion()) };
        match authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last: all else was right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_name => Ok(ServerCertVerified::assertion()),
            // Its dates are looked at before what it may be used for: one that has expired is
            // another error, and stays one.
            Err(Error::InvalidCertificate(CertificateError::Other(_)))
                if self.certificates.iter().any(|c| c == end_entity) =>
            {
                if self.checks_name {
                    verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                }
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
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// TLS of a client; what is left to say is the client's own certificate.
///
/// # Errors
/// The file of authorities cannot be used.
pub fn client(
    verification: ServerVerification<'_>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, TlsSetupError> {
    let provider: Arc<CryptoProvider> = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let (pem, checks_name) = match verification {
        ServerVerification::AnyCertificate => (None, false),
        ServerVerification::Authorities(pem) => (Some(pem), false),
        ServerVerification::AuthoritiesAndName(pem) => (Some(pem), true),
    };
    let mut certificates = Vec::new();
    let authorities = match pem {
        None => None,
        Some(pem) => {
            let failed = |e: &dyn std::fmt::Display| TlsSetupError::Authorities(e.to_string());
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate: CertificateDer<'static> = certificate.map_err(|e| failed(&e))?;
                roots.add(certificate.clone()).map_err(|e| failed(&e))?;
                certificates.push(certificate);
            }
            if certificates.is_empty() {
                return Err(TlsSetupError::NoCertificate);
            }
            let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
            Some(builder.build().map_err(|e| failed(&e))?)
        }
    };
    let library = |e: Error| TlsSetupError::Library(e.to_string());
    Ok(ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(library)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier {
            provider,
            authorities,
            certificates,
            checks_name,
        })))
}
