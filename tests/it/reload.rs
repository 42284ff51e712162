//! SIGHUP, and files that change by themselves, while clients ask without end: nobody sees an
//! error, and nothing half is taken.

use crate::program::{Bare, Chain, Program, chain, error, recording, said};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A row that is there.
const STATEMENT: &[u8] = b"\x03SELECT id FROM _flashback.tt.orders AS OF '2026-11-23 07:12:39' WHERE id = 8";

/// Clients that ask until they are told to end; each statement must be answered with rows.
struct Load {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

/// The statement that the recording answers.
fn statement() -> Vec<u8> {
    STATEMENT.to_vec()
}

fn ask(client: &mut Bare) -> Result<usize, String> {
    client.send(0, &statement());
    let mut packets = 0;
    let mut ends = 0;
    loop {
        let packet = client.packet();
        match packet.first() {
            None => return Err("the connection ended".to_owned()),
            Some(0xff) => return Err(error(&packet).2),
            Some(0xfe) if packet.len() < 9 => ends += 1,
            Some(_) => packets += 1,
        }
        if ends == 2 {
            return Ok(packets);
        }
    }
}

impl Load {
    fn start(port: u16, clients: usize) -> Self {
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let client = || {
            let (stop, asked) = (Arc::clone(&stop), Arc::clone(&asked));
            std::thread::spawn(move || {
                let (mut client, _) = Bare::login(port, "app", "pass-word", 0);
                let mut errors = Vec::new();
                while !stop.load(Ordering::Relaxed) && errors.is_empty() {
                    errors.extend(ask(&mut client).err());
                    asked.fetch_add(1, Ordering::Relaxed);
                }
                errors
            })
        };
        let clients = (0..clients).map(|_| client()).collect();
        Self { stop, asked, clients }
    }

    /// Waits until this many more statements were answered.
    fn more(&self, statements: u64) {
        let until = self.asked.load(Ordering::Relaxed) + statements;
        while self.asked.load(Ordering::Relaxed) < until && !self.clients.iter().any(JoinHandle::is_finished)
        {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn ended(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.into_iter().flat_map(|c| c.join().expect("a client")).collect()
    }
}

/// Waits for the n-th line with this text.
fn nth(program: &Program, text: &str, n: usize) -> String {
    for _ in 0..12_000 {
        if let Some(line) = program.lines().into_iter().filter(|l| l.contains(text)).nth(n - 1) {
            return line;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("no {n} lines with {text:?} in\n{}", program.lines().join("\n"));
}

fn other(yaml: &str, chain: &Chain) -> String {
    let url = chain.yaml.lines().find(|l| l.starts_with("agent_url")).expect("there is one");
    assert!(url.contains("http"), "{url}");
    format!(
        "{yaml}  - {{mysql_user: other, mysql_password: secret, server_id: shop-1, agent_token: agent-token, default_schema: tt}}\n"
    )
}

#[test]
fn tenants_come_and_go_under_load_and_others_see_no_error() {
    let chain = chain("");
    let load = Load::start(chain.port, 4);
    load.more(20);
    assert_eq!(error(&Bare::login(chain.port, "other", "secret", 0).1).0, 1045);
    chain.configure(&other(&chain.yaml, &chain));
    chain.shim.hang_up();
    nth(&chain.shim, "are read again", 1);
    let (mut guest, ok) = Bare::login(chain.port, "other", "secret", 0);
    assert_eq!(ok.first(), Some(&0), "{ok:?}");
    assert!(ask(&mut guest).is_ok());
    // A bad file: it is named, with its line, and the tenant that it would have taken away stays.
    chain.configure(&chain.yaml.replace("server_id", "serverid"));
    chain.shim.hang_up();
    let line = chain.shim.line("nothing is taken, what was read before stays");
    assert!(line.contains("shim.yaml:4: tenants[0].server"), "{line}");
    assert!(ask(&mut guest).is_ok());
    // What only a restart changes refuses all of it.
    chain.configure(&chain.yaml.replace("listen: 127.0.0.1:0", "listen: 127.0.0.1:1"));
    chain.shim.hang_up();
    chain.shim.line("listen changes only with a restart");
    assert!(ask(&mut guest).is_ok());
    // The tenant goes: its session ends, idle as it is, and it cannot come back.
    chain.configure(&chain.yaml);
    chain.shim.hang_up();
    nth(&chain.shim, "are read again", 2);
    assert_eq!(guest.packet(), b"", "its session has ended");
    assert_eq!(error(&Bare::login(chain.port, "other", "secret", 0).1).0, 1045);
    load.more(20);
    assert_eq!(load.ended(), Vec::<String>::new());
}

#[test]
fn a_tenant_of_another_server_starts_over_and_a_changed_password_counts() {
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    chain.configure(&chain.yaml.replace("mysql_password: pass-word", "mysql_password: changed"));
    chain.shim.hang_up();
    nth(&chain.shim, "are read again", 1);
    assert!(ask(&mut client).is_ok(), "who is in stays");
    assert_eq!(error(&Bare::login(chain.port, "app", "pass-word", 0).1).0, 1045);
    assert_eq!(Bare::login(chain.port, "app", "changed", 0).1.first(), Some(&0));
    // The next statement of a session knows what is allowed now.
    chain.configure(&chain.yaml.replace("default_schema: tt", "allowed_schemas: [shop]"));
    chain.shim.hang_up();
    nth(&chain.shim, "are read again", 2);
    assert!(ask(&mut client).unwrap_err().contains("Access denied"));
    chain.configure(&chain.yaml.replace("server_id: shop-1", "server_id: shop-2"));
    chain.shim.hang_up();
    nth(&chain.shim, "are read again", 3);
    assert_eq!(client.packet(), b"", "its session has ended");
}

#[test]
fn a_token_is_rotated_under_load_without_a_signal() {
    let chain = chain("");
    let folder = chain.folder.path();
    let file = folder.join("token");
    std::fs::write(&file, "agent-token\n").expect("room");
    let yaml =
        chain.yaml.replace("agent_token: agent-token", &format!("agent_token_file: {}", file.display()));
    chain.configure(&yaml);
    chain.shim.hang_up();
    nth(&chain.shim, "are read again", 1);
    let load = Load::start(chain.port, 4);
    load.more(20);
    // First the agent takes both, then the shim the new one, then the old one is taken away.
    std::fs::write(folder.join("tokens"), "agent-token\nnew-token\n").expect("room");
    chain.agent.hang_up();
    nth(&chain.agent, "are read again", 1);
    std::fs::write(&file, "new-token\n").expect("room");
    chain.shim.line("have changed and are read again");
    load.more(20);
    std::fs::write(folder.join("tokens"), "new-token\n").expect("room");
    chain.agent.hang_up();
    nth(&chain.agent, "are read again", 2);
    load.more(20);
    assert_eq!(load.ended(), Vec::<String>::new());
}

/// A certificate for this machine and its key, written; gives the certificate.
fn certificate(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("room");
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).expect("room");
    made.cert.pem()
}

#[test]
fn certificates_of_both_sides_are_replaced_under_load_without_a_signal() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let before = certificate(folder.path());
    let agent = Program::start(&[
        "agent",
        "--binlog",
        recording().to_str().expect("UTF-8"),
        "--server-id",
        "shop-1",
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        &at("cert.pem"),
        "--tls-key",
        &at("key.pem"),
    ]);
    let line = agent.line("listens on https://");
    let port = line.rsplit(':').next().expect("a port").to_owned();
    std::fs::write(at("ca.pem"), &before).expect("room");
    let yaml = format!(
        "listen: 127.0.0.1:0\nagent_url: https://localhost:{port}\nagent_tls: {{ca_file: {}}}\ntls: {{mode: offered, cert_file: {}, key_file: {}}}\ntenants:\n  \
         - {{mysql_user: app, mysql_password: pass-word, server_id: shop-1}}\n",
        at("ca.pem"),
        at("cert.pem"),
        at("key.pem"),
    );
    std::fs::write(at("shim.yaml"), yaml).expect("room");
    let shim = Program::start(&["--config", &at("shim.yaml")]);
    let line = shim.line("the shim listens");
    let digits = line.split("127.0.0.1:").nth(1).expect("an address");
    let listens =
        digits.chars().take_while(char::is_ascii_digit).collect::<String>().parse().expect("a port");
    let load = Load::start(listens, 2);
    load.more(10);
    // The shim trusts both before the agent shows the new one.
    let other = tempfile::tempdir().expect("a folder");
    let after = certificate(other.path());
    std::fs::write(at("ca.pem"), format!("{before}{after}")).expect("room");
    shim.line("have changed and are read again");
    // A half of the pair alone is not taken, and logged once.
    std::fs::copy(other.path().join("cert.pem"), at("cert.pem")).expect("room");
    agent.line("certificate and key have changed and are not taken, those read before stay: ");
    std::fs::copy(other.path().join("key.pem"), at("key.pem")).expect("room");
    agent.line("certificate and key have changed and are read again");
    nth(&shim, "have changed and are read again", 2);
    load.more(10);
    assert_eq!(load.ended(), Vec::<String>::new());
    let url = format!("https://localhost:{port}");
    let status = |ca: &Path| said(&["agent", "status", "--url", &url, "--ca", ca.to_str().expect("UTF-8")]).1;
    assert!(status(&other.path().join("cert.pem")).contains("shop-1"));
    std::fs::write(at("old.pem"), before).expect("room");
    assert_eq!(status(Path::new(&at("old.pem"))), "");
}

#[test]
fn demo_goes_on_after_a_hangup() {
    let mut demo = Program::start(&["demo", "--listen", "127.0.0.1:0"]);
    demo.line("Ctrl-C ends it.");
    demo.hang_up();
    demo.line("there is nothing on disk to read again");
    demo.terminate();
    assert_eq!(demo.ended().code(), Some(0));
}

/// What systemd is given: ready, reloading with the time, ready, stopping.
#[test]
fn systemd_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");
    let reported = || {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).expect("told in time");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let yaml = folder.path().join("shim.yaml");
    std::fs::write(&yaml, "listen: 127.0.0.1:0\nagent_url: https://127.0.0.1:1\ntenants:\n  - {mysql_user: a, mysql_password: b, server_id: s}\n").expect("room");
    let mut shim = Program::start_with(
        &["--config", yaml.to_str().expect("UTF-8")],
        &[("NOTIFY_SOCKET", path.to_str().expect("UTF-8"))],
    );
    assert_eq!(reported(), "READY=1");
    shim.hang_up();
    let reloading = reported();
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC=")
            && reloading.ends_with(|c: char| c.is_ascii_digit()),
        "{reloading}"
    );
    assert_eq!(reported(), "READY=1");
    shim.terminate();
    assert_eq!(reported(), "STOPPING=1");
    assert_eq!(shim.ended().code(), Some(0));
}
