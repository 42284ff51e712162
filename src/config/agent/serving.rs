//! What the agent offers to the network.

use super::super::{Resolver, duration};
use dbtrail_history::serve::{ServeOptions, Tokens, tls_config};
use rustls::ServerConfig;
use std::path::Path;
use std::sync::Arc;

impl Resolver {
    /// Certificate and key, where there are any.
    fn serve_tls(&mut self) -> Option<Arc<ServerConfig>> {
        match ["tls.cert_file", "tls.key_file"].map(|key| self.text(key).is_some()) {
            [false, false] => None,
            [true, true] => {
                let (chain, key) = (self.bytes("tls.cert_file"), self.bytes("tls.key_file"));
                tls_config(&chain?, &key?).map_err(|e| self.file.mistake("tls", e.to_string())).ok()
            }
            _ => self.mistake("tls", "cert_file and key_file come together".to_owned()),
        }
    }

    /// Those of the file that a key names; the inner `None`: it names none.
    #[expect(clippy::option_option, reason = "no tokens and a mistake are two things")]
    fn tokens(&mut self, key: &str) -> Option<Option<Tokens>> {
        match self.text(key).map(|path| Tokens::from_file(Path::new(&path))) {
            None => Some(None),
            Some(Ok(tokens)) => Some(Some(tokens)),
            Some(Err(why)) => self.mistake(key, why.to_string()),
        }
    }

    pub(super) fn serve_options(&mut self) -> Option<ServeOptions> {
        let tls = self.serve_tls();
        let tokens = self.tokens("token_file");
        let doubt_tokens = self.tokens("doubt_token_file");
        let most = |t: &str| t.parse::<usize>().ok().filter(|n| (1..=1_000_000).contains(n));
        let form = "a number from 1 to 1000000";
        let max_requests = self.parsed("limits.max_requests", most, form);
        let max_connections = self.parsed("limits.max_connections", most, form);
        let wait = self.parsed("limits.catch_up_wait", duration, "a duration such as 5s");
        let max_lag = self.parsed("readiness.max_lag", duration, "a duration such as 60s");
        let grace = self.parsed("shutdown_grace", duration, "a duration such as 30s");
        let ui = self.one_of("ui", &[("on", true), ("off", false)]);
        Some(ServeOptions {
            tls: tls.map(Into::into),
            tokens: tokens?.unwrap_or_default(),
            doubt_tokens: doubt_tokens?,
            max_connections: max_connections?,
            max_requests: max_requests?,
            max_lag: max_lag?,
            catch_up_wait: wait?,
            grace: grace?,
            ui: ui?,
            ..ServeOptions::default()
        })
    }
}
