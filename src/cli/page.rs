//! The page of `up` and `demo`: the agent of this process on a port of its own, to whoever has the
//! password of its user.

use crate::cli::agent::{CONFIG, CannotStart, UNAVAILABLE};
use crate::cli::undo::script::ScriptWriter;
use dbtrail_history::HistoryHandle;
use dbtrail_history::serve::{ServeOptions, Tokens, serve};
use dbtrail_types::secret::Secret;
use std::error::Error;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Where it is, unless something else is given or is there.
const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3309);

/// A port for the page.
#[derive(Debug)]
pub(super) struct Page(TcpListener);

impl Page {
    /// Takes the port: the one that is asked for, or the usual one, or where another program has
    /// that, any.
    pub(super) async fn bind(asked: Option<SocketAddr>) -> Result<Self, CannotStart> {
        let listen = asked.unwrap_or(USUAL);
        if !listen.ip().is_loopback() {
            let why = format!(
                "--ui {listen}: rows would cross the network in clear text. Give it an address of this machine (127.0.0.1) and reach it through ssh -L, or run an `agent` with --tls-cert, whose page is at /ui"
            );
            return Err(CannotStart(why, CONFIG));
        }
        let bound = match TcpListener::bind(listen).await {
            Err(taken) if asked.is_none() && taken.kind() == ErrorKind::AddrInUse => {
                TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
            }
            bound => bound,
        };
        let listener = bound.map_err(|e| {
            let why = format!(
                "{listen} cannot be listened on: {e} (choose another with --ui, or leave the page out with --no-ui)"
            );
            CannotStart(why, UNAVAILABLE)
        })?;
        Ok(Self(listener))
    }

    /// Its address for a browser.
    pub(super) fn address(&self) -> std::io::Result<String> {
        Ok(format!("http://{}/ui", self.0.local_addr()?))
    }

    /// Serves until `stop`. Gives what opens it.
    pub(super) fn show(
        self,
        password: &Secret,
        history_handle: Arc<HistoryHandle>,
        stop: CancellationToken,
    ) -> Result<Tokens, Box<dyn Error>> {
        let tokens = Tokens::from(vec![password.clone()]);
        let options = ServeOptions {
            tokens: tokens.clone(),
            max_connections: 64,
            max_requests: 16,
            grace: Duration::from_secs(2),
            ui: true,
            undo: Some(Arc::new(ScriptWriter::new(Arc::clone(&history_handle))?)),
            ..ServeOptions::default()
        };
        tokio::spawn(serve(self.0, history_handle, options, stop));
        Ok(tokens)
    }
}
