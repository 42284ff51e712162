//! The real executable twice: an agent over HTTPS and a shim in front of it.

use std::error::Error;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const TOKEN: &str = "bench-token";
pub const SERVER_ID: &str = "bench";
pub const USER: &str = "app";
pub const PASSWORD: &str = "bench-password";

/// The two processes; both end when this is dropped.
pub struct Chain {
    pub agent_port: u16,
    pub shim_port: u16,
    pub ca_pem: String,
    shim: Child,
    agent: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Chain {
    fn drop(&mut self) {
        for child in [&mut self.shim, &mut self.agent] {
            let _ = child.kill();
            let _ = child.wait();
        }
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

impl Chain {
    pub fn start(binlogs: &[PathBuf]) -> Result<Self, Box<dyn Error>> {
        Self::start_on(binlogs, None)
    }

    /// The same, the shim on these cores alone.
    pub fn start_on(binlogs: &[PathBuf], cores: Option<&str>) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        let ca_pem = key.cert.pem();
        let cert = write(folder.path(), "cert.pem", &ca_pem)?;
        let private = write(folder.path(), "key.pem", &key.signing_key.serialize_pem())?;
        let token = write(folder.path(), "token", TOKEN)?;
        let (agent_port, shim_port) = (free_port()?, free_port()?);
        let program = env!("CARGO_BIN_EXE_dbtrail-shim");
        let agent = Command::new(program)
            .arg("agent")
            .arg("--binlog")
            .args(binlogs)
            .args(["--server-id", SERVER_ID, "--listen", &format!("127.0.0.1:{agent_port}")])
            .arg("--tls-cert")
            .arg(&cert)
            .arg("--tls-key")
            .arg(&private)
            .arg("--token-file")
            .arg(&token)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let config = write(
            folder.path(),
            "shim.yaml",
            &format!(
                "listen: 127.0.0.1:{shim_port}\nagent_url: https://localhost:{agent_port}\nagent_tls:\n  ca_file: {}\n\
                 tenants:\n  - mysql_user: {USER}\n    mysql_password: {PASSWORD}\n    server_id: {SERVER_ID}\n    \
                 agent_token: {TOKEN}\nlog:\n  level: error\n",
                cert.display()
            ),
        )?;
        wait_for(agent_port)?;
        let mut shim = match cores {
            None => Command::new(program),
            Some(cores) => {
                let mut pinned = Command::new("taskset");
                pinned.args(["--cpu-list", cores, program]);
                pinned
            }
        };
        let shim = shim.arg("--config").arg(&config).stdout(Stdio::null()).spawn()?;
        wait_for(shim_port)?;
        Ok(Self { agent_port, shim_port, ca_pem, shim, agent, _folder: folder })
    }

    /// Resident memory of the shim now and at its highest, in KiB.
    pub fn shim_memory(&self) -> Result<(u64, u64), Box<dyn Error>> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.shim.id()))?;
        let field = |name: &str| -> Result<u64, Box<dyn Error>> {
            let line = status.lines().find(|l| l.starts_with(name)).ok_or("no such line in /proc")?;
            Ok(line.split_whitespace().nth(1).ok_or("no figure")?.parse()?)
        };
        Ok((field("VmRSS:")?, field("VmHWM:")?))
    }

    pub async fn connect(&self, schema: &str) -> Result<mysql_async::Conn, Box<dyn Error>> {
        let options = mysql_async::OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.shim_port)
            .user(Some(USER))
            .pass(Some(PASSWORD))
            .db_name(Some(schema))
            .prefer_socket(false);
        Ok(mysql_async::Conn::new(options).await?)
    }
}
