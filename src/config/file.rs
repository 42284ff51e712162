//! The reading of a file's tree by the table of its keys. All mistakes at once.

mod layout;

use super::tree::{Mistake, Node, Value};
use std::collections::{BTreeMap, HashMap};

use Takes::{Needed, OneOrMore, Text, Texts};
pub(super) use layout::{Keys, Layout, SHIM, Takes};

/// The file, read: values by path (`limits.max_keys`, `tenants[0].mysql_user`), defaults filled in.
#[derive(Debug, Default)]
pub(super) struct File {
    texts: HashMap<String, String>,
    lists: HashMap<String, Vec<String>>,
    lines: BTreeMap<String, usize>,
    /// The line of what is written nowhere, if not the first.
    beginning: Option<usize>,
    sections: Vec<&'static str>,
    /// The paths of the list's entries.
    pub(super) entries: Vec<String>,
    pub(super) mistakes: Vec<Mistake>,
}

impl File {
    /// Reads a tree. `environment` gives the values of `${VAR}`.
    pub(super) fn new(root: &Node, layout: &Layout, environment: impl Fn(&str) -> Option<String>) -> Self {
        let mut file = Self::default();
        let names = layout.top.iter().map(|(n, _)| *n).chain(layout.sections.iter().map(|(n, _)| *n));
        let names: Vec<&'static str> = names.chain(layout.list.map(|(n, _)| n)).collect();
        let top = file.known(root, "", &names).unwrap_or_default();
        file.keys(&top, "", root.line, layout.top, &environment);
        for (name, keys) in layout.sections {
            let node = top.get(name).filter(|n| n.value != Value::Null);
            if let Some(node) = node {
                file.sections.push(name);
                if let Some(entries) = file.known(node, name, &names_of(keys)) {
                    file.keys(&entries, name, node.line, keys, &environment);
                }
            } else {
                let defaults: Vec<_> = keys.iter().copied().filter(|(_, t)| *t != Needed).collect();
                file.keys(&HashMap::new(), name, root.line, &defaults, &environment);
            }
        }
        if let Some((name, keys)) = layout.list
            && let Some(node) = top.get(name)
        {
            file.list_of(node, name, keys, &environment);
        }
        file
    }

    fn list_of(
        &mut self,
        node: &Node,
        name: &str,
        keys: Keys,
        environment: &impl Fn(&str) -> Option<String>,
    ) {
        match &node.value {
            Value::Null => {}
            Value::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    let path = format!("{name}[{i}]");
                    self.lines.insert(path.clone(), item.line);
                    if let Some(entries) = self.known(item, &path, &names_of(keys)) {
                        self.keys(&entries, &path, item.line, keys, environment);
                        self.entries.push(path);
                    }
                }
            }
            other @ (Value::Text(_) | Value::Map(_)) => {
                self.mistake_at(node.line, name, format!("a list is needed, and this is {}", other.kind()));
            }
        }
    }

    /// The value of a key, or its default.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    pub(super) fn list(&self, path: &str) -> Option<&[String]> {
        self.lists.get(path).map(Vec::as_slice)
    }

    /// Whether a section is in the file.
    pub(super) fn has(&self, section: &str) -> bool {
        self.sections.contains(&section)
    }

    /// An entry of the list, read as a file of its own: what it says under its own names, and what
    /// the whole file says of all entries under those that it has there.
    pub(super) fn alone(&self, entry: &str, of_all: &[(&str, &str)], own: &[(&str, &str)]) -> Self {
        let mut alone = Self { beginning: self.lines.get(entry).copied(), ..Self::default() };
        for (own, name) in of_all.iter().chain(own) {
            let path = format!("{entry}.{own}");
            let inherited =
                of_all.iter().any(|(_, of_all)| of_all == name).then(|| self.text(name)).flatten();
            if let Some(text) = self.text(&path).or(inherited) {
                alone.texts.insert((*name).to_owned(), text.to_owned());
            }
            if let Some(list) = self.list(&path) {
                alone.lists.insert((*name).to_owned(), list.to_vec());
            }
            if let Some(line) = self.lines.get(&path) {
                alone.lines.insert((*name).to_owned(), *line);
            }
        }
        alone
    }

    /// Puts a section in the file.
    pub(super) fn begin(&mut self, section: &'static str) {
        self.sections.push(section);
    }

    /// Puts a value in the place of a key's.
    pub(super) fn set(&mut self, path: &str, text: String) {
        self.texts.insert(path.to_owned(), text);
    }

    /// The mistakes of an entry that was read as a file of its own, under the names of the entry.
    pub(super) fn add_mistakes(&mut self, entry: &str, names: &[(&str, &str)], mistakes: Vec<Mistake>) {
        self.mistakes.extend(mistakes.into_iter().map(|mistake| {
            let own = names.iter().find(|(name, _)| *name == mistake.path);
            let path = own.map_or_else(|| entry.to_owned(), |(_, own)| format!("{entry}.{own}"));
            Mistake { path, ..mistake }
        }));
    }

    /// Whether the key of the file itself, or a section, was written down.
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.lines.contains_key(key)
    }

    /// A mistake in the value of a key: at its line, or at that of what it belongs to.
    pub(super) fn mistake(&mut self, path: &str, what: String) {
        let mut parents =
            std::iter::successors(Some(path), |p| p.rsplit_once(['.', '[']).map(|(parent, _)| parent));
        let line = parents.find_map(|p| self.lines.get(p).copied()).or(self.beginning).unwrap_or(1);
        self.mistake_at(line, path, what);
    }

    fn mistake_at(&mut self, line: usize, path: &str, what: String) {
        self.mistakes.push(Mistake { line, path: path.to_owned(), what });
    }

    /// The known entries of a mapping; unknown and repeated keys are mistakes. `None`: it is no
    /// mapping.
    fn known<'a>(
        &mut self,
        node: &'a Node,
        path: &str,
        known: &[&'static str],
    ) -> Option<HashMap<&'static str, &'a Node>> {
        let mut entries = HashMap::new();
        match &node.value {
            Value::Null => {}
            Value::Map(map) => {
                for (key, line, value) in map {
                    let full = joined(path, key);
                    let Some(name) = known.iter().find(|k| *k == key) else {
                        let what = format!("there is no such key; those known here are {}", known.join(", "));
                        self.mistake_at(*line, &full, what);
                        continue;
                    };
                    if let Some(first) = self.lines.get(&full).copied() {
                        self.mistake_at(*line, &full, format!("it is there twice, first in line {first}"));
                        continue;
                    }
                    self.lines.insert(full, *line);
                    entries.insert(*name, value);
                }
            }
            other @ (Value::Text(_) | Value::List(_)) => {
                self.mistake_at(
                    node.line,
                    path,
                    format!("keys with values are needed, and this is {}", other.kind()),
                );
                return None;
            }
        }
        Some(entries)
    }

    fn keys(
        &mut self,
        entries: &HashMap<&'static str, &Node>,
        path: &str,
        line: usize,
        keys: &[(&'static str, Takes)],
        environment: &impl Fn(&str) -> Option<String>,
    ) {
        for (name, takes) in keys {
            let full = joined(path, name);
            let node = entries.get(name).filter(|n| n.value != Value::Null);
            match (node, takes) {
                (None, Text(default)) => {
                    if let Some(default) = default {
                        self.texts.insert(full, (*default).to_owned());
                    }
                }
                (None, Texts | OneOrMore) => {}
                (None, Needed) => self.mistake_at(line, &full, "it is missing".to_owned()),
                (Some(node), Text(_) | Needed) => {
                    if let Some(text) = self.filled(node, &full, environment) {
                        self.texts.insert(full, text);
                    }
                }
                (Some(node), Texts | OneOrMore) => match &node.value {
                    Value::Text(_) if *takes == OneOrMore => {
                        let text = self.filled(node, &full, environment);
                        self.lists.insert(full, text.into_iter().collect());
                    }
                    Value::List(items) => {
                        let texts: Vec<String> =
                            items.iter().filter_map(|i| self.filled(i, &full, environment)).collect();
                        self.lists.insert(full, texts);
                    }
                    other @ (Value::Null | Value::Text(_) | Value::Map(_)) => {
                        let what = format!("a list is needed, and this is {}", other.kind());
                        self.mistake_at(node.line, &full, what);
                    }
                },
            }
        }
    }

    /// The text of a scalar with `${VAR}` from the environment; `$$` is a dollar sign. Values are
    /// filled in after YAML was read, so that no character of them means anything to YAML.
    fn filled(
        &mut self,
        node: &Node,
        path: &str,
        environment: &impl Fn(&str) -> Option<String>,
    ) -> Option<String> {
        let Value::Text(text) = &node.value else {
            let what = format!("a single value is needed, and this is {}", node.value.kind());
            self.mistake_at(node.line, path, what);
            return None;
        };
        let (mut out, mut rest) = (String::with_capacity(text.len()), text.as_str());
        let mut good = true;
        while let Some((before, following)) = rest.split_once('$') {
            out.push_str(before);
            rest = following;
            if let Some(more) = following.strip_prefix('$') {
                out.push('$');
                rest = more;
            } else if let Some((name, more)) = following.strip_prefix('{').and_then(|b| b.split_once('}')) {
                if let Some(value) = environment(name) {
                    out.push_str(&value);
                } else {
                    good = false;
                    self.mistake_at(node.line, path, format!("the environment variable {name} is not set"));
                }
                rest = more;
            } else {
                out.push('$');
            }
        }
        out.push_str(rest);
        good.then_some(out)
    }
}

fn names_of(keys: &[(&'static str, Takes)]) -> Vec<&'static str> {
    keys.iter().map(|(n, _)| *n).collect()
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
