//! The program itself as a process, and a client that speaks in packets, for what no client library
//! lets a test say.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// No step of a test takes longer, even on a machine that is busy with others.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
struct Lines {
    all: Mutex<Vec<String>>,
    grown: Condvar,
}

/// A running program whose output is read as it comes. It is killed when the test is over.
#[derive(Debug)]
pub struct Program {
    child: Child,
    lines: Arc<Lines>,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dbtrail-shim"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command line to its end.
pub fn run(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the program runs")
}

/// The exit code, what came on standard output, what on standard error.
pub fn said(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = run(arguments);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

impl Program {
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    /// The same with variables in its environment.
    pub fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::spawned(command(arguments).envs(environment.iter().copied()))
    }

    /// The same with a listening socket, as systemd passes it: descriptor 3, and a variable that
    /// names the process.
    pub fn start_on(listener: &std::net::TcpListener, arguments: &[&str]) -> Self {
        let socket = OwnedFd::from(listener.try_clone().expect("a descriptor"));
        let mut shell = Command::new("sh");
        shell.args(["-c", "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$0\" \"$@\" 3<&0 </dev/null"]);
        shell.arg(env!("CARGO_BIN_EXE_dbtrail-shim")).args(arguments).stdin(Stdio::from(socket));
        Self::spawned(&mut shell)
    }

    fn spawned(command: &mut Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let lines = Arc::new(Lines::default());
        let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let pipes: [Box<dyn Read + Send>; 2] = [Box::new(out), Box::new(err)];
        for pipe in pipes {
            let lines = Arc::clone(&lines);
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    lines.all.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                    lines.grown.notify_all();
                }
            });
        }
        Self { child, lines }
    }

    /// The first line with this text, as soon as it is there.
    pub fn line(&self, text: &str) -> String {
        self.find(text, |line| line.contains(text))
    }

    /// The first line that `wanted` takes, as soon as it is there.
    pub fn find(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        let mut all = self.lines.all.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(line) = all.iter().find(|l| wanted(l)) {
                return line.clone();
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no line with {what:?} in:\n{}", all.join("\n"));
            all = self.lines.grown.wait_timeout(all, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// All lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let done = Command::new("kill").args([signal, &id]).status().expect("kill runs");
        assert!(done.success());
    }

    /// How it ended.
    pub fn ended(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is a child") {
                return status;
            }
            assert!(Instant::now() < end, "it does not end:\n{}", self.lines().join("\n"));
            std::thread::yield_now();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn recording() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mysql-9.7/binlog.000003")
}

/// An agent on the recording and a shim in front of it, two processes. The user is `app`, the
/// password `pass-word`.
#[derive(Debug)]
pub struct Chain {
    pub agent: Program,
    pub shim: Program,
    pub port: u16,
    /// The configuration of the shim.
    pub yaml: String,
    pub folder: tempfile::TempDir,
}

impl Chain {
    /// Writes another shim.yaml.
    pub fn configure(&self, yaml: &str) {
        std::fs::write(self.folder.path().join("shim.yaml"), yaml).expect("room");
    }
}

/// Starts both; `more` are further lines of shim.yaml.
pub fn chain(more: &str) -> Chain {
    chain_on(&recording(), "tt", more)
}

/// The same on this recording, with this default schema.
pub fn chain_on(recording: &Path, schema: &str, more: &str) -> Chain {
    chain_with(recording, schema, more, &[])
}

/// The same where both have these variables in their environment.
pub fn chain_with(recording: &Path, schema: &str, more: &str, environment: &[(&str, &str)]) -> Chain {
    let folder = tempfile::tempdir().expect("a folder");
    let (tokens, config) = (folder.path().join("tokens"), folder.path().join("shim.yaml"));
    std::fs::write(&tokens, "agent-token\n").expect("a file");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let agent = [
        "agent",
        "--binlog",
        &text(recording),
        "--server-id",
        "shop-1",
        "--listen",
        "127.0.0.1:0",
        "--token-file",
        &text(&tokens),
    ];
    let agent = Program::start_with(&agent, environment);
    let line = agent.line("listens on http://");
    let agent_url = line.rsplit(' ').next().expect("an address");
    let yaml = format!(
        "listen: 127.0.0.1:0\nagent_url: {agent_url}\ntenants:\n  - mysql_user: app\n    mysql_password: pass-word\n    \
         server_id: shop-1\n    agent_token: agent-token\n    default_schema: {schema}\n{more}"
    );
    std::fs::write(&config, &yaml).expect("a file");
    let shim = Program::start_with(&["--config", &text(&config)], environment);
    let line = shim.line("the shim listens");
    let digits = |c: char| c.is_ascii_digit();
    let following = line.split("127.0.0.1:").nth(1).expect("an address");
    let port = following.chars().take_while(|c| digits(*c)).collect::<String>().parse().expect("a port");
    Chain { agent, shim, port, yaml, folder }
}

fn sha1(parts: &[&[u8]]) -> Vec<u8> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, &parts.concat()).as_ref().to_vec()
}

/// What mysql_native_password answers to a scramble.
pub fn native_response(scramble: &[u8], password: &str) -> Vec<u8> {
    let once = sha1(&[password.as_bytes()]);
    let mask = sha1(&[scramble, &sha1(&[&once])]);
    once.iter().zip(&mask).map(|(a, b)| a ^ b).collect()
}

/// A client of bare packets with mysql_native_password.
#[derive(Debug)]
pub struct Bare {
    socket: TcpStream,
}

/// CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION, CLIENT_PLUGIN_AUTH.
const CAPABILITIES: u32 = 1 << 9 | 1 << 15 | 1 << 19;
/// CLIENT_DEPRECATE_EOF.
pub const DEPRECATE_EOF: u32 = 1 << 24;

impl Bare {
    /// Logs in; gives the last packet of the login, OK or ERR, too.
    pub fn login(port: u16, user: &str, password: &str, more: u32) -> (Self, Vec<u8>) {
        let socket = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let mut client = Self { socket };
        let greeting = client.packet();
        let following = greeting.iter().position(|b| *b == 0).expect("a version") + 5;
        let scramble =
            [&greeting[following..following + 8], &greeting[following + 27..following + 39]].concat();
        let mut out = (CAPABILITIES | more).to_le_bytes().to_vec();
        out.extend_from_slice(&[0, 0, 0, 1, 255]);
        out.extend_from_slice(&[0; 23]);
        out.extend_from_slice(user.as_bytes());
        out.extend_from_slice(&[0, 20]);
        out.extend(native_response(&scramble, password));
        out.extend_from_slice(b"mysql_native_password\0");
        client.send(1, &out);
        let answer = client.packet();
        (client, answer)
    }

    pub fn send(&mut self, sequence: u8, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("short").to_le_bytes();
        let head = [length[0], length[1], length[2], sequence];
        self.socket.write_all(&[&head, payload].concat()).expect("it listens");
    }

    /// A payload; empty when the connection ended.
    pub fn packet(&mut self) -> Vec<u8> {
        let mut head = [0; 4];
        if self.socket.read_exact(&mut head).is_err() {
            return Vec::new();
        }
        let length = u32::from_le_bytes([head[0], head[1], head[2], 0]);
        let mut payload = vec![0; usize::try_from(length).expect("short")];
        self.socket.read_exact(&mut payload).expect("the whole packet");
        payload
    }

    /// Sends a command; gives its packets up to an EOF, OK or ERR.
    pub fn command(&mut self, payload: &[u8]) -> Vec<Vec<u8>> {
        self.send(0, payload);
        self.up_to_end()
    }

    /// Packets up to an EOF, OK or ERR.
    pub fn up_to_end(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        loop {
            let packet = self.packet();
            let last = packet.first().is_none_or(|b| [0, 0xff].contains(b) || *b == 0xfe && packet.len() < 9);
            packets.push(packet);
            if last {
                return packets;
            }
        }
    }
}

/// Number, SQLSTATE and text of an ERR packet.
pub fn error(packet: &[u8]) -> (u16, String, String) {
    assert_eq!((packet.first(), packet.get(3)), (Some(&0xff), Some(&b'#')), "{packet:?}");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (u16::from_le_bytes([packet[1], packet[2]]), text(&packet[4..9]), text(&packet[9..]))
}
