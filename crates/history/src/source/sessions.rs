//! Looks at the server's list of sessions, so that the numbers of connections in the log get names.

mod conduct;
mod evidence;
mod pretenders;

use super::Ended;
use super::client::{ClientError, text};
use super::facts::Facts;
use super::own_connections::OwnConnection;
use super::session::Session;
use super::task::SourceTask;
use crate::capture::{CaptureEvent, SessionInfo, SessionsLook, ValidFrom};
use dbtrail_types::timestamp::Timestamp;
use evidence::{AdminCount, Evidence, Listed, Look};
use pretenders::{PretenderWatch, RightsStatus};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Between two looks, however many are asked for.
const SPACING: Duration = Duration::from_millis(300);
/// How long after the last look there is one without being asked for: where each connection counts
/// its users, and where only the server does, whose count moves with each ping.
const EVERY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(2));
/// After a failure.
const PAUSE: Duration = Duration::from_secs(5);

/// Each connection, and how often it has become another user. The command is read before the user,
/// the program and the count as well as after: a change that is going on is not counted yet. Each
/// inner question is asked for the row that was read before it.
const COUNTED: &str = "SELECT t.PROCESSLIST_ID, t.PROCESSLIST_USER, t.PROCESSLIST_HOST, t.PROCESSLIST_COMMAND, t.INSTRUMENTED, \
     (SELECT a.ATTR_VALUE FROM performance_schema.session_connect_attrs a WHERE a.PROCESSLIST_ID = t.PROCESSLIST_ID AND a.ATTR_NAME = 'program_name'), \
     (SELECT x.PROCESSLIST_COMMAND FROM performance_schema.threads x WHERE x.THREAD_ID = t.THREAD_ID), \
     (SELECT e.COUNT_STAR FROM performance_schema.events_statements_summary_by_thread_by_event_name e \
      WHERE e.THREAD_ID = t.THREAD_ID AND e.EVENT_NAME = 'statement/com/Change user') \
     FROM performance_schema.threads t WHERE t.TYPE = 'FOREGROUND' AND t.PROCESSLIST_ID IS NOT NULL";
/// 3: connections count.
const COUNTS: &str = "SELECT (SELECT COUNT(*) FROM performance_schema.setup_instruments WHERE NAME = 'statement/com/Change user' AND ENABLED = 'YES') \
     + (SELECT COUNT(*) FROM performance_schema.setup_consumers WHERE NAME IN ('global_instrumentation', 'thread_instrumentation') AND ENABLED = 'YES')";

/// A connection for looks, and what they have shown.
struct Looker {
    session: Session,
    _known: OwnConnection,
    evidence: Evidence,
    pretenders: PretenderWatch,
    /// Whether connections counted at the last look.
    counts: bool,
}

/// Looks, for as long as the log is followed.
pub(super) async fn serve(reader: &SourceTask<'_>, facts: &Facts) -> Ended {
    if !reader.config.connections {
        return std::future::pending().await;
    }
    let mut looker = None;
    loop {
        match look(reader, facts, &mut looker).await {
            Ok(look) => {
                if reader.writer.send(CaptureEvent::Sessions(look)).await.is_err() {
                    return Ended::Closed;
                }
            }
            Err(error) => {
                tracing::warn!("who is connected cannot be read, trying again: {error}");
                looker = None;
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        }
        let looked = Instant::now();
        tokio::time::sleep(SPACING).await;
        let counts = looker.as_ref().is_some_and(|looker: &Looker| looker.counts);
        let every = if counts { EVERY.0 } else { EVERY.1 };
        // Late is no failure.
        let _ = tokio::time::timeout_at(looked + every, reader.command_queue.sessions()).await;
    }
}

async fn look(
    reader: &SourceTask<'_>,
    facts: &Facts,
    looker: &mut Option<Looker>,
) -> Result<ValidFrom<SessionsLook>, ClientError> {
    let looker = if let Some(open) = looker {
        open
    } else {
        let session = Session::open_same(&reader.config, facts).await?;
        let known = reader.own.know(session.client.id());
        let (evidence, pretenders) = (Evidence::default(), PretenderWatch::default());
        looker.insert(Looker { session, _known: known, evidence, pretenders, counts: false })
    };
    let Looker { session, pretenders, .. } = looker;
    let own = reader.own.ids();
    let before = status(session).await?;
    let conduct_before = pretenders.conduct(session, before.rights, &own).await?;
    let end = session.log_end().await?;
    let counts = counts(session).await?;
    let list = if counts { counted(session).await? } else { listed(session).await? };
    let after = status(session).await?;
    let conduct_after = pretenders.conduct(session, after.rights, &own).await?;
    looker.counts = counts;
    let sessions = looker.evidence.take(Look {
        counts: (before.admin, after.admin),
        conduct: conduct_before.zip(conduct_after),
        end: end.clone(),
        list,
    });
    Ok(ValidFrom { after: end, what: SessionsLook { at: Timestamp::now(), sessions } })
}

/// What the server has counted.
struct Counted {
    /// `None`: it does not say.
    admin: Option<AdminCount>,
    rights: RightsStatus,
}

/// Statements by which somebody may do more or less than before.
const RIGHTS: [&str; 16] = [
    "com_alter_user",
    "com_alter_user_default_role",
    "com_create_role",
    "com_create_user",
    "com_drop_role",
    "com_drop_user",
    "com_flush",
    "com_grant",
    "com_grant_role",
    "com_grant_roles",
    "com_rename_user",
    "com_reset",
    "com_revoke",
    "com_revoke_all",
    "com_revoke_role",
    "com_revoke_roles",
];

async fn status(session: &mut Session) -> Result<Counted, ClientError> {
    let mut status = BTreeMap::new();
    // All of it at once: three questions with patterns cost the server more.
    for row in session.client.query("SHOW GLOBAL STATUS").await? {
        let mut cells = row.into_iter().map(text);
        let (Some(Some(name)), Some(Some(value))) = (cells.next(), cells.next()) else { continue };
        status.extend(value.parse::<u64>().ok().map(|value| (name.to_ascii_lowercase(), value)));
    }
    let of = |name: &str| status.get(name).copied();
    let flushed = of("uptime").zip(of("uptime_since_flush_status"));
    let admin = of("com_admin_commands").zip(flushed);
    Ok(Counted {
        admin: admin
            .map(|(commands, (uptime, since))| AdminCount { commands, flushed: uptime.wrapping_sub(since) }),
        rights: RightsStatus {
            changes: RIGHTS.iter().filter_map(|name| of(name)).fold(0, u64::wrapping_add),
            lost: of("performance_schema_users_lost").unwrap_or(0),
        },
    })
}

/// Whether each connection counts how often it becomes another user.
async fn counts(session: &mut Session) -> Result<bool, ClientError> {
    match session.client.one(COUNTS).await {
        Ok(number) => Ok(number.as_deref() == Some("3")),
        // The account may not look there.
        Err(error) if error.is_of_statement() => Ok(false),
        Err(error) => Err(error),
    }
}

async fn counted(session: &mut Session) -> Result<Vec<Listed>, ClientError> {
    let rows = match session.client.query(COUNTED).await {
        Err(error) if error.is_of_statement() => return listed(session).await,
        rows => rows?,
    };
    let rows = rows.into_iter().filter_map(|row| {
        let cells: Vec<Option<String>> = row.into_iter().map(text).collect();
        let [id, user, host, before, instrumented, program, after, changes] =
            <[_; 8]>::try_from(cells).ok()?;
        let settled = is_settled(before.as_deref()) && is_settled(after.as_deref());
        let info = user.filter(|_| settled).map(|user| SessionInfo { user, host, program });
        let changes = changes.filter(|_| instrumented.as_deref() == Some("YES"));
        Some(Listed { id: id?.parse().ok()?, info, changes: changes.and_then(|n| n.parse().ok()) })
    });
    Ok(rows.collect())
}

async fn listed(session: &mut Session) -> Result<Vec<Listed>, ClientError> {
    let rows = session.client.query("SHOW PROCESSLIST").await?;
    Ok(rows.into_iter().filter_map(|row| process(row.into_iter().map(text))).collect())
}

/// A line of SHOW PROCESSLIST: Id, User, Host, db, Command, and what follows.
fn process(mut cells: impl Iterator<Item = Option<String>>) -> Option<Listed> {
    let id = cells.next()??.parse().ok()?;
    let (user, host) = (cells.next()?, cells.next()?);
    let command = cells.nth(1)?;
    let nobody = ["unauthenticated user", "system user", "event_scheduler"];
    let somebody = |user: &String| !nobody.iter().any(|name| user.eq_ignore_ascii_case(name));
    let user = user.filter(somebody).filter(|_| is_settled(command.as_deref()));
    let host = host.map(|host| match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name.to_owned(),
        Some(_) | None => host,
    });
    let host = host.filter(|host| !host.is_empty());
    Some(Listed { id, info: user.map(|user| SessionInfo { user, host, program: None }), changes: None })
}

/// Whether a connection that runs this neither logs in nor becomes another user.
fn is_settled(command: Option<&str>) -> bool {
    command
        .is_some_and(|command| !["change user", "connect"].contains(&command.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as MariaDB 11.8 writes them.
    #[test]
    fn lines_of_the_list_of_processes() {
        let of = |text: &str| {
            let listed = process(text.split('|').map(|c| (c != "NULL").then(|| c.to_owned()))).unwrap();
            listed.info.map(|info| (listed.id, info.user, info.host))
        };
        let is = |id, user: &str, host: &str| Some((id, user.to_owned(), Some(host.to_owned())));
        assert_eq!(of("8|root|localhost:44864|NULL|Sleep|0||NULL|0.000"), is(8, "root", "localhost"));
        assert_eq!(of("8|app|fe80::1:44864|shop|Query|0||NULL|0.000"), is(8, "app", "fe80::1"));
        assert_eq!(of("8|app|localhost|shop|Query|0||NULL|0.000"), is(8, "app", "localhost"));
        assert_eq!(of("8|app|localhost:1|shop|Change user|0||NULL|0.000"), None);
        assert_eq!(of("9|unauthenticated user|h:1|NULL|Connect|NULL|login|NULL|0.000"), None);
        assert_eq!(of("3|system user||NULL|Slave_SQL|999|x|NULL|0.000"), None);
    }
}
