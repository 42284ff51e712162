//! Any bytes after the greeting, through a real socket: the server answers or closes, and the next
//! connection is greeted.
#![no_main]

use dbtrail_shim_fuzz::{connect, serve, settings};
use libfuzzer_sys::fuzz_target;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::OnceLock;
use tokio::runtime::Runtime;

static SERVER: OnceLock<(Runtime, SocketAddr)> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let (_, address) = SERVER.get_or_init(|| serve(settings()));
    let (mut socket, _) = connect(*address);
    // The server may close at any byte: that is an answer too.
    let _ = socket.write_all(bytes);
    let _ = socket.shutdown(Shutdown::Write);
    let _ = socket.read_to_end(&mut Vec::new());
});
