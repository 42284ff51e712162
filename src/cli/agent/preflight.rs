//! `agent --preflight-only`: what is in the way of capturing, and what fixes it.

use super::live::{findings, not_asked};
use super::{CONFIG, CannotStart, UNAVAILABLE};
use crate::config::agent::{AgentConfig, Origin};
use dbtrail_history::source::{Finding, Severity};
use std::fmt::Write as _;
use std::io::Write;

/// Prints what preflight finds. An error: capturing cannot begin so.
pub(super) async fn print(config: &AgentConfig) -> Result<(), CannotStart> {
    let mut written = String::new();
    let (mut live, mut cannot) = (0, None);
    for history in &config.histories {
        let Origin::Live(settings) = &history.origin else { continue };
        live += 1;
        if config.several {
            // Writing to a String does not fail.
            let _ = writeln!(written, "{}:", history.server_id);
        }
        match findings(settings).await {
            Ok(findings) => {
                written.push_str(&shown(&findings));
                if findings.iter().any(|f| f.severity == Severity::Refuse) {
                    cannot = Some("nothing can be captured like this".to_owned());
                }
            }
            Err(error) if config.several => {
                let _ = writeln!(written, "REFUSE  {}", not_asked(settings, &error).replace('\n', " "));
                cannot = Some("not every source can be captured like this".to_owned());
            }
            Err(error) => return Err(CannotStart(not_asked(settings, &error), UNAVAILABLE)),
        }
    }
    if live == 0 {
        return Err(CannotStart(
            "preflight is for a source, and this history is read from log files".to_owned(),
            CONFIG,
        ));
    }
    let written = std::io::stdout().write_all(written.as_bytes());
    written.map_err(|e| CannotStart(format!("standard output: {e}"), UNAVAILABLE))?;
    cannot.map_or(Ok(()), |why| Err(CannotStart(why, UNAVAILABLE)))
}

/// A line a finding, and a line below it for what fixes it.
fn shown(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "OK      nothing is in the way\n".to_owned();
    }
    let text = findings.iter().fold(String::new(), |mut text, Finding { severity, what, fix }| {
        let weight = match severity {
            Severity::Note => "NOTE",
            Severity::Warn => "WARN",
            Severity::Refuse => "REFUSE",
        };
        // Writing to a String does not fail.
        let _ = writeln!(text, "{weight:<7} {what}");
        for line in fix.lines() {
            let _ = writeln!(text, "        {line}");
        }
        text
    });
    // What the server says may not steer a terminal.
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_shown_with_what_fixes_them() {
        assert_eq!(shown(&[]), "OK      nothing is in the way\n");
        let findings = [
            Finding {
                severity: Severity::Refuse,
                what: "log_bin is off".to_owned(),
                fix: "log_bin=binlog\nin my.cnf, and restart".to_owned(),
            },
            Finding { severity: Severity::Note, what: "a\x1b[2J".to_owned(), fix: String::new() },
        ];
        let want =
            "REFUSE  log_bin is off\n        log_bin=binlog\n        in my.cnf, and restart\nNOTE    a [2J\n";
        assert_eq!(shown(&findings), want);
    }
}
