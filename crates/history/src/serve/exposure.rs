//! Whether it is safe to listen on an address.

use super::ServeOptions;
use std::net::SocketAddr;

/// Why it is not safe to listen there with these options; `None`: it is. `open`: whether some
/// history can be read without a token.
#[must_use]
pub fn exposure(address: SocketAddr, options: &ServeOptions, open: bool) -> Option<&'static str> {
    if address.ip().is_loopback() {
        return None;
    }
    match (options.tls.is_some(), open) {
        (true, false) => None,
        (false, _) => Some("rows would cross the network in clear text"),
        (true, true) => Some("anyone who reaches the port could read every row"),
    }
}
