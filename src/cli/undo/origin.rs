//! Where the statements come from: an agent, or a shim by way of `_undo`.

use super::super::files::secret_in;
use super::{UndoArgs, message_of, written};
use crate::agent_client::{AgentClient, Caller};
use crate::failure::Failure;
use crate::undo::literal::name;
use crate::undo::script::Part;
use crate::undo::steps::StepwiseUndo;
use crate::undo::{MOST, Undone};
use crate::{agent_client, undo};
use dbtrail_history::history_handle::Status;
use dbtrail_types::agent_api::{NetRequest, Span, code};
use dbtrail_types::names::{RequestId, ServerId, TableName};
use dbtrail_types::secret::Secret;
use mysql_async::prelude::Queryable;
use std::io::Write;
use std::path::Path;

/// Where the password of a shim may be instead of in its URL.
const PASSWORD: &str = "DBTRAIL_SHIM_PASSWORD";

pub(super) async fn of_agent(
    args: &UndoArgs,
    url: &str,
    tables: &[TableName],
    span: &Span,
) -> Result<(Vec<Part>, Vec<String>, Option<StepwiseUndo>), String> {
    let (client, caller) = reached(url, args.token_file.as_deref(), args.ca.as_deref())?;
    let request = RequestId::next(0);
    let server_id = server_of(&client, &caller, args.server_id.as_deref(), &request).await?;
    let of = |table: &TableName| NetRequest {
        steps: args.steps,
        ..NetRequest::all(server_id.clone(), table.clone(), span.clone())
    };
    let asked: Vec<NetRequest> = tables.iter().map(of).collect();
    let made = written::write(&client, &caller, &asked, MOST, &request).await;
    let made = made.map_err(|e| refused(url, &e))?;
    for why in &made.unknown {
        let _ = writeln!(
            std::io::stderr(),
            "whether rows of today are in the way is not known, and the file fails where they are: {why}"
        );
    }
    Ok((made.parts, made.incomplete, made.steps))
}

/// A client of an agent, and who asks.
pub(in crate::cli) fn reached(
    url: &str,
    token_file: Option<&Path>,
    ca: Option<&Path>,
) -> Result<(AgentClient, Caller), String> {
    let token = match token_file {
        None => None,
        Some(path) => {
            let text = secret_in(path)?;
            let mut lines =
                text.expose().lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
            let first = lines.next().ok_or_else(|| format!("{} holds no token", path.display()))?;
            Some(Secret::new(first.to_owned()))
        }
    };
    let read = |path: &Path| std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()));
    let ca_pem = ca.map(read).transpose()?;
    let settings = agent_client::AgentSettings { base_url: url.to_owned(), ca_pem, identity_pem: None };
    let client =
        AgentClient::new(&settings).map_err(|e| e.to_string().replace("agent_tls.ca_file", "--ca"))?;
    Ok((client, Caller { tenant: String::new(), token }))
}

/// The server whose history is meant: the one that was named, or that of the agent.
pub(in crate::cli) async fn server_of(
    client: &AgentClient,
    caller: &Caller,
    named: Option<&str>,
    request: &RequestId,
) -> Result<ServerId, String> {
    if let Some(named) = named {
        return Ok(ServerId(named.to_owned()));
    }
    let status: Result<Status, Failure> = client.status(caller, None, request).await;
    status.map(|status| status.server_id).map_err(|e| refused(client.base_url(), &e))
}

/// Why an agent does not answer.
pub(in crate::cli) fn refused(url: &str, failure: &Failure) -> String {
    if let Failure::AgentRejected { status: 401, .. } = failure {
        return format!("{url} wants one of its tokens: --token-file FILE");
    }
    if let Failure::AgentRejected { word, .. } = failure
        && word == code::MISSING_SERVER_ID
    {
        return format!("{}: --server-id ID", message_of(failure));
    }
    message_of(failure)
}

pub(super) async fn of_shim(
    url: &str,
    tables: &[TableName],
    span: &Span,
) -> Result<(Vec<Part>, Vec<String>), String> {
    let options = mysql_async::Opts::from_url(url).map_err(|e| format!("--shim: {e}"))?;
    let mut options = mysql_async::OptsBuilder::from_opts(options).prefer_socket(false);
    if let Ok(password) = std::env::var(PASSWORD) {
        options = options.pass(Some(password));
    }
    let failed = |e: mysql_async::Error| format!("the shim: {e}");
    let mut conn = mysql_async::Conn::new(options).await.map_err(failed)?;
    conn.query_drop("SET NAMES utf8mb4").await.map_err(failed)?;
    // What refers to a row of one of them is no obstacle where it is taken back as well.
    let together: Vec<String> = tables.iter().map(ToString::to_string).collect();
    if !together.iter().any(|name| name.contains([',', '\'', '\\', '`'])) {
        let set = format!("SET @dbtrail_undo_tables = '{}'", together.join(","));
        conn.query_drop(set).await.map_err(failed)?;
    }
    let (mut parts, mut incomplete) = (Vec::new(), Vec::new());
    let clause = match span {
        Span::Window { since, until } => format!("BETWEEN '{since}' AND '{until}'"),
        Span::Transaction(gtid) => format!("AT GTID '{}'", gtid.replace(['\'', '\\'], "")),
    };
    for table in tables {
        let statement = format!(
            "SELECT /*+ SET_VAR(dbtrail_allow_wide_diff=ON) */ statement, conflict FROM _undo.{}.{} {clause}",
            name(&table.schema),
            name(&table.table)
        );
        let rows: Vec<mysql_async::Row> = conn.query(statement).await.map_err(failed)?;
        let mut undone = Undone::default();
        for row in rows {
            let mut cells = row.unwrap().into_iter().map(|value| match value {
                mysql_async::Value::Bytes(bytes) => String::from_utf8(bytes).ok(),
                _ => None,
            });
            match (cells.next().flatten(), cells.next().flatten()) {
                // What comes before the first INSERT has an order of its own.
                (Some(sql), _) if undone.inserts.is_empty() && undo::script::kind(&sql) != "INSERT" => {
                    undone.deletes.push(sql);
                }
                (Some(sql), _) => undone.inserts.push(sql),
                (None, Some(why)) => match why.strip_prefix("NOT COMPLETE: ") {
                    Some(why) => incomplete.push(why.to_owned()),
                    None => undone.conflicts.push(why),
                },
                (None, None) => return Err("the shim sent a row that is empty".to_owned()),
            }
        }
        parts.push(Part { name: table.clone(), newest: None, references: None, undone });
    }
    conn.disconnect().await.map_err(failed)?;
    Ok((parts, incomplete))
}
