use super::super::capture_arguments::PASSWORD;
use super::*;
use clap::Parser;
use dbtrail_history::source::Backfill;
use std::time::Duration;

#[derive(Parser)]
struct Shell {
    #[command(flatten)]
    args: AgentArgs,
}

fn parse(line: &str) -> Result<AgentArgs, String> {
    Shell::try_parse_from(line.split(' ')).map(|s| s.args).map_err(|e| e.to_string())
}

#[test]
fn the_command_line_is_read() {
    let args = parse("agent --binlog a b --server-id x").unwrap();
    let config = settings(&args).unwrap();
    let plain = LogFiles { files: vec!["a".into(), "b".into()], ..LogFiles::default() };
    assert_eq!(config.histories[0].origin, Origin::Files(Box::new(plain.clone())));
    let line = "agent --binlog a b --server-id x --include s.* --exclude s.t --from 2026-04-27T09:00:00Z --to 2026-04-28T09:00:00Z --schema d.sql";
    let at = |day: &str| format!("2026-04-{day}T09:00:00Z").parse().ok();
    let narrow = LogFiles {
        tables: Patterns::new(&["s.*".into()], &["s.t".into()]).unwrap(),
        from: at("27"),
        to: at("28"),
        schema: Some("d.sql".into()),
        ..plain
    };
    assert_eq!(settings(&parse(line).unwrap()).unwrap().histories[0].origin, Origin::Files(Box::new(narrow)));
    let line =
        "agent --binlog a --server-id x --include s --from 2026-04-28T09:00:00Z --to 2026-04-27T09:00:00Z";
    let wrong = settings(&parse(line).unwrap()).unwrap_err();
    assert!(wrong[0].starts_with("--include: 's' is not a pattern"), "{wrong:?}");
    assert!(wrong[1].starts_with("--to: it ends at 2026-04-27"), "{wrong:?}");
    assert_eq!(
        (config.histories[0].server_id.0.as_str(), config.listen.to_string().as_str()),
        ("x", "127.0.0.1:8600")
    );
    assert!(parse("agent --config agent.yaml").unwrap().config.is_some());
    assert!(parse("agent --config agent.yaml --preflight-only").unwrap().preflight_only);
    assert!(matches!(parse("agent status --data d").unwrap().command, Some(AgentCommand::Status(_))));
    for bad in [
        "agent",
        "agent --server-id x",
        "agent --binlog a",
        "agent --binlog a --server-id x --tls-cert c",
        "agent --binlog a --server-id x --listen nowhere",
        "agent --source mysql://u@h --data d",
        "agent --source mysql://u@h --data d --server-id x --binlog a",
        "agent --source mysql://u@h --data d --server-id x --keep soon",
        "agent --source mysql://u@h --data d --server-id x --backfill soon",
        "agent --binlog a --server-id x --backfill oldest",
        "agent --source mysql://u@h --data d --server-id x --no-baseline --baseline-rate 5",
        "agent --binlog a --server-id x --keep 30d",
        "agent --binlog a --server-id x --data d",
        "agent --binlog a --server-id x --from soon",
        "agent --source mysql://u@h --data d --server-id x --schema d.sql",
        "agent --source mysql://u@h --data d --server-id x --to 2026-04-27T09:00:00Z",
        "agent --config c --include s.*",
        "agent --config c --from 2026-04-27T09:00:00Z",
        "agent --binlog a --server-id x --no-baseline",
        "agent --binlog a --server-id x --no-connections",
        "agent --binlog a --server-id x --preflight-only",
        "agent --config c --server-id x",
        "agent --config c --data d",
        "agent --config c --keep 3d",
        "agent --config c --replica-id 3",
        "agent --server-id x status --data d",
        "agent status",
    ] {
        assert!(parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_preflight_needs_no_folder_and_no_name() {
    let args = parse("agent --source mysql://u@h --preflight-only").unwrap();
    assert!(matches!(settings(&args).unwrap().histories[0].origin, Origin::Live(_)));
    let args = parse("agent --source mysql://u@h --server-id x").unwrap();
    assert_eq!(settings(&args).unwrap_err(), ["--data DIR is needed: the folder of the store"]);
}

fn captured(line: &str, environment: Option<&str>) -> (Option<CaptureSettings>, Vec<String>) {
    let (args, mut mistakes) = (parse(line).unwrap(), Vec::new());
    let environment = |name: &str| environment.filter(|_| name == PASSWORD).map(str::to_owned);
    (args.capture.settings(environment, &mut mistakes), mistakes)
}

#[test]
fn a_source_is_read() {
    let line = "agent --source mysql://u@h --data d --server-id x --keep 30d --include a.* --include b.* --exclude a.c --baseline-rate 9 --backfill none";
    let (capture, mistakes) = captured(line, Some("secret"));
    let capture = capture.unwrap();
    assert_eq!((capture.keep, mistakes.len()), (Some(Duration::from_secs(30 * 86_400)), 0));
    let source = capture.source;
    assert_eq!((source.password.expose(), source.rows_per_second), ("secret", 9));
    assert_eq!(source.backfill, Backfill::None);
    let tables = Patterns::new(&["a.*".into(), "b.*".into()], &["a.c".into()]).unwrap();
    assert_eq!((source.tables, capture.baseline), (tables, true));
    let line =
        "agent --source mysql://u:p@h --data d --server-id x --keep forever --no-baseline --replica-id 7";
    let (capture, mistakes) = captured(line, None);
    let capture = capture.unwrap();
    assert_eq!((capture.keep, capture.baseline, mistakes.len()), (None, false, 0));
    assert_eq!((capture.source.server_id, capture.source.password.expose()), (7, "p"));
}

#[test]
fn all_mistakes_are_reported_at_once_and_no_password() {
    let line = "agent --source http://u:hidden@h --data d --server-id x --include shop --source-password-file /nonexistent/p";
    let (_, mistakes) = captured(line, None);
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    assert!(mistakes[0].starts_with("cannot read /nonexistent/p: "), "{mistakes:?}");
    assert!(mistakes[1].starts_with("--include: 'shop' is not a pattern of tables: "), "{mistakes:?}");
    assert!(mistakes[2].starts_with("--source: the source's address does not begin with "), "{mistakes:?}");
    assert!(!mistakes.concat().contains("hidden"), "{mistakes:?}");
    let (_, mistakes) = captured("agent --source mysql://u:hidden@h --data d --server-id x", Some("other"));
    assert_eq!(mistakes, ["--source: it holds a password, and another is given besides it"]);
    let args = parse(
        "agent --binlog a --server-id x --listen 0.0.0.0:1 --tls-cert /nonexistent/c --tls-key /nonexistent/k --token-file /nonexistent/t",
    );
    let mistakes = settings(&args.unwrap()).unwrap_err();
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
}

#[test]
fn what_is_for_buckets_is_not_for_folders() {
    let line = "agent --source mysql://u@h --data d --server-id x --standby --disk-cache 9";
    let mistakes = settings(&parse(line).unwrap()).unwrap_err();
    assert!(mistakes[0].starts_with("--disk-cache: d is a folder"), "{mistakes:?}");
    assert!(mistakes[1].starts_with("--standby needs a bucket"), "{mistakes:?}");
    let line = "agent --source mysql://u@h --data d --server-id x --poll 1s";
    assert_eq!(settings(&parse(line).unwrap()).unwrap_err(), ["--poll is for --read and --standby"]);
    let mistakes = settings(&parse("agent --read --data d --server-id x").unwrap()).unwrap_err();
    assert!(mistakes[0].starts_with("--data d is a folder: --read needs a bucket"), "{mistakes:?}");
    for bad in [
        "agent --read --standby --data d --server-id x",
        "agent --standby --data d --server-id x",
        "agent --source mysql://u@h --data d --server-id x --standby --poll 99ms",
        "agent --binlog a --server-id x --poll 1s",
    ] {
        assert!(parse(bad).is_err(), "{bad}");
    }
}

#[cfg(feature = "object-store")]
#[test]
fn buckets_are_read_followed_and_stood_by() {
    use crate::config::agent::ReadSettings;
    let line = "agent --source mysql://u@h --data gs://b/p --server-id x --disk-cache 9 --cache 8";
    let origin = |line: &str| settings(&parse(line).unwrap()).unwrap().histories.swap_remove(0).origin;
    let Origin::Live(capture) = origin(line) else { panic!("{line}") };
    assert_eq!(
        (capture.disk_cache, capture.standby, capture.data.to_string().as_str()),
        (9, None, "gs://b/p")
    );
    let Origin::Live(capture) = origin(&format!("{line} --standby")) else { panic!("{line}") };
    assert_eq!(capture.standby, Some(Duration::from_secs(1)));
    let Origin::Live(capture) = origin(&format!("{line} --standby --poll 200ms")) else { panic!("{line}") };
    assert_eq!(capture.standby, Some(Duration::from_millis(200)));
    let read = origin("agent --read --data az://c --server-id x --poll 5s --disk-cache 70");
    let data = "az://c".to_owned();
    let Origin::Read(ReadSettings { cache: 48, disk_cache: 70, poll, data: found }) = read else {
        panic!("{read:?}")
    };
    assert_eq!((poll, found.to_string()), (Duration::from_secs(5), data));
}
