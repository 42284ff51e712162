//! Names with several addresses: each of them is an agent of its own.

use crate::agent_client::AgentClient;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// For a resolver to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a name was found to have.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Addresses {
    /// One, or it is an address itself: whoever connects looks it up.
    One,
    /// In an order that is always the same.
    Several(Vec<IpAddr>),
    /// The resolver did not say: what was known goes on.
    Unknown,
}

type Found = Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;

/// How names are looked up.
#[derive(Clone)]
pub(super) struct Names(Arc<dyn Fn(String) -> Found + Send + Sync>);

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Names")
    }
}

impl Names {
    /// Between two looks.
    pub(super) const INTERVAL: Duration = Duration::from_secs(5);

    /// As the system does it.
    pub(super) fn of_the_system() -> Self {
        Self::by(|name| {
            Box::pin(async move {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        })
    }

    pub(super) fn by(lookup: impl Fn(String) -> Found + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    /// What addresses the name of an agent has.
    pub(super) async fn of(&self, agent: &AgentClient) -> Addresses {
        let Some(name) = agent.name() else { return Addresses::One };
        match timeout(PATIENCE, (self.0)(name.to_owned())).await {
            Ok(Ok(found)) => of_one_family(&found),
            Ok(Err(_)) | Err(_) => Addresses::Unknown,
        }
    }
}

/// A machine that has an address of each family is one agent. Of both families the one counts that
/// comes first: resolvers begin with what this machine can reach.
fn of_one_family(found: &[IpAddr]) -> Addresses {
    let Some(first) = found.first() else { return Addresses::Unknown };
    let mut alike: Vec<IpAddr> =
        found.iter().filter(|address| address.is_ipv4() == first.is_ipv4()).copied().collect();
    alike.sort_unstable();
    alike.dedup();
    if alike.len() > 1 { Addresses::Several(alike) } else { Addresses::One }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_family_are_agents() {
        let of = |texts: &[&str]| {
            let found: Vec<IpAddr> = texts.iter().map(|text| text.parse().unwrap()).collect();
            of_one_family(&found)
        };
        let several = |texts: &[&str]| Addresses::Several(texts.iter().map(|t| t.parse().unwrap()).collect());
        assert_eq!(of(&[]), Addresses::Unknown);
        assert_eq!(of(&["10.0.0.1"]), Addresses::One);
        assert_eq!(of(&["10.0.0.1", "10.0.0.1"]), Addresses::One);
        assert_eq!(of(&["::1", "127.0.0.1"]), Addresses::One);
        assert_eq!(of(&["10.0.0.2", "fd00::1", "10.0.0.1", "fd00::2"]), several(&["10.0.0.1", "10.0.0.2"]));
        assert_eq!(of(&["fd00::2", "10.0.0.1", "10.0.0.2", "fd00::1"]), several(&["fd00::1", "fd00::2"]));
    }
}
