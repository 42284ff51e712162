//! Any bytes after the greeting, through a real socket: the server answers or closes, and the next
//! connection is greeted.
#![no_main]

use dbtrail_shim::{config, server};
use libfuzzer_sys::fuzz_target;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const CONFIG: &str = "
listen: 127.0.0.1:0
agent_url: http://127.0.0.1:9
tenants:
  - mysql_user: app
    mysql_password: secret
    server_id: fuzz
";

static SERVER: OnceLock<(tokio::runtime::Runtime, SocketAddr)> = OnceLock::new();

fn start() -> (tokio::runtime::Runtime, SocketAddr) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("shim.yaml");
    std::fs::write(&path, CONFIG).expect("the file can be written");
    let config = config::load(&path).expect("a good file");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(server::serve(listener, Arc::new(config.server), CancellationToken::new()));
    (runtime, address)
}

/// The payload of the first packet that the server sends.
fn greeting(socket: &mut TcpStream) -> Vec<u8> {
    let mut header = [0; 4];
    socket.read_exact(&mut header).expect("the server greets");
    let mut payload = vec![0; usize::from(header[0]) | usize::from(header[1]) << 8];
    socket.read_exact(&mut payload).expect("a whole greeting");
    payload
}

fuzz_target!(|bytes: &[u8]| {
    let (_, address) = SERVER.get_or_init(start);
    let mut socket = TcpStream::connect(address).expect("the server listens");
    socket.set_read_timeout(Some(Duration::from_secs(15))).expect("a timeout");
    assert_eq!(greeting(&mut socket)[0], 10, "protocol version");
    // The server may close at any byte: that is an answer too.
    let _ = socket.write_all(bytes);
    let _ = socket.shutdown(Shutdown::Write);
    let _ = socket.read_to_end(&mut Vec::new());
});
