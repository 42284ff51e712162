//! Asks the server who may write the number of another session into the log, and what they did.

use super::super::client::{ClientError, text};
use super::super::session::Session;
use super::conduct::{Conduct, ConductEvidence, ListedSessions};
use std::collections::BTreeSet;
use tokio::time::Instant;

/// Accounts with a right that `SET pseudo_thread_id` takes, on one server or the other.
const ENTITLED: &str = "SELECT DISTINCT GRANTEE FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE IN \
     ('SUPER', 'BINLOG REPLAY', 'SESSION_VARIABLES_ADMIN', 'SYSTEM_VARIABLES_ADMIN', 'REPLICATION_APPLIER')";
/// Fails where the account may not see the rights of others.
const MAY_LOOK: &str = "SELECT COUNT(*) FROM mysql.user";
/// Who has the rights of whom: of a role, of a user whose proxy it is.
const EDGES_MYSQL: [&str; 2] =
    ["SELECT FROM_USER, TO_USER FROM mysql.role_edges", "SELECT Proxied_user, User FROM mysql.proxies_priv"];
const EDGES_MARIADB: [&str; 2] =
    ["SELECT Role, User FROM mysql.roles_mapping", "SELECT Proxied_user, User FROM mysql.proxies_priv"];
/// Roles of MariaDB with any right on everything: which one is in bits.
const ROLES_MARIADB: &str =
    "SELECT User FROM mysql.global_priv WHERE Host = '' AND JSON_VALUE(Priv, '$.access') > 0";
/// The role that everybody has.
const PUBLIC: &str = "PUBLIC";
/// 0: statements of all sessions are counted.
const UNCOUNTED: &str = "SELECT (SELECT 7 - COUNT(*) FROM performance_schema.setup_instruments WHERE ENABLED = 'YES' AND NAME IN \
     ('statement/abstract/Query', 'statement/abstract/new_packet', 'statement/sql/set_option', 'statement/sql/execute_sql', \
     'statement/sql/call_procedure', 'statement/com/Execute', 'statement/sp/stmt')) \
     + (SELECT 2 - COUNT(*) FROM performance_schema.setup_consumers WHERE NAME IN ('global_instrumentation', 'thread_instrumentation') AND ENABLED = 'YES') \
     + (SELECT ABS(COUNT(*) - 1) FROM performance_schema.setup_actors WHERE USER = '%' AND HOST = '%' AND ENABLED = 'YES') \
     + (SELECT COUNT(*) FROM performance_schema.setup_actors WHERE ENABLED <> 'YES') \
     + (SELECT COUNT(*) FROM performance_schema.threads WHERE TYPE = 'FOREGROUND' AND INSTRUMENTED <> 'YES')";
/// SET, and what can hold one.
const STATEMENTS: &str = "SELECT COALESCE(SUM(COUNT_STAR), 0) FROM performance_schema.events_statements_summary_by_user_by_event_name \
     WHERE EVENT_NAME IN ('statement/sql/set_option', 'statement/sql/execute_sql', 'statement/sql/call_procedure', 'statement/com/Execute', \
     'statement/sp/stmt')";
const PRETENDING: &str = "SELECT COUNT(*) FROM performance_schema.threads t JOIN performance_schema.variables_by_thread v ON v.THREAD_ID = t.THREAD_ID \
     WHERE v.VARIABLE_NAME = 'pseudo_thread_id' AND t.PROCESSLIST_ID IS NOT NULL AND v.VARIABLE_VALUE <> t.PROCESSLIST_ID";
/// NULL: the server does not count.
const LOGINS: &str = "SELECT IF(@@performance_schema AND EXISTS (SELECT * FROM performance_schema.threads WHERE PROCESSLIST_ID = CONNECTION_ID()), \
     (SELECT SUM(TOTAL_CONNECTIONS) FROM performance_schema.users WHERE TRUE";
/// ER_NO_SUCH_TABLE, ER_UNKNOWN_SYSTEM_VARIABLE: an older server.
const OLDER: [u16; 2] = [1146, 1193];

/// Of the server's status, what tells about them.
#[derive(Clone, Copy, Debug)]
pub(super) struct RightsStatus {
    /// How many statements so far changed who may do what.
    pub(super) changes: u64,
    /// Users that performance_schema had no room for.
    pub(super) lost: u64,
}

/// Who may.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pretenders {
    Everybody,
    These(BTreeSet<String>),
}

impl Pretenders {
    fn has(&self, user: &str) -> bool {
        match self {
            Self::Everybody => true,
            Self::These(users) => users.contains(user),
        }
    }

    /// A condition on a column of users.
    fn condition(&self, column: &str) -> String {
        match self {
            Self::Everybody => String::new(),
            Self::These(users) => {
                let names = users.iter().map(|user| format!(", _utf8mb4 x'{}'", hex::encode(user)));
                format!(" AND {column} IN (''{})", names.collect::<String>())
            }
        }
    }
}

/// What is known of them.
#[derive(Debug, Default)]
pub(super) struct PretenderWatch {
    /// Who they are, since so many changes of rights.
    known: Option<(u64, Pretenders)>,
    /// None pretended when there had been so many changes of rights and statements of theirs.
    honest: Option<(u64, u64)>,
}

impl PretenderWatch {
    /// What they did up to now; `None`: the server does not say.
    ///
    /// # Errors
    /// The connection is of no more use.
    pub(super) async fn conduct(
        &mut self,
        session: &mut Session,
        status: RightsStatus,
        own: &[u32],
    ) -> Result<Option<Conduct>, ClientError> {
        match self.asked(session, status, own).await {
            Err(error) if error.is_of_statement() => Ok(None),
            asked => asked,
        }
    }

    async fn asked(
        &mut self,
        session: &mut Session,
        status: RightsStatus,
        own: &[u32],
    ) -> Result<Option<Conduct>, ClientError> {
        let rights = status.changes;
        let pretenders = match self.known.take() {
            Some((since, pretenders)) if since == rights => pretenders,
            _ => pretenders(session).await?,
        };
        let evidence = if !session.facts.mariadb() && status.lost == 0 && is_zero(session, UNCOUNTED).await? {
            self.counted(session, rights, &pretenders).await?.map(ConductEvidence::Counted)
        } else {
            listed(session, &pretenders, own, status.lost == 0).await?.map(ConductEvidence::Listed)
        };
        self.known = Some((rights, pretenders));
        Ok(evidence.map(|evidence| Conduct { rights, evidence }))
    }

    /// Their statements; `None`: one of them pretends.
    async fn counted(
        &mut self,
        session: &mut Session,
        rights: u64,
        pretenders: &Pretenders,
    ) -> Result<Option<u64>, ClientError> {
        let sql = format!("{STATEMENTS}{}", pretenders.condition("USER"));
        let Some(statements) = number(session, &sql).await? else { return Ok(None) };
        if self.honest != Some((rights, statements)) {
            if !is_zero(session, PRETENDING).await? {
                return Ok(None);
            }
            self.honest = Some((rights, statements));
        }
        Ok(Some(statements))
    }
}

async fn number(session: &mut Session, sql: &str) -> Result<Option<u64>, ClientError> {
    Ok(session.client.one(sql).await?.and_then(|n| n.parse().ok()))
}

async fn is_zero(session: &mut Session, sql: &str) -> Result<bool, ClientError> {
    match number(session, sql).await {
        Err(error) if error.is_of_statement() => Ok(false),
        number => Ok(number? == Some(0)),
    }
}

/// The first cells of each row of a statement; none where the server is too old for it.
async fn names(session: &mut Session, sql: &str) -> Result<Vec<(String, String)>, ClientError> {
    let rows = match session.client.query(sql).await {
        Err(error) if error.code().is_some_and(|code| OLDER.contains(&code)) => Vec::new(),
        rows => rows?,
    };
    let rows = rows.into_iter().map(|row| {
        let mut cells = row.into_iter().map(|cell| text(cell).unwrap_or_default());
        (cells.next().unwrap_or_default(), cells.next().unwrap_or_default())
    });
    Ok(rows.collect())
}

async fn pretenders(session: &mut Session) -> Result<Pretenders, ClientError> {
    session.client.one(MAY_LOOK).await?;
    let mariadb = session.facts.mariadb();
    let entitled = names(session, ENTITLED).await?;
    let mut users: BTreeSet<String> = entitled.iter().filter_map(|(grantee, _)| user_of(grantee)).collect();
    if mariadb {
        users.extend(names(session, ROLES_MARIADB).await?.into_iter().map(|(role, _)| role));
    }
    let mut edges = Vec::new();
    for sql in if mariadb { EDGES_MARIADB } else { EDGES_MYSQL } {
        edges.extend(names(session, sql).await?);
    }
    let mandatory = match names(session, "SELECT @@GLOBAL.mandatory_roles, ''").await?.into_iter().next() {
        Some((roles, _)) if !mariadb => roles,
        Some(_) | None => String::new(),
    };
    Ok(all_of(users, &edges, &mandatory))
}

/// With those to whom the rights of these have been granted, directly or not.
fn all_of(mut users: BTreeSet<String>, edges: &[(String, String)], mandatory: &str) -> Pretenders {
    loop {
        let before = users.len();
        let granted = edges.iter().filter(|(from, _)| users.contains(from)).map(|(_, to)| to.clone());
        let granted: Vec<String> = granted.collect();
        users.extend(granted);
        if users.len() == before {
            break;
        }
    }
    // An account without a name is that of any name; a role of all makes each of them one.
    let of_all = |user: &String| user.is_empty() || user == PUBLIC || mandatory.contains(user.as_str());
    if users.iter().any(of_all) { Pretenders::Everybody } else { Pretenders::These(users) }
}

/// `'user'@'host'`
fn user_of(grantee: &str) -> Option<String> {
    let (user, _) = grantee.rsplit_once('@')?;
    Some(user.strip_prefix('\'')?.strip_suffix('\'')?.to_owned())
}

/// Their sessions, but those of the agent.
async fn listed(
    session: &mut Session,
    pretenders: &Pretenders,
    own: &[u32],
    room: bool,
) -> Result<Option<ListedSessions>, ClientError> {
    let since = Instant::now();
    let Some(connections) = connections(session).await? else { return Ok(None) };
    let logins = match pretenders {
        Pretenders::These(_) if room => {
            let sql = format!("{LOGINS}{}), NULL)", pretenders.condition("USER"));
            match number(session, &sql).await {
                Err(error) if error.is_of_statement() => None,
                logins => logins?,
            }
        }
        Pretenders::These(_) | Pretenders::Everybody => None,
    };
    // MariaDB makes a temporary table on its disk of information_schema.PROCESSLIST.
    let mariadb = session.facts.mariadb();
    let mut found = ListedSessions::new(connections, logins, since);
    for row in session.client.query("SHOW PROCESSLIST").await? {
        let cells: Vec<Option<String>> = row.into_iter().map(text).collect();
        let [Some(id), user, _, _, command, seconds, ..] = cells.as_slice() else { return Ok(None) };
        let Ok(id) = id.parse() else { return Ok(None) };
        found.all.insert(id);
        if pretenders.has(user.as_deref().unwrap_or_default()) && !own.contains(&id) {
            let rests = ["Sleep", "Daemon", "Binlog Dump"].contains(&command.as_deref().unwrap_or_default());
            // MySQL counts from a time that the session can set.
            let seconds = seconds.as_ref().filter(|_| rests && mariadb).and_then(|n| n.parse().ok());
            found.suspects.insert(id, seconds);
        }
    }
    found.until = Instant::now();
    // Whoever connected meanwhile is in the list, or is not.
    let still = self::connections(session).await?;
    Ok((still == Some(connections)).then_some(found))
}

async fn connections(session: &mut Session) -> Result<Option<u64>, ClientError> {
    let row = session.client.texts("SHOW GLOBAL STATUS LIKE 'Connections'").await?.unwrap_or_default();
    Ok(row.into_iter().nth(1).flatten().and_then(|n| n.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_had_through_roles_and_proxies() {
        let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<String>>();
        let edges: Vec<(String, String)> =
            [("admin", "deputy"), ("deputy", "dba"), ("reader", "app"), ("", "x")]
                .map(|(from, to)| (from.to_owned(), to.to_owned()))
                .to_vec();
        let these = |names: &[&str]| Pretenders::These(set(names));
        assert_eq!(all_of(set(&["root"]), &edges, ""), these(&["root"]));
        assert_eq!(
            all_of(set(&["root", "admin"]), &edges, "`reader`@`%`"),
            these(&["root", "admin", "deputy", "dba"])
        );
        for (users, mandatory) in [(set(&["admin"]), "dba,reader"), (set(&[""]), ""), (set(&["PUBLIC"]), "")]
        {
            assert_eq!(all_of(users, &edges, mandatory), Pretenders::Everybody);
        }
        assert_eq!(user_of("'o'n@e'@'%'").as_deref(), Some("o'n@e"));
        assert_eq!(user_of("''@'localhost'").as_deref(), Some(""));
        assert_eq!(these(&["a'"]).condition("USER"), " AND USER IN ('', _utf8mb4 x'6127')");
    }
}
