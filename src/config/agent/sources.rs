//! `sources` of agent.yaml: several servers, each with settings of its own.

use super::{HistorySettings, Origin, STATEMENTS, names_a_password};
use crate::config::Resolver;
use crate::config::file::{File, Takes};
use Takes::{Needed, Text, Texts};
use dbtrail_history::serve::{ServeOptions, Tokens};
use dbtrail_history::source::RANDOM_FROM;
use dbtrail_types::names::ServerId;
use std::path::Path;

/// What an entry takes. What it does not say of the keys with a name of the file behind them holds
/// for it as the file says it.
pub(super) const KEYS: &[(&str, Takes)] = &[
    ("server_id", Needed),
    ("url", Text(None)),
    ("password", Text(None)),
    ("password_file", Text(None)),
    ("replica_id", Text(None)),
    ("binlog", Texts),
    ("from", Text(None)),
    ("to", Text(None)),
    ("schema", Text(None)),
    ("include", Texts),
    ("exclude", Texts),
    ("data", Text(None)),
    ("token_file", Text(None)),
    ("doubt_token_file", Text(None)),
    ("keep", Text(None)),
    ("source_time", Text(None)),
    ("cache", Text(None)),
    ("disk_cache", Text(None)),
    ("read", Text(None)),
    ("standby", Text(None)),
    ("poll", Text(None)),
    ("disk_reserve", Text(None)),
    ("verify", Text(None)),
    ("baseline", Text(None)),
    ("rows_per_second", Text(None)),
    ("statements", Text(None)),
    ("backfill", Text(None)),
    ("connections", Text(None)),
];

/// Keys of an entry, and where the file has the same of all.
const OF_ALL: [(&str, &str); 14] = [
    ("keep", "keep"),
    ("source_time", "source_time"),
    ("cache", "cache"),
    ("disk_cache", "disk_cache"),
    ("read", "read"),
    ("standby", "standby"),
    ("poll", "poll"),
    ("disk_reserve", "disk_reserve"),
    ("verify", "verify"),
    ("baseline", "baseline.mode"),
    ("rows_per_second", "baseline.rows_per_second"),
    ("statements", "capture.statements"),
    ("backfill", "capture.backfill"),
    ("connections", "capture.connections"),
];

/// Keys of an entry that reads log files, and where a file with one history has them.
const OF_FILES: [(&str, &str); 7] = [
    ("binlog", "binlog"),
    ("data", "data"),
    ("from", "log_files.from"),
    ("to", "log_files.to"),
    ("schema", "log_files.schema"),
    ("include", "log_files.include"),
    ("exclude", "log_files.exclude"),
];

/// The same of one with a server, or a bucket.
const OF_A_SERVER: [(&str, &str); 10] = [
    ("url", "source.url"),
    ("password", "source.password"),
    ("password_file", "source.password_file"),
    ("replica_id", "source.replica_id"),
    ("include", "source.include"),
    ("exclude", "source.exclude"),
    ("data", "data"),
    ("from", "log_files.from"),
    ("to", "log_files.to"),
    ("schema", "log_files.schema"),
];

/// What a file with `sources` has not.
const OF_ONE: [&str; 4] = ["server_id", "source", "binlog", "log_files"];

/// Whether an entry holds a password.
pub(super) fn holds_a_password(file: &File) -> bool {
    let of = |entry: &String, key: &str| file.text(&format!("{entry}.{key}")).map(str::to_owned);
    let held =
        |entry| of(entry, "password").is_some() || of(entry, "url").is_some_and(|url| names_a_password(&url));
    file.entries.iter().any(held)
}

impl Resolver {
    /// The histories of all entries.
    pub(super) fn sources(&mut self) -> Option<Vec<HistorySettings>> {
        for key in OF_ONE {
            if self.file.is_given(key) {
                let what = "with sources, each of them has its own: write it there";
                self.file.mistake(key, what.to_owned());
            }
        }
        let entries = self.file.entries.clone();
        if entries.is_empty() {
            return self.mistake("sources", "the list is empty".to_owned());
        }
        let made: Vec<_> = entries.iter().map(|entry| self.history_of(entry)).collect();
        let made: Vec<HistorySettings> = made.into_iter().collect::<Option<_>>()?;
        for (index, entry) in entries.iter().enumerate() {
            let (before, own) = (&made[..index], &made[index]);
            if before.iter().any(|other| other.server_id == own.server_id) {
                let what = format!("'{}' is that of another source too", own.server_id);
                self.file.mistake(&format!("{entry}.server_id"), what);
            }
            let replica = own.replica();
            if replica.is_some() && before.iter().any(|other| other.replica() == replica) {
                let what = "another source has the same number, on the same server: the server sends its log to one of the two";
                self.file.mistake(&format!("{entry}.replica_id"), what.to_owned());
            }
            let Some(data) = own.data() else { continue };
            let overlaps = |other: &&HistorySettings| other.data().is_some_and(|d| overlap(&d, &data));
            if let Some(other) = before.iter().find(overlaps) {
                let what = format!(
                    "{data} is, or lies in, or holds, that of '{}': each history needs a place of its own",
                    other.server_id
                );
                self.file.mistake(&format!("{entry}.data"), what);
            }
        }
        Some(made)
    }

    /// The history of an entry: read as that of a file with this one alone.
    fn history_of(&mut self, entry: &str) -> Option<HistorySettings> {
        let key = |name: &str| format!("{entry}.{name}");
        // One that is missing was reported already.
        let server_id = self.text(&key("server_id"))?;
        if server_id.is_empty() {
            return self.mistake(&key("server_id"), "it is empty".to_owned());
        }
        let tokens = [key("token_file"), key("doubt_token_file")].map(|path| self.own_tokens(&path));
        let reads_files = self.file.list(&key("binlog")).is_some();
        let (of_files, of_a_server) = (OF_FILES.as_slice(), OF_A_SERVER.as_slice());
        let names = if reads_files { of_files } else { of_a_server };
        let mut alone = self.file.alone(entry, &OF_ALL, names);
        if self.text(&key("url")).is_some() {
            alone.begin("source");
        }
        let reads = alone.text("read") == Some("on");
        if !reads && !reads_files && self.text(&key("url")).is_none() {
            let what = "it has neither url nor binlog: where does its history come from?";
            return self.mistake(entry, what.to_owned());
        }
        if !reads_files {
            match data_of(self.text("data"), self.text(&key("data")), &server_id) {
                Ok(data) => alone.set("data", data),
                Err(what) => return self.mistake(&key("data"), what),
            }
        }
        let outer = std::mem::replace(&mut self.file, alone);
        let origin = self.origin();
        let statements = self.one_of(STATEMENTS.0, &STATEMENTS.1);
        let alone = std::mem::replace(&mut self.file, outer);
        let renamed = names.iter().chain(&OF_ALL).map(|(own, name)| (*name, *own));
        self.file.add_mistakes(entry, &renamed.collect::<Vec<_>>(), alone.mistakes);
        let [tokens, doubt_tokens] = tokens;
        let server_id = ServerId(server_id);
        let (tokens, doubt_tokens) = (tokens?, doubt_tokens?);
        Some(HistorySettings { server_id, origin: origin?, statements: statements?, tokens, doubt_tokens })
    }

    /// Those of the file that a key of an entry names; the inner `None`: it names none.
    #[expect(clippy::option_option, reason = "no tokens and a mistake are two things")]
    fn own_tokens(&mut self, key: &str) -> Option<Option<Tokens>> {
        let Some(path) = self.text(key) else { return Some(None) };
        match Tokens::from_file(Path::new(&path)) {
            Ok(tokens) => Some(Some(tokens)),
            Err(why) => self.mistake(key, why.to_string()),
        }
    }
}

impl HistorySettings {
    /// Where it is kept, in words; `None`: nowhere.
    fn data(&self) -> Option<String> {
        match &self.origin {
            Origin::Files(_) => None,
            Origin::Live(capture) => Some(capture.data.to_string()),
            Origin::Read(settings) => Some(settings.data.to_string()),
        }
    }
}

impl HistorySettings {
    /// The replica as which a server knows it, where somebody gave its number.
    fn replica(&self) -> Option<(String, u32)> {
        let Origin::Live(capture) = &self.origin else { return None };
        let number = capture.source.server_id;
        (number < RANDOM_FROM).then(|| (capture.source.address(), number))
    }
}

/// Whether some history can be read without a token. `None`: what there is has a mistake.
pub(super) fn is_open(serve: &ServeOptions, histories: Option<&[HistorySettings]>) -> bool {
    let all_have = histories.is_some_and(|all| all.iter().all(|history| history.tokens.is_some()));
    serve.tokens.is_open() && !all_have
}

/// Where the history of an entry is kept: what it says, below what the file says.
fn data_of(all: Option<String>, own: Option<String>, server_id: &str) -> Result<String, String> {
    let named = own.is_some();
    let own = own.unwrap_or_else(|| server_id.to_owned());
    if own.contains("://") || own.starts_with('/') {
        return if named { Ok(own) } else { Err(needed(server_id)) };
    }
    let plain = |part: &str| {
        let good = |c: char| c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(good)
    };
    let all = all.filter(|all| !all.is_empty());
    match all {
        None if named => Ok(own),
        None => {
            Err("a source needs a folder or a bucket to keep its history in: data here, or of the file, \
                     below which each source has its server_id"
                .to_owned())
        }
        Some(_) if !named && !plain(&own) => Err(needed(server_id)),
        Some(_) if !own.split('/').all(plain) => {
            Err(format!("'{own}' is no name below the data of the file"))
        }
        Some(all) => Ok(format!("{}/{own}", all.trim_end_matches('/'))),
    }
}

fn needed(server_id: &str) -> String {
    format!("it is needed: '{server_id}' is no name of a folder")
}

/// Whether one is the other, or lies in it.
fn overlap(one: &str, other: &str) -> bool {
    let within = |inner: &str, outer: &str| format!("{inner}/").starts_with(&format!("{outer}/"));
    within(one, other) || within(other, one)
}

#[cfg(test)]
mod tests;
