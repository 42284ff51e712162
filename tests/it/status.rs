//! SHOW STATUS: what the metrics tell, of the connections of the user who asks, and of nobody else.

use crate::program::{Bare, chain, error};
use crate::support::cells;
use dbtrail_shim::session::STATUS_OF_METRICS;
use std::collections::{BTreeMap, BTreeSet};

const POINT: &str = "AS OF '2026-11-23 07:12:39'";

/// Rows of a statement, or its error.
fn ask(client: &mut Bare, statement: &str) -> Result<Vec<Vec<Option<String>>>, u16> {
    client.send(0, &[b"\x03", statement.as_bytes()].concat());
    let (mut ends, mut rows, mut first) = (0, Vec::new(), true);
    while ends < 2 {
        let packet = client.packet();
        match packet.first() {
            Some(0xff) => return Err(error(&packet).0),
            Some(0) if first => return Ok(rows),
            Some(0xfe) if packet.len() < 9 => ends += 1,
            Some(_) if ends == 1 => rows.push(cells(&packet)),
            Some(_) => {}
            None => panic!("the connection ended"),
        }
        first = false;
    }
    Ok(rows)
}

fn status(client: &mut Bare) -> BTreeMap<String, String> {
    let rows = ask(client, "SHOW GLOBAL STATUS").expect("rows");
    let pair = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter().flatten();
        (cells.next().unwrap_or_default(), cells.next().unwrap_or_default())
    };
    rows.into_iter().map(pair).collect()
}

#[test]
fn each_metric_has_a_status_variable_or_a_reason() {
    let mut text = String::new();
    dbtrail_shim::telemetry::metrics::metrics().write("1", &mut text);
    let exported = text.lines().filter_map(|l| l.strip_prefix("# TYPE dbtrail_shim_"));
    let exported: BTreeSet<&str> = exported.filter_map(|l| l.split(' ').next()).collect();
    let named: BTreeSet<&str> = STATUS_OF_METRICS.iter().map(|(metric, _)| *metric).collect();
    assert_eq!(named, exported);
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");
    let docs = std::fs::read_to_string(docs).expect("it is there");
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    let shown = status(&mut client);
    for (metric, names) in STATUS_OF_METRICS {
        for name in names.unwrap_or_default() {
            assert!(shown.contains_key(*name), "{metric}: {name} in {shown:?}");
            assert!(docs.contains(&format!("`{name}`")), "docs/operations.md does not name {name}");
        }
        assert!(names.is_ok() || names.is_err_and(|why| why.len() > 5), "{metric}");
    }
}

#[test]
fn a_user_is_told_what_it_did_and_nothing_of_others() {
    let other = "  - {mysql_user: other, mysql_password: pass-word, server_id: s, default_schema: tt}\n";
    let mut chain = chain("limits: {max_rows: 1}\n");
    let yaml = chain.yaml.replacen("tenants:\n", &format!("tenants:\n{other}"), 1);
    chain.configure(&yaml);
    chain.shim.hang_up();
    chain.shim.line("are read again");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    let (mut stranger, _) = Bare::login(chain.port, "other", "pass-word", 0);
    assert_eq!(error(&Bare::login(chain.port, "app", "wrong", 0).1).0, 1045);
    let one = format!("SELECT id FROM _flashback.tt.orders {POINT} WHERE id = 8");
    for _ in 0..3 {
        assert_eq!(ask(&mut client, &one).expect("a row").len(), 1);
    }
    assert_eq!(ask(&mut client, &format!("SELECT id FROM _flashback.tt.orders {POINT}")), Err(1064));
    let many = format!("SELECT id FROM _flashback.tt.orders {POINT} WHERE id IN (8, 9)");
    assert_eq!(ask(&mut client, &many), Err(1104));
    ask(&mut client, "SET @a = 1").expect("an OK");
    let shown = status(&mut client);
    for (name, want) in [
        ("Aborted_connects", "1"),
        ("Com_select", "5"),
        ("Com_set_option", "1"),
        ("Connections", "2"),
        ("Questions", "7"),
        ("Threads_connected", "1"),
        ("Threads_running", "1"),
        ("Dbtrail_statements_flashback", "5"),
        ("Dbtrail_statements_failed", "2"),
        ("Dbtrail_statements_cancelled", "0"),
        ("Dbtrail_errors_1064", "1"),
        ("Dbtrail_errors_1104", "1"),
        ("Dbtrail_limits_max_rows", "1"),
        ("Dbtrail_limits_compute", "0"),
        ("Dbtrail_agent_requests_unreachable", "0"),
        ("Dbtrail_reloads_taken", "1"),
        ("Dbtrail_reload_good", "ON"),
    ] {
        assert_eq!(shown.get(name).map(String::as_str), Some(want), "{name} in {shown:?}");
    }
    let number = |name: &str| shown[name].parse::<u64>().expect("a number");
    assert!(number("Dbtrail_agent_requests_answered") >= 4, "{shown:?}");
    assert!(number("Dbtrail_rows_sent") >= 3 && number("Dbtrail_row_bytes_sent") >= 6, "{shown:?}");
    // What is of the server is the same; of the rest nothing is seen.
    let own = status(&mut stranger);
    for name in own.keys().filter(|n| n.starts_with("Com_") || n.starts_with("Dbtrail_")) {
        let of_server = name.starts_with("Dbtrail_reload") || name == "Dbtrail_audit_writable";
        assert!(of_server || own[name] == "0", "{name}: {}", own[name]);
    }
    assert_eq!((own["Connections"].as_str(), own["Questions"].as_str()), ("1", "1"));
    let like = ask(&mut stranger, "SHOW STATUS LIKE 'Com_show%'").expect("rows");
    assert!(like.is_empty(), "{like:?}");
    // COM_STATISTICS.
    stranger.send(0, b"\x09");
    let statistics = String::from_utf8(stranger.packet()).expect("UTF-8");
    assert!(statistics.ends_with("Threads: 1  Questions: 2"), "{statistics}");
    drop((client, stranger));
    chain.shim.terminate();
    assert_eq!(chain.shim.ended().code(), Some(0));
}
