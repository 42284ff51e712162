//! What systemd is given (`Type=notify-reload`, sd_notify(3)): ready, reloading, stopping. Nothing,
//! where nobody listens. And what it gives: the socket of a socket unit (sd_listen_fds(3)).

use rustix::time::{ClockId, clock_gettime};
use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use tokio::net::TcpListener;

/// The listening socket of a socket unit; `None`: this process listens by itself.
///
/// # Errors
/// What was passed is no listening TCP socket, or there are several.
pub(super) fn passed_socket() -> io::Result<Option<TcpListener>> {
    let mut passed = listenfd::ListenFd::from_env();
    match passed.len() {
        0 => Ok(None),
        1 => {
            let Some(listener) = passed.take_tcp_listener(0)? else { return Ok(None) };
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener).map(Some)
        }
        several => Err(io::Error::other(format!("it passed {several}, and one is wanted"))),
    }
}

/// It listens, and what it is given counts.
pub(super) fn ready() {
    notify("READY=1");
}

/// What is on disk is being read again; [`ready`] when it is over, taken or not.
pub(super) fn reloading() {
    let now = clock_gettime(ClockId::Monotonic);
    let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000;
    notify(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
}

/// It ends.
pub(super) fn stopping() {
    notify("STOPPING=1");
}

fn notify(what: &str) {
    let Some(socket) = env::var_os("NOTIFY_SOCKET") else { return };
    let name = socket.as_bytes();
    let address = match name.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&socket),
    };
    let sent = address.and_then(|address| UnixDatagram::unbound()?.send_to_addr(what.as_bytes(), &address));
    if let Err(error) = sent {
        tracing::warn!(%error, "systemd cannot be notified at {}: {what:?}", socket.display());
    }
}
