//! A MariaDB server of the benchmark's own, on loopback.

use crate::chain::{free_port, wait_for};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Ends with the value.
pub struct MariaDb {
    pub port: u16,
    server: Child,
    data: PathBuf,
    /// `None`: the folder stays.
    folder: Option<tempfile::TempDir>,
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        if self.folder.is_none() {
            // What stays must be whole.
            let _ = Command::new("kill").args(["-TERM", &self.server.id().to_string()]).status();
        } else {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
    }
}

impl MariaDb {
    /// In a temporary folder.
    pub fn start() -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let mut server = Self::open(folder.path(), &[])?;
        server.folder = Some(folder);
        Ok(server)
    }

    /// In a folder that stays, and may hold a server already.
    pub fn open(folder: &Path, more: &[&str]) -> Result<Self, Box<dyn Error>> {
        let data = folder.join("data");
        if !data.exists() {
            let made = Command::new("mariadb-install-db")
                .arg("--no-defaults")
                .arg(format!("--datadir={}", data.display()))
                .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
                .stdout(Stdio::null())
                .status()
                .map_err(|e| format!("mariadb-install-db: {e} (install mariadb-server)"))?;
            if !made.success() {
                return Err("mariadb-install-db failed".into());
            }
        }
        let port = free_port()?;
        // The socket elsewhere: a path of one may have no more than some hundred bytes.
        let socket = std::env::temp_dir().join(format!("bench-{port}.sock"));
        let server = Command::new("mariadbd")
            .arg("--no-defaults")
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--port={port}"))
            .args([
                "--bind-address=127.0.0.1",
                "--log-bin=log",
                "--binlog-format=ROW",
                "--binlog-row-metadata=FULL",
            ])
            .args(["--user=root", "--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0", "--server-id=1"])
            .args(more)
            .stderr(Stdio::null())
            .spawn()?;
        wait_for(port)?;
        Ok(Self { port, server, data, folder: None })
    }

    pub fn pid(&self) -> u32 {
        self.server.id()
    }

    pub async fn connect(&self) -> Result<mysql_async::Conn, Box<dyn Error>> {
        let options = mysql_async::OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.port)
            .user(Some("root"))
            .prefer_socket(false);
        Ok(mysql_async::Conn::new(options).await?)
    }

    /// The binary log files that are closed, oldest first.
    pub fn binlogs(&self) -> Result<Vec<PathBuf>, Box<dyn Error>> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.data)?
            .filter_map(|e| e.ok().map(|e| e.path()))
            .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("log.0")))
            .collect();
        files.sort();
        files.pop();
        Ok(files)
    }
}
