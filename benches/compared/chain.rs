//! The real executable twice: an agent over HTTPS and a shim in front of it.

use std::error::Error;
use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const TOKEN: &str = "bench-token";
pub const SERVER_ID: &str = "bench";
pub const USER: &str = "app";
pub const PASSWORD: &str = "bench-password";
const PROGRAM: &str = env!("CARGO_BIN_EXE_dbtrail-shim");

/// A certificate, its key and a token for an agent of the benchmark's own.
pub struct Door {
    pub ca_pem: String,
    folder: tempfile::TempDir,
}

/// The real executable as an agent; killed when this is dropped.
pub struct Agent {
    pub port: u16,
    process: Child,
}

/// The two processes; both end when this is dropped.
pub struct Chain {
    pub agent_port: u16,
    pub shim_port: u16,
    pub ca_pem: String,
    shim: Child,
    _agent: Agent,
    _door: Door,
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        let _ = self.shim.kill();
        let _ = self.shim.wait();
    }
}

pub fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits until something listens there, a minute at most.
pub fn wait_for(port: u16) -> Result<(), Box<dyn Error>> {
    let end = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if Instant::now() > end {
            return Err(format!("nothing listens on port {port}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn write(folder: &Path, name: &str, text: &str) -> std::io::Result<PathBuf> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = folder.join(name);
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    Ok(path)
}

impl Door {
    pub fn make() -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        let ca_pem = key.cert.pem();
        write(folder.path(), "cert.pem", &ca_pem)?;
        write(folder.path(), "key.pem", &key.signing_key.serialize_pem())?;
        write(folder.path(), "token", TOKEN)?;
        Ok(Self { ca_pem, folder })
    }

    /// One of its files: `cert.pem`, `key.pem`, `token`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Agent {
    /// Starts one with these arguments; what they say of the history's origin. It need not answer
    /// yet.
    pub fn spawn(door: &Door, origin: &[OsString]) -> Result<Self, Box<dyn Error>> {
        let port = free_port()?;
        let process = Command::new(PROGRAM)
            .arg("agent")
            .args(origin)
            .args(["--server-id", SERVER_ID, "--listen", &format!("127.0.0.1:{port}")])
            .arg("--tls-cert")
            .arg(door.path("cert.pem"))
            .arg("--tls-key")
            .arg(door.path("key.pem"))
            .arg("--token-file")
            .arg(door.path("token"))
            .stdout(Stdio::null())
            .stderr(std::env::var_os("BENCH_STDERR").map_or_else(Stdio::null, |_| Stdio::inherit()))
            .spawn()?;
        Ok(Self { port, process })
    }

    /// A figure of `/proc/.../status`, in KiB.
    pub fn memory(&self, field: &str) -> Result<u64, Box<dyn Error>> {
        memory(self.process.id(), field)
    }

    /// Ends it with SIGTERM and waits.
    pub fn stop(mut self) -> Result<(), Box<dyn Error>> {
        Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status()?;
        self.process.wait()?;
        Ok(())
    }
}

fn memory(process: u32, field: &str) -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|l| l.starts_with(field)).ok_or("no such line in /proc")?;
    Ok(line.split_whitespace().nth(1).ok_or("no figure")?.parse()?)
}

impl Chain {
    pub fn start(binlogs: &[PathBuf]) -> Result<Self, Box<dyn Error>> {
        Self::start_on(binlogs, None)
    }

    /// The same, the shim on these cores alone.
    pub fn start_on(binlogs: &[PathBuf], cores: Option<&str>) -> Result<Self, Box<dyn Error>> {
        let mut origin = vec![OsString::from("--binlog")];
        origin.extend(binlogs.iter().map(OsString::from));
        Self::of(&origin, cores)
    }

    /// The same, with settings of the shim besides.
    pub fn start_for(binlogs: &[PathBuf], settings: &str) -> Result<Self, Box<dyn Error>> {
        let mut origin = vec![OsString::from("--binlog")];
        origin.extend(binlogs.iter().map(OsString::from));
        Self::with(&origin, None, settings)
    }

    /// An agent whose history is from there, and a shim on these cores.
    pub fn of(origin: &[OsString], cores: Option<&str>) -> Result<Self, Box<dyn Error>> {
        Self::with(origin, cores, "")
    }

    fn with(origin: &[OsString], cores: Option<&str>, settings: &str) -> Result<Self, Box<dyn Error>> {
        let door = Door::make()?;
        let agent = Agent::spawn(&door, origin)?;
        let (agent_port, shim_port) = (agent.port, free_port()?);
        let config = write(
            door.folder.path(),
            "shim.yaml",
            &format!(
                "listen: 127.0.0.1:{shim_port}\nagent_url: https://localhost:{agent_port}\nagent_tls:\n  ca_file: {}\n\
                 tenants:\n  - mysql_user: {USER}\n    mysql_password: {PASSWORD}\n    server_id: {SERVER_ID}\n    \
                 agent_token: {TOKEN}\nlog:\n  level: error\n{settings}",
                door.path("cert.pem").display()
            ),
        )?;
        wait_for(agent_port)?;
        let mut shim = match cores {
            None => Command::new(PROGRAM),
            Some(cores) => {
                let mut pinned = Command::new("taskset");
                pinned.args(["--cpu-list", cores, PROGRAM]);
                pinned
            }
        };
        let shim = shim.arg("--config").arg(&config).stdout(Stdio::null()).spawn()?;
        wait_for(shim_port)?;
        Ok(Self { agent_port, shim_port, ca_pem: door.ca_pem.clone(), shim, _agent: agent, _door: door })
    }

    /// Resident memory of the shim now and at its highest, in KiB.
    pub fn shim_memory(&self) -> Result<(u64, u64), Box<dyn Error>> {
        let field = |name| memory(self.shim.id(), name);
        Ok((field("VmRSS:")?, field("VmHWM:")?))
    }

    pub async fn connect(&self, schema: &str) -> Result<mysql_async::Conn, Box<dyn Error>> {
        connect(self.shim_port, PASSWORD, schema).await
    }
}

/// A client of a shim on this port.
pub async fn connect(port: u16, password: &str, schema: &str) -> Result<mysql_async::Conn, Box<dyn Error>> {
    let options = mysql_async::OptsBuilder::default()
        .ip_or_hostname("127.0.0.1")
        .tcp_port(port)
        .user(Some(USER))
        .pass(Some(password))
        .db_name(Some(schema))
        .prefer_socket(false);
    Ok(mysql_async::Conn::new(options).await?)
}
