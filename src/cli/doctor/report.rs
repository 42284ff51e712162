//! The findings, and how they are shown.

use dbtrail_types::secret::Secret;
use std::io::Write;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Ok,
    Warn,
    Fail,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        }
    }
}

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) level: Level,
    pub(super) component: String,
    pub(super) message: String,
    /// A command or an edit.
    pub(super) fix: Option<String>,
}

/// What was found so far.
#[derive(Debug)]
pub(super) struct Report {
    findings: Vec<Finding>,
    shown: usize,
    json: bool,
    secrets: Vec<Secret>,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self { findings: Vec::new(), shown: 0, json, secrets: Vec::new() }
    }

    /// Texts that are starred wherever they would come up. A short one would come up by chance, and
    /// the stars would give it away.
    pub(super) fn hide(&mut self, secrets: Vec<Secret>) {
        self.secrets.extend(secrets.into_iter().filter(|s| s.expose().len() >= 8));
        // The longer first: one may be part of another.
        self.secrets.sort_by_key(|s| std::cmp::Reverse(s.expose().len()));
    }

    fn add(&mut self, level: Level, component: &str, message: &str, fix: Option<&str>) {
        let clean = |text: &str| {
            let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            self.secrets.iter().fold(text, |text, secret| text.replace(secret.expose(), "***"))
        };
        let finding =
            Finding { level, component: clean(component), message: clean(message), fix: fix.map(clean) };
        self.findings.push(finding);
    }

    pub(super) fn ok(&mut self, component: &str, message: impl AsRef<str>) {
        self.add(Level::Ok, component, message.as_ref(), None);
    }

    pub(super) fn warn(&mut self, component: &str, message: impl AsRef<str>, fix: impl AsRef<str>) {
        self.add(Level::Warn, component, message.as_ref(), Some(fix.as_ref()));
    }

    pub(super) fn fail(&mut self, component: &str, message: impl AsRef<str>, fix: impl AsRef<str>) {
        self.add(Level::Fail, component, message.as_ref(), Some(fix.as_ref()));
    }

    pub(super) fn failed(&self) -> bool {
        self.count(Level::Fail) > 0
    }

    /// How many are not good.
    pub(super) fn bad(&self) -> usize {
        self.count(Level::Warn) + self.count(Level::Fail)
    }

    fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|f| f.level == level).count()
    }

    #[cfg(test)]
    pub(super) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Prints what is new.
    pub(super) fn flush(&mut self) {
        if self.json {
            return;
        }
        let mut out = std::io::stdout();
        for finding in &self.findings[self.shown..] {
            // Nobody may be reading any more; the exit code still tells.
            let _ = writeln!(out, "{}", line(finding));
        }
        let _ = out.flush();
        self.shown = self.findings.len();
    }

    /// Prints the rest and the sum.
    pub(super) fn end(&mut self) {
        self.flush();
        let [ok, warn, fail] = [Level::Ok, Level::Warn, Level::Fail].map(|level| self.count(level));
        let mut out = std::io::stdout();
        let _ = if self.json {
            let checks: Vec<serde_json::Value> = self
                .findings
                .iter()
                .map(|f| serde_json::json!({"level": f.level.word(), "component": f.component, "message": f.message, "fix": f.fix}))
                .collect();
            let report = serde_json::json!({"checks": checks, "ok": ok, "warn": warn, "fail": fail});
            writeln!(out, "{report}")
        } else {
            writeln!(out, "{ok} OK, {warn} WARN, {fail} FAIL")
        };
    }
}

fn line(finding: &Finding) -> String {
    let fix = finding.fix.as_ref().map(|fix| format!(" -> {fix}")).unwrap_or_default();
    format!("{:<4}  {}: {}{fix}", finding.level.word(), finding.component, finding.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_lines_hold_no_secret_and_no_line_break() {
        let mut report = Report::new(false);
        report.hide(vec![
            Secret::new("pass-word".to_owned()),
            Secret::new("pass-word-2".to_owned()),
            Secret::new("ref".to_owned()),
        ]);
        report.ok("config", "good");
        report.warn("agent", "it said: pass-word-2\nand pass-word", "look");
        report.fail("login of app", "refused", "fix it with pass-word");
        let lines: Vec<String> = report.findings().iter().map(line).collect();
        assert_eq!(
            lines,
            [
                "OK    config: good",
                "WARN  agent: it said: *** and *** -> look",
                "FAIL  login of app: refused -> fix it with ***",
            ]
        );
        assert!(report.failed());
    }
}
