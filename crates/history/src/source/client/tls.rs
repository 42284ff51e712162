//! Encryption towards the server.

use super::ClientError;
use crate::source::config::Tls;
use dbtrail_mysql_wire::packets::Stream;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// How much of the server's certificate is looked at.
#[derive(Debug)]
struct Judge {
    provider: Arc<CryptoProvider>,
    /// Whose certificates are believed; `None`: anybody's.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    /// Whether it must be for the host's name.
    name: bool,
}

impl ServerCertVerifier for Judge {
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
            )) if !self.name => Ok(ServerCertVerified::assertion()),
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

/// Encrypts a connection.
pub(super) async fn encrypt(
    stream: Box<dyn Stream>,
    host: &str,
    tls: &Tls,
) -> Result<Box<dyn Stream>, ClientError> {
    let config = config(tls).await?;
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| ClientError::Tls(format!("'{host}' is no name that a certificate could bear")))?;
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.map_err(|e| ClientError::Tls(e.to_string()))?;
    Ok(Box::new(stream))
}

async fn config(tls: &Tls) -> Result<ClientConfig, ClientError> {
    let failed = |what: &dyn std::fmt::Display| ClientError::Tls(what.to_string());
    let provider: Arc<CryptoProvider> = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let (authorities, name) = match tls {
        Tls::Off | Tls::Encrypted => (None, false),
        Tls::Verified { ca, name } => {
            let shown = ca.display();
            let pem =
                tokio::fs::read(ca).await.map_err(|e| failed(&format!("{shown} cannot be read: {e}")))?;
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|e| failed(&format!("{shown}: {e}")))?;
                roots.add(certificate).map_err(|e| failed(&format!("{shown}: {e}")))?;
            }
            if roots.is_empty() {
                return Err(failed(&format!("{shown} holds no certificate in PEM")));
            }
            let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
            (Some(built.build().map_err(|e| failed(&e))?), *name)
        }
    };
    Ok(ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(&e))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Judge { provider, authorities, name }))
        .with_no_client_auth())
}
