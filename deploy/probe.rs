//! Is a MySQL-protocol server there? Connects and waits for the greeting; exit code 0 when it came. For HEALTHCHECK in an image without a shell.
//! One file without dependencies: `rustc -O deploy/probe.rs`. Argument: address, default 127.0.0.1:3308.

use std::io::{Error, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);
/// The greeting's first byte: protocol version 10. A refusal (0xff) is no sign of health.
const PROTOCOL_10: u8 = 10;

fn greeted(address: &str) -> Result<(), Error> {
    let address: SocketAddr = address.parse().map_err(|e| Error::new(ErrorKind::InvalidInput, format!("{address}: {e}")))?;
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut start = [0; 5];
    socket.read_exact(&mut start)?;
    match start[4] {
        PROTOCOL_10 => Ok(()),
        other => Err(Error::new(ErrorKind::InvalidData, format!("the first byte is {other}, not {PROTOCOL_10}"))),
    }
}

fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3308".to_owned());
    match greeted(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("probe: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
