//! Any statements and packets of a client that has logged in, through a real socket to answers of
//! an agent in this process: whole packets come back, and the connection ends with the client.
//!
//! An input is commands with lines of `--` between them. One that begins with a byte below a space
//! is a packet as it is; others are the text of a query.
#![no_main]

use dbtrail_history::serve::{Local, ServeOptions};
use dbtrail_shim::agent_client::{AgentClient, InProcessAgent, InProcessBody};
use dbtrail_shim::session::Tenant;
use dbtrail_shim::wire::connection::{Shared, Tls};
use dbtrail_shim_fuzz::{connect, packet, recorded, serve, settings};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use hyper::body::Bytes;
use hyper::{Request, Response};
use libfuzzer_sys::fuzz_target;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock};
use tokio::runtime::Runtime;

/// CLIENT_PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, CONNECT_WITH_DB, MULTI_STATEMENTS,
/// MULTI_RESULTS and PS_MULTI_RESULTS.
const CAPABILITIES: u32 = 0x0000_0200 | 0x8000 | 0x0008_0000 | 8 | 0x0001_0000 | 0x0002_0000 | 0x0004_0000;

#[derive(Debug)]
struct Within(Local);

impl InProcessAgent for Within {
    fn answer(&self, request: Request<Bytes>) -> BoxFuture<'static, Response<InProcessBody>> {
        let agent = self.0.clone();
        async move { agent.answer(request).await.map(|body| body.map_err(Into::into).boxed()) }.boxed()
    }
}

static SERVER: OnceLock<(Runtime, SocketAddr)> = OnceLock::new();

/// A shim whose tenant is answered by an agent inside.
fn start() -> (Runtime, SocketAddr) {
    let mut settings = settings();
    let agent = Arc::new(Within(Local::new(recorded(), &ServeOptions::default())));
    let agent = AgentClient::in_process(agent).expect("a client");
    let shared = &settings.shared;
    let tenant = Tenant { agent: agent.into(), ..Tenant::clone(&shared.tenants["app"]) };
    settings.shared = Arc::new(Shared {
        tenants: HashMap::from([("app".to_owned(), Arc::new(tenant))]),
        monitor: None,
        tls: Tls::Off,
        session: Arc::clone(&shared.session),
        errors: shared.errors,
    });
    serve(settings)
}

fn put(packets: &mut Vec<u8>, sequence: u8, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("a short packet").to_le_bytes();
    packets.extend([length[0], length[1], length[2], sequence]);
    packets.extend(payload);
}

/// Logs in with mysql_native_password.
fn login(address: SocketAddr) -> TcpStream {
    let (mut socket, greeting) = connect(address);
    let version = 1 + greeting[1..].iter().position(|b| *b == 0).expect("a version");
    // The thread id of four bytes; eight of the scramble, and after 19 others its other twelve.
    let scramble = [&greeting[version + 5..version + 13], &greeting[version + 32..version + 44]].concat();
    let response = mysql_common::scramble::scramble_native(&scramble, b"secret").expect("a password");
    let mut login = CAPABILITIES.to_le_bytes().to_vec();
    login.extend((1_u32 << 24).to_le_bytes());
    login.extend([255; 1]);
    login.extend([0; 23]);
    login.extend(b"app\0\x14");
    login.extend(response);
    login.extend(b"tt\0mysql_native_password\0");
    let mut packets = Vec::new();
    put(&mut packets, 1, &login);
    socket.write_all(&packets).expect("sent");
    let mut answer = packet(&mut socket);
    if answer.first() == Some(&0xfe) {
        let scramble = answer[1..].split(|b| *b == 0).nth(1).expect("a scramble");
        let response = mysql_common::scramble::scramble_native(scramble, b"secret").expect("a password");
        packets.clear();
        put(&mut packets, 3, &response);
        socket.write_all(&packets).expect("sent");
        answer = packet(&mut socket);
    }
    assert_eq!(answer.first(), Some(&0), "logged in: {}", String::from_utf8_lossy(&answer));
    socket
}

/// The commands of an input.
fn commands(input: &[u8]) -> Vec<Vec<u8>> {
    let (mut commands, mut command) = (Vec::new(), Vec::new());
    for line in input.split_inclusive(|b| *b == b'\n') {
        if line.strip_suffix(b"\n").unwrap_or(line) == b"--" {
            commands.push(std::mem::take(&mut command));
        } else {
            command.extend(line);
        }
    }
    commands.push(command);
    for command in &mut commands {
        if command.first().is_some_and(|first| *first >= b' ') {
            command.insert(0, 3);
        }
    }
    commands
}

fuzz_target!(|input: &[u8]| {
    let (_, address) = SERVER.get_or_init(start);
    let mut socket = login(*address);
    let mut packets = Vec::new();
    for command in commands(input) {
        put(&mut packets, 0, &command);
    }
    // The server may close at any byte: that is an answer too.
    let _ = socket.write_all(&packets);
    let _ = socket.shutdown(Shutdown::Write);
    let mut answers = Vec::new();
    match socket.read_to_end(&mut answers) {
        Ok(_) => {}
        Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => return,
        Err(e) => panic!("the connection does not end with its client: {e}"),
    }
    let mut rest = &answers[..];
    while let Some((header, payload)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize;
        // The client is gone when the last answer is sent: it may be cut.
        let Some(after) = payload.get(length..) else { break };
        rest = after;
    }
});
