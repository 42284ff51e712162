//! `dump`: a table as it was at an instant.

use super::private_file;
use super::serve::fail;
use super::undo::{message_of, reached, refused, server_of, table};
use crate::agent_client::Batch;
use crate::plan;
use crate::undo::dump::{Dump, Format};
use clap::{ArgGroup, Args, ValueEnum};
use dbtrail_types::agent_api::{KeyChoice, KeyScan, Keys, RowsRequest};
use dbtrail_types::names::{RequestId, TableName};
use dbtrail_types::timestamp::{AsOf, Timestamp};
use dbtrail_types::zone::Zone;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The forms of a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// CREATE TABLE and INSERT.
    Sql,
    /// A line of names, then a line a row; NULL is \N, bytes are 0x...
    Csv,
    /// A JSON object a row.
    Ndjson,
}

/// Arguments of `dump`.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("when").args(["as_of", "at_gtid"]).required(true)))]
pub struct DumpArgs {
    /// The address of an agent: https://host:8600.
    #[arg(long, value_name = "URL")]
    agent: String,
    /// File with a token of that agent; the first one in it is used.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// PEM file of the authorities to trust for that agent; default: those of the platform.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The server whose history is meant, where the agent has several.
    #[arg(long, value_name = "ID")]
    server_id: Option<String>,
    /// The table: schema.table.
    #[arg(long, value_name = "SCHEMA.TABLE")]
    table: String,
    /// The instant.
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<String>,
    /// The state just after a transaction.
    #[arg(long, value_name = "GTID")]
    at_gtid: Option<String>,
    /// The time zone of the instant.
    #[arg(long, value_name = "ZONE", default_value = "UTC", requires = "as_of")]
    time_zone: String,
    /// In which form.
    #[arg(long, value_enum, default_value = "sql")]
    format: Form,
    /// A column to leave out; may be given several times.
    #[arg(long, value_name = "COLUMN")]
    without: Vec<String>,
    /// Where to write; default: standard output. A file is there when it is whole; until then, what
    /// was there before stays.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Asks, and writes.
pub async fn run(args: &DumpArgs) -> ExitCode {
    let done = match &args.output {
        None => dumped(args, &mut BufWriter::new(std::io::stdout())).await,
        Some(path) => to_file(args, path).await,
    };
    match done {
        Ok(rows) => {
            let _ = writeln!(std::io::stderr(), "{rows} rows");
            ExitCode::SUCCESS
        }
        Err(why) => fail(&format!("dump: {why}")),
    }
}

/// Writes a file that takes its place when it is whole: until then, and where it does not become
/// so, what was there before stays. A device or a pipe is written to as it is.
async fn to_file(args: &DumpArgs, path: &Path) -> Result<u64, String> {
    let failed = |e: std::io::Error| format!("{} cannot be written: {e}", path.display());
    let before = std::fs::metadata(path).ok();
    if before.as_ref().is_some_and(|before| !before.is_file()) {
        let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
        return dumped(args, &mut BufWriter::new(file)).await;
    }
    // Behind a link, the file that it leads to.
    let path = if before.is_some() { path.canonicalize().map_err(failed)? } else { path.to_owned() };
    let temporary = private_file::temporary_path(&path).map_err(failed)?;
    let file = OpenOptions::new().write(true).create_new(true).open(&temporary);
    let file = file.map_err(|e| format!("{} cannot be written: {e}", temporary.display()))?;
    let written = async {
        if let Some(before) = before {
            file.set_permissions(before.permissions()).map_err(failed)?;
        }
        let rows = dumped(args, &mut BufWriter::new(&file)).await?;
        file.sync_all().map_err(failed)?;
        std::fs::rename(&temporary, &path).map_err(failed)?;
        Ok(rows)
    };
    let written = written.await;
    if written.is_err() {
        // What is there is not the table.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

async fn dumped(args: &DumpArgs, out: &mut impl Write) -> Result<u64, String> {
    let name: TableName = table(&args.table)?;
    let at = as_of(args)?;
    let url = args.agent.as_str();
    let (client, caller) = reached(url, args.token_file.as_deref(), args.ca.as_deref())?;
    let request = RequestId::next(0);
    let server = &server_of(&client, &caller, args.server_id.as_deref(), &request).await?;
    let definition = client.definition_at(&caller, server, &name, at.clone(), &request).await;
    let definition = definition.map_err(|e| refused(url, &e))?;
    let keys = Keys { columns: definition.primary_key.clone(), choice: KeyChoice::Scan(KeyScan::default()) };
    let asked = RowsRequest {
        server_id: server.clone(),
        schema: name.schema.clone(),
        table: name.table.clone(),
        keys,
        at: at.clone(),
        filter: None,
        limit: None,
    };
    let mut rows = client.snapshot(&caller, &asked, &request).await.map_err(|e| refused(url, &e))?;
    let format = match args.format {
        Form::Sql => Format::Sql,
        Form::Csv => Format::Csv,
        Form::Ndjson => Format::NdJson,
    };
    let definition = rows.announced.clone();
    if let Some(missing) = args.without.iter().find(|w| definition.position(w).is_none()) {
        return Err(format!("--without {missing}: {name} has no such column at that instant"));
    }
    let dump = Dump { name: &name, definition: &definition, without: &args.without, format };
    let when = match &at {
        AsOf::Time(at) => format!("at {at}"),
        AsOf::Gtid(gtid) => format!("just after transaction {}", gtid.replace(char::is_control, " ")),
    };
    let failed = |e: std::io::Error| format!("the output: {e}");
    out.write_all(dump.head(&when).as_bytes()).map_err(failed)?;
    let mut count = 0;
    loop {
        match rows.next().await.map_err(|e| message_of(&e))? {
            Batch::Rows(some) => {
                for row in some.lines() {
                    count += 1;
                    let line = dump.row(&row).map_err(|why| format!("row {count} of {name}: {why}"))?;
                    out.write_all(line.as_bytes()).map_err(failed)?;
                }
            }
            Batch::Events(..) => return Err("the agent sent changes instead of rows".to_owned()),
            Batch::End(_) => break,
        }
    }
    out.write_all(dump.tail(count).as_bytes()).map_err(failed)?;
    out.flush().map_err(failed)?;
    Ok(count)
}

fn as_of(args: &DumpArgs) -> Result<AsOf, String> {
    if let Some(gtid) = &args.at_gtid {
        return Ok(AsOf::Gtid(gtid.clone()));
    }
    let zone = Zone::parse(&args.time_zone)
        .ok_or_else(|| format!("--time-zone {}: no such time zone is known", args.time_zone))?;
    let text = args.as_of.as_deref().ok_or("--as-of INSTANT or --at-gtid GTID is needed")?;
    plan::timestamp(text, &zone, Timestamp::now()).map(AsOf::Time).map_err(|failure| message_of(&failure))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Shell {
        #[command(flatten)]
        args: DumpArgs,
    }

    #[test]
    fn the_command_line_is_read() {
        let parse = |line: &str| Shell::try_parse_from(line.split(' ')).map(|s| s.args);
        let args =
            parse("dump --agent https://a --table a.b --as-of 2026-01-01T00:00:00Z --format csv").unwrap();
        assert_eq!(args.format, Form::Csv);
        assert_eq!(as_of(&args), Ok(AsOf::Time("2026-01-01T00:00:00Z".parse().unwrap())));
        let args = parse("dump --agent https://a --table a.b --at-gtid 0-1-2 --without x").unwrap();
        assert_eq!(as_of(&args), Ok(AsOf::Gtid("0-1-2".to_owned())));
        for bad in [
            "dump --agent https://a --table a.b",
            "dump --table a.b --at-gtid 0-1-2",
            "dump --agent https://a --table a.b --at-gtid 0-1-2 --as-of x",
            "dump --agent https://a --table a.b --as-of x --format xml",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    /// In a container each process has the same number: one that was killed left its file.
    #[tokio::test]
    async fn what_a_killed_process_left_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.sql");
        let left = folder.path().join(format!("t.sql.{}", std::process::id()));
        std::fs::write(&left, "half of a table").unwrap();
        private_file::write(&path, "secret").unwrap();
        // Nobody listens on port 1.
        let line = "dump --agent http://127.0.0.1:1 --server-id s --table a.b --at-gtid 0-1-2";
        let args = Shell::try_parse_from(line.split(' ')).map(|s| s.args).unwrap();
        let why = to_file(&args, &path).await.unwrap_err();
        assert!(why.contains("127.0.0.1:1"), "it was asked: {why}");
        assert_eq!(std::fs::read_to_string(&left).unwrap(), "half of a table");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[tokio::test]
    async fn what_was_there_stays_where_a_table_does_not_come() {
        let folder = std::env::temp_dir().join(format!("dbtrail-dump-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("t.sql");
        std::fs::write(&path, "of yesterday").unwrap();
        // Nobody listens on port 1.
        let line = "dump --agent http://127.0.0.1:1 --server-id s --table a.b --at-gtid 0-1-2";
        let args = Shell::try_parse_from(line.split(' ')).map(|s| s.args).unwrap();
        assert!(to_file(&args, &path).await.is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "of yesterday");
        let other = folder.join("other.sql");
        assert!(to_file(&args, &other).await.is_err());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing but the file of yesterday");
        assert!(to_file(&args, Path::new("/dev/null")).await.is_err());
        assert!(Path::new("/dev/null").exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
