//! `agent backup`: a checked copy of the store, made by the agent that has it open, or of a folder
//! on which none runs.

use super::local::{self, Whereabouts};
use super::status::sentence;
use super::values::size;
use crate::agent_client::{self, AgentClient, Caller};
use crate::cli::serve::fail;
use clap::Args;
use dbtrail_history::backup::{self, Copied};
use dbtrail_types::names::RequestId;
use dbtrail_types::secret::Secret;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `agent backup`.
#[derive(Clone, Debug, Args)]
pub struct BackupArgs {
    /// The data folder of an agent on this machine.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The folder that the copy becomes; it must not be there. The agent writes it, as its own
    /// user.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// Copies, and says what was copied.
pub(super) async fn run(args: &BackupArgs) -> ExitCode {
    let to = match std::path::absolute(&args.to) {
        Ok(to) => to,
        Err(e) => return fail(&format!("{}: {e}", args.to.display())),
    };
    let copied = match local::address(&args.data) {
        Err(why) => return fail(&why),
        Ok(Some(found)) if is_alive(&found).await => by_agent(found, &to).await,
        Ok(_) => {
            let data = args.data.clone();
            let target = to.clone();
            let made = tokio::task::spawn_blocking(move || backup::of_folder(&data, &target)).await;
            made.map_err(|e| e.to_string()).and_then(|made| made.map_err(|e| e.to_string()))
        }
    };
    let Copied { pairs, bytes, digest } = match copied {
        Ok(copied) => copied,
        Err(why) => return fail(&why),
    };
    let line = format!("{}: {pairs} pairs, {}, XXH3 {digest:016x}\n", to.display(), size(bytes));
    match std::io::stdout().write_all(line.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&format!("standard output: {e}")),
    }
}

/// Whether somebody listens where the folder says: a file of a process that was killed is left
/// over.
async fn is_alive(found: &Whereabouts) -> bool {
    tokio::net::TcpStream::connect(found.address).await.is_ok()
}

async fn by_agent(found: Whereabouts, to: &Path) -> Result<Copied, String> {
    let to = to.to_str().ok_or_else(|| format!("{} is not UTF-8", to.display()))?;
    let url = format!("{}://{}", found.scheme, found.address);
    let settings = agent_client::AgentSettings { base_url: url.clone(), ca_pem: None, identity_pem: None };
    let client = AgentClient::new(&settings).map_err(|e| e.to_string())?;
    let caller = Caller { tenant: String::new(), token: Some(Secret::new(found.key)) };
    let copied = client.backup(&caller, to, &RequestId::next(0)).await;
    copied.map_err(|failure| sentence(&url, &failure))
}
