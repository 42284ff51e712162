//! What an idle connection that is logged in costs the shim: resident memory of its process with
//! and without them, and after they have ended.

use crate::chain::{Chain, Door};
use crate::client::{CAPABILITIES, Client, Failed};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use std::error::Error;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

const PLAIN: usize = 10_000;
const ENCRYPTED: usize = 3_000;
/// Until sockets are closed and memory is given back.
const SETTLE: Duration = Duration::from_secs(3);
/// CLIENT_SSL
const SSL: u32 = 1 << 11;

type Encrypted = rustls::StreamOwned<rustls::ClientConnection, TcpStream>;

fn encrypted(port: u16, config: &Arc<rustls::ClientConfig>) -> Result<Client<Encrypted>, Failed> {
    let mut plain = Client::connect(port)?;
    let greeting = plain.packets(1)?;
    let mut request = (CAPABILITIES | SSL).to_le_bytes().to_vec();
    request.extend_from_slice(&(1_u32 << 24).to_le_bytes());
    request.push(45);
    request.extend_from_slice(&[0; 23]);
    plain.send(1, &request)?;
    let name = ServerName::try_from("localhost")?;
    let connection = rustls::ClientConnection::new(Arc::clone(config), name)?;
    let mut client = Client::over(rustls::StreamOwned::new(connection, plain.into_stream()));
    client.answer_greeting(&greeting, 2, CAPABILITIES | SSL)?;
    Ok(client)
}

/// Opens so many, prints what each costs, and what is left when they are gone.
fn measure<T>(
    chain: &Chain,
    name: &str,
    count: usize,
    open: impl Fn() -> Result<T, Failed>,
) -> Result<(), Box<dyn Error>> {
    // The first makes what all share.
    drop(open().map_err(|e| e.to_string())?);
    std::thread::sleep(SETTLE);
    let before = chain.shim_memory()?.0;
    let all = (0..count).map(|_| open()).collect::<Result<Vec<T>, Failed>>().map_err(|e| e.to_string())?;
    std::thread::sleep(SETTLE);
    let with = chain.shim_memory()?.0;
    drop(all);
    std::thread::sleep(SETTLE);
    let after = chain.shim_memory()?.0;
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let each = with.saturating_sub(before) as f64 / count as f64;
    println!(
        "{count} idle connections, {name}: {each:.1} KiB each ({before} KiB before, {with} KiB with them, {after} KiB after)"
    );
    Ok(())
}

pub fn run() -> Result<(), Box<dyn Error>> {
    let recording =
        std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/mysql-9.7/binlog.000003");
    let door = Door::make()?;
    let settings = format!(
        "limits:\n  max_connections: {}\ntls:\n  mode: offered\n  cert_file: {}\n  key_file: {}\n",
        PLAIN + 100,
        door.path("cert.pem").display(),
        door.path("key.pem").display()
    );
    // Each kind at a shim of its own: what one leaves behind would serve the other.
    let start = || Chain::start_for(std::slice::from_ref(&recording), &settings);
    let chain = start()?;
    let port = chain.shim_port;
    measure(&chain, "plain", PLAIN, || {
        let mut client = Client::login(port)?;
        client.send(0, b"\x03SELECT 1")?;
        client.packets(4)?;
        Ok(client)
    })?;
    drop(chain);
    let chain = start()?;
    let port = chain.shim_port;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_slice(door.ca_pem.as_bytes())?)?;
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let config = Arc::new(config);
    measure(&chain, "TLS", ENCRYPTED, || {
        let mut client = encrypted(port, &config)?;
        client.send(0, b"\x03SELECT 1")?;
        client.packets(4)?;
        Ok(client)
    })
}
