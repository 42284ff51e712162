//! Files that import each other in a circle, and files that are longer than the budget.
//!
//! A file may use what the files above it in its own branch of the tree define (a child is a part
//! of its parent); apart from that, imports between the files of a crate have no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file, its tests included.
const BUDGET: usize = 300;
/// Columns of a line that is a comment.
const COMMENT_WIDTH: usize = 100;

const CRATES: [&str; 7] = [
    "src",
    "crates/types/src",
    "crates/expression/src",
    "crates/sql-text/src",
    "crates/mysql-wire/src",
    "crates/tls/src",
    "crates/history/src",
];

/// A module by its path below the crate; the crate's root is empty.
type Module = Vec<String>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The text without comments, string literals and the module of tests.
fn code_of(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = text.lines().filter(|l| !l.trim_start().starts_with("//"));
    let mut code = String::new();
    let mut in_string = false;
    let mut chars = lines.collect::<Vec<_>>().join("\n").chars().collect::<Vec<_>>().into_iter().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_string => drop(chars.next()),
            // The character '"'.
            '\'' if chars.peek() == Some(&'"') => drop(chars.next()),
            '"' => in_string = !in_string,
            c if !in_string => code.push(c),
            _ => {}
        }
    }
    code
}

/// The paths of a use tree with the names that they get.
fn expand(prefix: &[String], tree: &str, out: &mut Vec<(Vec<String>, String)>) {
    let tree = tree.trim();
    if let Some((before, body)) = tree.split_once('{') {
        let mut prefix = prefix.to_vec();
        prefix.extend(before.split("::").map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned));
        let body = body.rsplit_once('}').map_or(body, |(body, _)| body);
        let (mut depth, mut part) = (0_usize, String::new());
        for c in body.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    expand(&prefix, &std::mem::take(&mut part), out);
                    continue;
                }
                _ => {}
            }
            part.push(c);
        }
        expand(&prefix, &part, out);
    } else if !tree.is_empty() {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(p, a)| (p, Some(a.trim())));
        let mut full = prefix.to_vec();
        full.extend(path.split("::").map(|p| p.trim().to_owned()));
        if full.last().is_some_and(|l| l == "self") {
            full.pop();
        }
        let alias = alias.map(str::to_owned).or_else(|| full.last().cloned());
        out.extend(alias.map(|alias| (full, alias)));
    }
}

struct Sources {
    code: BTreeMap<Module, String>,
    uses: BTreeMap<Module, Vec<(Vec<String>, String)>>,
}

impl Sources {
    fn read(base: &str) -> Self {
        let base = root().join(base);
        let mut files = Vec::new();
        rust_files(&base, &mut files);
        let mut sources = Self { code: BTreeMap::new(), uses: BTreeMap::new() };
        for file in files {
            let relative = file.strip_prefix(&base).expect("below the base").with_extension("");
            let mut module: Module =
                relative.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
            if module == ["lib"] {
                module.clear();
            }
            let code = code_of(&fs::read_to_string(&file).expect("UTF-8"));
            let (mut rest, mut uses) = (String::new(), Vec::new());
            for (i, statement) in code.split_inclusive(';').enumerate() {
                let begin = statement.rfind("use ").filter(|at| {
                    let before = statement[..*at].trim_end().rsplit(['\n', '{', '}']).next().unwrap_or("");
                    before.is_empty() || before.trim_start().starts_with("pub") || (i == 0 && *at == 0)
                });
                match begin {
                    Some(at) => {
                        rest.push_str(&statement[..at]);
                        expand(&[], statement[at + 4..].trim_end_matches(';'), &mut uses);
                    }
                    None => rest.push_str(statement),
                }
            }
            sources.code.insert(module.clone(), rest);
            sources.uses.insert(module, uses);
        }
        sources
    }

    /// A path as seen from a module, from the crate's root; `None`: it leads out of the crate.
    fn absolute(&self, from: &Module, path: &[String]) -> Option<Module> {
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "super" | "self" => {
                let (mut base, mut path) = (from.clone(), path);
                while let Some(first @ ("super" | "self")) = path.first().map(String::as_str) {
                    if first == "super" {
                        base.pop();
                    }
                    path = &path[1..];
                }
                Some([base, path.to_vec()].concat())
            }
            first => {
                let child = [from.clone(), vec![first.to_owned()]].concat();
                self.code.contains_key(&child).then(|| [from.clone(), path.to_vec()].concat())
            }
        }
    }

    /// The file that defines what a path names: re-exports are followed.
    fn home(&self, full: &Module, seen: &mut Vec<Module>) -> Option<Module> {
        let known = (0..=full.len()).rev().find(|n| self.code.contains_key(&full[..*n]))?;
        let module = full[..known].to_vec();
        if let Some(item) = full.get(known) {
            for (path, alias) in &self.uses[&module] {
                let target = if alias == item { self.absolute(&module, path) } else { None };
                if let Some(target) = target.filter(|t| t != full && !seen.contains(t)) {
                    seen.push(full.clone());
                    return self.home(&[target, full[known + 1..].to_vec()].concat(), seen);
                }
            }
        }
        Some(module)
    }

    /// Which files a file uses, those above it left out.
    fn edges(&self) -> BTreeMap<&Module, BTreeSet<Module>> {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        self.code
            .iter()
            .map(|(module, code)| {
                let written = code.split(|c| !word(c)).filter(|w| w.contains("::"));
                let written = written.map(|w| w.split("::").map(str::to_owned).collect::<Vec<_>>());
                let used = self.uses[module].iter().map(|(path, _)| path.clone()).chain(written);
                let homes = used.filter_map(|path| {
                    let full = self.absolute(module, &path)?;
                    self.home(&full, &mut Vec::new())
                });
                (module, homes.filter(|home| !module.starts_with(home)).collect())
            })
            .collect()
    }
}

/// Groups of files of which each reaches the others.
fn circles(base: &str) -> Vec<String> {
    let sources = Sources::read(base);
    let edges = sources.edges();
    let reach = |from: &Module| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = next.pop() {
            for to in &edges[&module] {
                if seen.insert(to.clone()) {
                    next.push(to.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&Module, BTreeSet<Module>> = edges.keys().map(|m| (*m, reach(m))).collect();
    let mut found = BTreeSet::new();
    for (module, others) in &reached {
        if others.contains(*module) {
            let together = others.iter().filter(|o| reached[o].contains(*module));
            let together: BTreeSet<&Module> = together.collect();
            let imports = together.iter().flat_map(|from| {
                let to = edges[*from].iter().filter(|to| together.contains(to));
                to.map(|to| format!("{} imports {}", from.join("/"), to.join("/")))
            });
            found.insert(format!("{base}: {}", imports.collect::<Vec<_>>().join(", ")));
        }
    }
    found.into_iter().collect()
}

#[test]
fn files_import_each_other_in_no_circle() {
    let found: Vec<String> = CRATES.iter().flat_map(|base| circles(base)).collect();
    assert!(
        found.is_empty(),
        "files that import each other in a circle (move what both need into a file of its own):\n{}",
        found.join("\n")
    );
}

fn all_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["src", "crates", "tests", "benches", "fuzz/fuzz_targets", "fuzz/src"] {
        rust_files(&root().join(folder), &mut files);
    }
    files
}

#[test]
fn files_keep_the_budget() {
    let files = all_files();
    assert!(files.len() > 400, "only {} files", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let name = file.strip_prefix(root()).expect("below the root").display();
        let lines = fs::read_to_string(&file).expect("UTF-8").lines().count();
        if lines > BUDGET {
            wrong.push(format!("{name} has {lines} lines"));
        }
    }
    assert!(wrong.is_empty(), "files of more than {BUDGET} lines:\n{}", wrong.join("\n"));
}

#[test]
fn comments_fit_their_width() {
    let mut wrong = Vec::new();
    for file in all_files() {
        let text = fs::read_to_string(&file).expect("UTF-8");
        // Drawings and code keep their lines.
        let mut fenced = false;
        for (number, line) in text.lines().enumerate() {
            let comment = line.trim_start();
            fenced ^= comment.trim_start_matches(['/', '!']).trim_start().starts_with("```");
            let prose =
                !fenced && comment.starts_with("//") && !comment.contains("://") && !comment.contains('|');
            if prose && line.chars().count() > COMMENT_WIDTH {
                wrong.push(format!("{}:{}", file.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "comments wider than {COMMENT_WIDTH} columns:\n{}", wrong.join("\n"));
}
