//! Whether the server is a replica: it applies transactions of another, or is only stopped in doing
//! so.

use super::client::ClientError;
use super::session::Session;

/// ER_SPECIFIC_ACCESS_DENIED_ERROR.
const DENIED: u16 = 1227;

/// Whether a source is set up on it, running or not. Where the account may not ask (MariaDB wants
/// SLAVE MONITOR), the log decides: whether the last transaction of a domain is one that was
/// applied.
pub(super) async fn is_one(session: &mut Session) -> Result<bool, ClientError> {
    let sql = if session.facts.mariadb() {
        "SHOW ALL SLAVES STATUS"
    } else if session.facts.number >= (8, 0, 22) {
        "SHOW REPLICA STATUS"
    } else {
        "SHOW SLAVE STATUS"
    };
    match session.client.query(sql).await {
        Ok(rows) => Ok(!rows.is_empty()),
        Err(error) if error.code() == Some(DENIED) && session.facts.mariadb() => {
            let row =
                session.client.texts("SELECT @@GLOBAL.gtid_slave_pos, @@GLOBAL.gtid_binlog_pos").await?;
            let mut cells = row.unwrap_or_default().into_iter().map(Option::unwrap_or_default);
            Ok(ends_applied(&cells.next().unwrap_or_default(), &cells.next().unwrap_or_default()))
        }
        Err(error) if error.code() == Some(DENIED) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether some domain of the log ends with what was applied last.
fn ends_applied(applied: &str, logged: &str) -> bool {
    let ids = |text: &'_ str| -> Vec<String> {
        text.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect()
    };
    let logged = ids(logged);
    ids(applied).iter().any(|id| logged.contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_a_server_that_writes_itself_is_no_replica() {
        for (applied, logged, want) in [
            ("", "0-1-9", false),
            ("0-1-9", "0-1-9", true),
            ("0-1-9", "0-2-10", false),
            ("0-1-9,5-7-3", "0-2-10, 5-7-3", true),
            ("0-1-9", "", false),
        ] {
            assert_eq!(ends_applied(applied, logged), want, "{applied} {logged}");
        }
    }
}
