//! Encryption towards the server.

use super::ClientError;
use crate::source::config::Tls;
use crate::source_error::TlsFault;
use dbtrail_mysql_wire::packets::Stream;
use dbtrail_tls::{ServerVerification, TlsSetupError};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// Encrypts a connection.
pub(super) async fn encrypt(
    stream: Box<dyn Stream>,
    host: &str,
    tls: &Tls,
) -> Result<Box<dyn Stream>, ClientError> {
    let config = config(tls).await?;
    let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsFault::HostName(host.to_owned()))?;
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.map_err(|e| TlsFault::Library(e.to_string()))?;
    Ok(Box::new(stream))
}

async fn config(tls: &Tls) -> Result<ClientConfig, ClientError> {
    let builder = match tls {
        Tls::Off | Tls::Encrypted => dbtrail_tls::client(ServerVerification::AnyCertificate)
            .map_err(|e| TlsFault::Library(e.to_string()))?,
        Tls::Verified { ca, name } => {
            let file = ca.clone();
            let pem = match tokio::fs::read(ca).await {
                Ok(pem) => pem,
                Err(error) => return Err(TlsFault::UnreadableFile { file, error: error.to_string() }.into()),
            };
            let verification = if *name {
                ServerVerification::AuthoritiesAndName(&pem)
            } else {
                ServerVerification::Authorities(&pem)
            };
            dbtrail_tls::client(verification).map_err(|error| match error {
                TlsSetupError::NoCertificate => TlsFault::NoCertificate { file, what: error.to_string() },
                TlsSetupError::Authorities(what) => TlsFault::Authorities { file, what },
                TlsSetupError::Library(what) => TlsFault::Library(what),
            })?
        }
    };
    Ok(builder.with_no_client_auth())
}
