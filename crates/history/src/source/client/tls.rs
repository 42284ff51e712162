//! Encryption towards the server.

use super::ClientError;
use crate::source::config::Tls;
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
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| ClientError::Tls(format!("'{host}' is no name that a certificate could bear")))?;
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.map_err(|e| ClientError::Tls(e.to_string()))?;
    Ok(Box::new(stream))
}

async fn config(tls: &Tls) -> Result<ClientConfig, ClientError> {
    let builder = match tls {
        Tls::Off | Tls::Encrypted => dbtrail_tls::client(ServerVerification::AnyCertificate)
            .map_err(|e| ClientError::Tls(e.to_string()))?,
        Tls::Verified { ca, name } => {
            let shown = ca.display();
            let pem = tokio::fs::read(ca)
                .await
                .map_err(|e| ClientError::Tls(format!("{shown} cannot be read: {e}")))?;
            let verification = if *name {
                ServerVerification::AuthoritiesAndName(&pem)
            } else {
                ServerVerification::Authorities(&pem)
            };
            dbtrail_tls::client(verification).map_err(|error| {
                ClientError::Tls(match error {
                    TlsSetupError::NoCertificate => format!("{shown} {error}"),
                    TlsSetupError::Authorities(what) => format!("{shown}: {what}"),
                    TlsSetupError::Library(what) => what,
                })
            })?
        }
    };
    Ok(builder.with_no_client_auth())
}
