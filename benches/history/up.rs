//! The real executable as `up`: agent and shim in one process.

use crate::chain::{SERVER_ID, USER, free_port, wait_for};
use crate::past::Past;
use std::error::Error;
use std::ffi::OsString;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Killed when this is dropped.
pub struct Up {
    pub port: u16,
    pub password: String,
    process: Child,
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Up {
    /// Goes on with a past, with these arguments.
    pub fn start(past: &Past, origin: &[OsString]) -> Result<Self, Box<dyn Error>> {
        let port = free_port()?;
        let process = Command::new(env!("CARGO_BIN_EXE_dbtrail-shim"))
            .arg("up")
            .args(origin)
            .args(["--server-id", SERVER_ID, "--listen", &format!("127.0.0.1:{port}")])
            .stdout(Stdio::null())
            .stderr(std::env::var_os("BENCH_STDERR").map_or_else(Stdio::null, |_| Stdio::inherit()))
            .spawn()?;
        let mut up = Self { port, password: String::new(), process };
        // The password that `up` keeps is the one of this user; it is made when the store is open.
        let kept = past.data.join(format!("{USER}.password"));
        let end = Instant::now() + Duration::from_secs(60);
        while !kept.exists() {
            if Instant::now() > end {
                return Err("`up` does not start".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        wait_for(port)?;
        std::fs::read_to_string(kept)?.trim().clone_into(&mut up.password);
        Ok(up)
    }
}
