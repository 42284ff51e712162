//! The signals that `up` gets while it runs.

use super::super::agent::CannotStart;
use super::super::serve::{Received, Signals};
use super::super::supervisor;
use super::{USER, password};
use crate::session::{Credential, Tenant};
use crate::telemetry::metrics::metrics;
use crate::wire::connection::{Live, Shared};
use dbtrail_history::serve::Tokens;
use std::path::Path;
use std::sync::Arc;

/// Until the stop; SIGHUP reads the password again, for the shim and for `tokens` of the page.
pub(super) async fn signalled(signals: &mut Signals, live: &Live, tokens: Option<&Tokens>, data: &Path) {
    while signals.next().await == Received::Reload {
        supervisor::reloading();
        match password::kept(data) {
            Ok(password) => {
                if let Some(tokens) = tokens {
                    tokens.replace(password.clone());
                }
                let mut shared = Shared::clone(&live.load());
                for tenant in shared.tenants.values_mut() {
                    let credential = Credential::Password(password.clone());
                    *tenant = Arc::new(Tenant { credential, ..Tenant::clone(tenant) });
                }
                live.replace(Arc::new(shared));
                metrics().reload(true);
                tracing::warn!("SIGHUP: the password of '{USER}' is read again");
            }
            Err(CannotStart(why, _)) => {
                metrics().reload(false);
                tracing::error!("SIGHUP: nothing is taken, the password read before stays: {why}");
            }
        }
        supervisor::ready();
    }
}
