//! What several targets stand on: a recording, and a shim that listens on a port.

use dbtrail_history::{History, HistoryHandle};
use dbtrail_shim::server::ServerSettings;
use dbtrail_shim::{config, server};
use dbtrail_types::names::ServerId;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// The recording that agents answer from.
const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/mysql-9.7/binlog.000003");

/// The one tenant: `app`, with the password `secret` and the schema `tt`.
const CONFIG: &str = "
listen: 127.0.0.1:0
agent_url: http://127.0.0.1:9
tenants:
  - mysql_user: app
    mysql_password: secret
    server_id: fuzz
    default_schema: tt
";

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The history of the recording.
#[must_use]
pub fn recorded() -> Arc<HistoryHandle> {
    let history = History::read(ServerId("fuzz".to_owned()), &[LOG.into()]).expect("a recording");
    Arc::new(HistoryHandle::fixed(Arc::new(history)))
}

/// What a shim with one tenant is configured to; no agent answers it.
#[must_use]
pub fn settings() -> ServerSettings {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("shim.yaml");
    std::fs::write(&path, CONFIG).expect("the file can be written");
    config::load(&path).expect("a good file").server
}

/// A shim that serves until the process ends, and where.
#[must_use]
pub fn serve(settings: ServerSettings) -> (Runtime, SocketAddr) {
    let runtime = Runtime::new().expect("a runtime");
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(server::serve(listener, Arc::new(settings), CancellationToken::new()));
    (runtime, address)
}

/// A connection, and the greeting that came on it.
#[must_use]
pub fn connect(address: SocketAddr) -> (TcpStream, Vec<u8>) {
    let mut socket = TcpStream::connect(address).expect("the server listens");
    socket.set_nodelay(true).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let greeting = packet(&mut socket);
    assert_eq!(greeting.first(), Some(&10), "protocol version");
    (socket, greeting)
}

/// The payload of the next packet.
#[must_use]
pub fn packet(socket: &mut TcpStream) -> Vec<u8> {
    let mut header = [0; 4];
    socket.read_exact(&mut header).expect("a packet");
    let mut payload = vec![0; u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize];
    socket.read_exact(&mut payload).expect("a whole packet");
    payload
}
