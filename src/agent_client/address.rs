//! Where an agent is: a name may have several addresses, with an agent at each of them.

use super::{AgentClient, SetupError};
use std::net::IpAddr;
use std::sync::Arc;

impl AgentClient {
    /// A client of the agent that is at one of the addresses of the name. What is known of
    /// definitions is shared.
    pub(super) fn at(&self, address: IpAddr) -> Result<Self, SetupError> {
        match &self.made_of {
            Some(settings) => Ok(Self::made(Arc::clone(settings), Some(address))?.with_cache_of(self)),
            None => Ok(self.clone()),
        }
    }

    /// The name of its host, if that is no address.
    pub(super) fn name(&self) -> Option<&str> {
        let host = self.endpoints.flashback.url.host_str().filter(|_| !self.is_inside())?;
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address.is_err().then_some(host)
    }

    /// The one address of its name that it is at; `None`: any.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Its URL, and where its name has several addresses, at which of them.
    pub(super) fn named(&self) -> String {
        match self.address {
            Some(address) => format!("{} at {address}", self.base_url),
            None => self.base_url.to_string(),
        }
    }
}
