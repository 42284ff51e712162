//! Lines to the syslog daemon of this machine ([syslog(3)](https://man7.org/linux/man-pages/man3/syslog.3.html)):
//! datagrams to its socket.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

/// Facility authpriv, severity informational (RFC 3164, 4.1.1).
const PRIORITY: u8 = 10 * 8 + 6;

/// The way to the daemon.
#[derive(Debug)]
pub(super) struct Syslog {
    socket: UnixDatagram,
    daemon: PathBuf,
}

impl Syslog {
    pub(super) fn open(daemon: PathBuf) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        // A daemon that takes nothing must not hold up statements: the line is lost, and counted.
        socket.set_nonblocking(true)?;
        let opened = Self { socket, daemon };
        opened.try_again()?;
        Ok(opened)
    }

    /// One datagram: it arrives whole, or an error says why not. The daemon adds time and host; the
    /// line has the time, in UTC, itself.
    pub(super) fn write(&self, line: &str) -> io::Result<()> {
        let message = format!("<{PRIORITY}>dbtrail-shim[{}]: {line}", std::process::id());
        // To the name, each time: a daemon that was started again has another socket.
        self.socket.send_to(message.as_bytes(), &self.daemon).map(drop)
    }

    /// Whether somebody listens.
    pub(super) fn try_again(&self) -> io::Result<()> {
        UnixDatagram::unbound()?.connect(&self.daemon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_reach_a_daemon_that_was_started_again_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert!(Syslog::open(path.clone()).is_err(), "nobody listens");
        let daemon = UnixDatagram::bind(&path).unwrap();
        let syslog = Syslog::open(path.clone()).unwrap();
        let came = |daemon: &UnixDatagram| {
            let mut bytes = [0; 200];
            let length = daemon.recv(&mut bytes).unwrap();
            String::from_utf8(bytes[..length].to_vec()).unwrap()
        };
        syslog.write("{\"kind\":\"_diff\"}").unwrap();
        assert_eq!(
            came(&daemon),
            format!("<86>dbtrail-shim[{}]: {{\"kind\":\"_diff\"}}", std::process::id())
        );
        drop(daemon);
        assert!(syslog.write("{}").is_err() && syslog.try_again().is_err());
        std::fs::remove_file(&path).unwrap();
        let daemon = UnixDatagram::bind(&path).unwrap();
        syslog.try_again().unwrap();
        syslog.write("{}").unwrap();
        assert!(came(&daemon).ends_with(": {}"));
        // A daemon that takes nothing holds nobody up, and a line that is too long is not cut.
        let filled = (0..100_000).find_map(|_| syslog.write("{}").err()).unwrap();
        assert_eq!(filled.kind(), io::ErrorKind::WouldBlock);
        assert!(syslog.write(&"x".repeat(16 << 20)).is_err());
    }
}
