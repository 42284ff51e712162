//! `undo`: a file of SQL that takes back what a window, or one transaction, did to rows. It runs
//! nothing.

#![expect(clippy::wildcard_enum_match_arm, reason = "the text protocol has strings and NULL alone")]

mod origin;
pub(super) mod script;
mod written;

use super::serve::fail;
use crate::failure::Failure;
use crate::plan;
use crate::undo::script::{Frame, script};
use crate::wire::error;
use clap::{ArgGroup, Args};
use dbtrail_types::agent_api::Span;
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use origin::{of_agent, of_shim};
pub(super) use origin::{reached, refused, server_of};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `undo`.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("whom").args(["agent", "shim"]).required(true)))]
#[command(group(ArgGroup::new("what").args(["between", "gtid"]).required(true)))]
pub struct UndoArgs {
    /// The address of an agent: https://host:8600.
    #[arg(long, value_name = "URL")]
    agent: Option<String>,
    /// File with a token of that agent; the first one in it is used.
    #[arg(long, value_name = "FILE", conflicts_with = "shim")]
    token_file: Option<PathBuf>,
    /// PEM file of the authorities to trust for that agent; default: those of the platform.
    #[arg(long, value_name = "FILE", conflicts_with = "shim")]
    ca: Option<PathBuf>,
    /// The server whose history is meant, where the agent has several.
    #[arg(long, value_name = "ID", conflicts_with = "shim")]
    server_id: Option<String>,
    /// A shim (also that of `up`): mysql://user:password@host:3308. The password may be in
    /// DBTRAIL_SHIM_PASSWORD instead.
    #[arg(long, value_name = "URL")]
    shim: Option<String>,
    /// A table, schema.table; may be given several times. Of a shim, which does not tell foreign
    /// keys: parents before children.
    #[arg(long, required = true, value_name = "SCHEMA.TABLE")]
    table: Vec<String>,
    /// All that was committed between two instants, both inclusive.
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"])]
    between: Option<Vec<String>>,
    /// What one transaction did.
    #[arg(long, value_name = "GTID")]
    gtid: Option<String>,
    /// The time zone of the two instants.
    #[arg(long, value_name = "ZONE", default_value = "UTC", requires = "between")]
    time_zone: String,
    /// Take back change by change, the newest first, instead of all changes of a row at once.
    #[arg(long, conflicts_with = "shim")]
    steps: bool,
    /// End with COMMIT instead of ROLLBACK, if every statement has found its row.
    #[arg(long)]
    commit: bool,
    /// Where to write; default: standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Asks, and writes the file.
pub async fn run(args: &UndoArgs) -> ExitCode {
    match file(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&format!("undo: {why}")),
    }
}

async fn file(args: &UndoArgs) -> Result<(), String> {
    let tables: Vec<TableName> = args.table.iter().map(|text| table(text)).collect::<Result<_, _>>()?;
    let span = span(args)?;
    let (parts, incomplete, steps) = match (&args.agent, &args.shim) {
        (Some(url), _) => of_agent(args, url, &tables, &span).await?,
        (None, Some(url)) => {
            let (parts, incomplete) = of_shim(url, &tables, &span).await?;
            (parts, incomplete, None)
        }
        (None, None) => return Err("--agent URL or --shim URL is needed".to_owned()),
    };
    let shown = shown(&span);
    let frame = Frame { span: &shown, commit: args.commit, incomplete: &incomplete, steps: steps.as_ref() };
    let text = script(&parts, &frame);
    match &args.output {
        None => std::io::stdout().write_all(text.as_bytes()).map_err(|e| format!("standard output: {e}"))?,
        Some(path) => {
            std::fs::write(path, text).map_err(|e| format!("{} cannot be written: {e}", path.display()))?;
        }
    }
    let statements: usize = parts.iter().map(|p| p.undone.statements()).sum();
    let conflicts: usize = parts.iter().map(|p| p.undone.conflicts.len()).sum();
    let mut reported = format!("{statements} statements; {conflicts} rows are not taken back, and listed");
    for why in &incomplete {
        reported.extend(["\nNOT COMPLETE: ", why]);
    }
    let _ = writeln!(std::io::stderr(), "{reported}");
    Ok(())
}

/// A span, for people.
fn shown(span: &Span) -> String {
    match span {
        Span::Window { since, until } => format!("from {since} to {until}"),
        Span::Transaction(gtid) => format!("in transaction {gtid}"),
    }
}

/// `schema.table`, either part between backticks if need be.
pub(super) fn table(text: &str) -> Result<TableName, String> {
    let wrong = || format!("'{text}' is not a table: write schema.table");
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (part, following) = if let Some(quoted) = rest.strip_prefix('`') {
            quoted.split_once('`').ok_or_else(wrong)?
        } else {
            rest.split_at(rest.find('.').unwrap_or(rest.len()))
        };
        parts.push(part.to_owned());
        rest = match following.strip_prefix('.') {
            Some("") => return Err(wrong()),
            Some(more) => more,
            None if following.is_empty() => following,
            None => return Err(wrong()),
        };
    }
    match <[String; 2]>::try_from(parts) {
        Ok([schema, table]) if !schema.is_empty() && !table.is_empty() => Ok(TableName { schema, table }),
        _ => Err(wrong()),
    }
}

fn span(args: &UndoArgs) -> Result<Span, String> {
    if let Some(gtid) = &args.gtid {
        return Ok(Span::Transaction(gtid.clone()));
    }
    let zone = Zone::parse(&args.time_zone)
        .ok_or_else(|| format!("--time-zone {}: no such time zone is known", args.time_zone))?;
    let now = Timestamp::now();
    let read = |text: &String| plan::timestamp(text, &zone, now).map_err(|failure| message_of(&failure));
    match args.between.as_deref() {
        Some([since, until]) => {
            let (since, until) = (read(since)?, read(until)?);
            if since > until {
                return Err(format!("--between {since} {until}: write the earlier instant first"));
            }
            Ok(Span::Window { since, until })
        }
        _ => Err("--between FROM TO or --gtid GTID is needed".to_owned()),
    }
}

/// The sentence that a client of the shim would get.
pub(super) fn message_of(failure: &Failure) -> String {
    let settings = error::ErrorSettings { plain_1064: false, unreachable: error::Unreachable::Auto };
    error::of(failure, settings, false, None).message
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Shell {
        #[command(flatten)]
        args: UndoArgs,
    }

    fn parse(line: &[&str]) -> Result<UndoArgs, String> {
        let line = ["undo"].iter().chain(line);
        Shell::try_parse_from(line).map(|s| s.args).map_err(|e| e.to_string())
    }

    #[test]
    fn the_command_line_is_read() {
        let window = ["--between", "2026-01-01 10:00", "2026-01-01T11:00:00Z"];
        let args = parse(
            &[&["--agent", "https://a", "--table", "shop.orders", "--time-zone", "+02:00"][..], &window]
                .concat(),
        );
        let Span::Window { since, until } = span(&args.unwrap()).unwrap() else { panic!() };
        assert_eq!(
            (since.to_string(), until.to_string()),
            ("2026-01-01T08:00:00.000000Z".to_owned(), "2026-01-01T11:00:00.000000Z".to_owned())
        );
        for bad in [
            &["--agent", "https://a", "--table", "shop.orders"][..],
            &["--agent", "https://a", "--gtid", "0-1-1"],
            &["--table", "shop.orders", "--gtid", "0-1-1"],
            &["--agent", "https://a", "--shim", "mysql://a", "--table", "a.b", "--gtid", "0-1-1"],
            &["--agent", "https://a", "--table", "a.b", "--gtid", "0-1-1", "--between", "x", "y"],
            &["--shim", "mysql://a", "--token-file", "x", "--table", "a.b", "--gtid", "0-1-1"],
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn tables_have_two_parts() {
        let named =
            |schema: &str, table: &str| Ok(TableName { schema: schema.to_owned(), table: table.to_owned() });
        assert_eq!(table("shop.orders"), named("shop", "orders"));
        assert_eq!(table("`my.shop`.`or ders`"), named("my.shop", "or ders"));
        for bad in ["", "orders", "a.b.c", ".b", "a.", "`a.b", "`a`b.c"] {
            assert!(table(bad).is_err(), "{bad}");
        }
    }
}
