//! Passwords and encryption of a captured server.

use super::harness::{Captured, logs, mariadb, sql, url};
use dbtrail_history::source::{SourceConfig, Tls};

#[tokio::test]
async fn passwords_and_encryption() {
    let maria = mariadb().await;
    let plugin = if maria { "IDENTIFIED BY" } else { "IDENTIFIED WITH caching_sha2_password BY" };
    let grant = if maria { "BINLOG MONITOR, PROCESS" } else { "REPLICATION CLIENT" };
    sql(&[
        "DROP USER IF EXISTS capturer@'%'",
        &format!("CREATE USER capturer@'%' {plugin} 'p@ss'"),
        &format!("GRANT SELECT, REPLICATION SLAVE, {grant} ON *.* TO capturer@'%'"),
    ])
    .await;
    let address = url().replace("root@", "capturer:p%40ss@");
    // MySQL makes itself a certificate at its first start, and an authority for it.
    let ca = format!("?ssl-mode=verify-ca&ssl-ca={}", logs().join("ca.pem").display());
    let modes = if maria { &[""][..] } else { &["", "", "?ssl-mode=required", ca.as_str()] };
    for mode in modes {
        let config = SourceConfig::from_url(&format!("{address}{mode}")).unwrap();
        let mut captured = Captured::new(config, None);
        captured.started().await;
        captured.until(|c| c.connection == [Ok(())]).await;
        captured.stop().await;
    }
    let mut config = SourceConfig::from_url(&address.replace("p%40ss", "wrong")).unwrap();
    let mut captured = Captured::new(config.clone(), None);
    captured.until(|c| !c.connection.is_empty()).await;
    assert!(
        captured.connection[0].as_ref().unwrap_err().contains("Access denied"),
        "{:?}",
        captured.connection
    );
    captured.stop().await;
    if maria {
        config.tls = Tls::Encrypted;
        let mut captured = Captured::new(config, None);
        captured.until(|c| !c.connection.is_empty()).await;
        assert!(captured.connection[0].as_ref().unwrap_err().contains("offers no encryption"));
        captured.stop().await;
    }
}
