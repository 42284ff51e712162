//! The listening socket: of this process alone, or shared with the process that takes its place.

use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket};

/// Connections that wait to be accepted, as tokio has it; the system cuts it to its own limit.
const BACKLOG: u32 = 1024;

/// Whether other processes of the same user may listen on the same port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// The port is taken, and nobody else gets it.
    Exclusive,
    /// `reuse_port` of shim.yaml (SO_REUSEPORT, [socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html)):
    /// while several listen, each gets a part of the new connections.
    Shared,
}

/// Listens.
///
/// # Errors
/// The address is not this machine's, or the port is taken.
pub fn listen(address: SocketAddr, port: Port) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A port that was given up a moment ago can be had again.
    socket.set_reuseaddr(true)?;
    if port == Port::Shared {
        socket.set_reuseport(true)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
