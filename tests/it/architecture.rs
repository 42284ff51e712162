//! Holds the import layers of `src/` and the home of each crate against the code.
//!
//! The map is in `src/lib.rs`, in prose; here it is as a table. A new module or a new import is a
//! decision, made here. What lies below `src/` is held by the compiler: `crates/types` knows
//! neither of the others, `crates/history` knows not the shim.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A top-level module, and the top-level modules that it may import.
const LAYERS: &[(&str, &[&str])] = &[
    ("telemetry", &[]),
    ("statement", &[]),
    ("failure", &[]),
    ("undo", &[]),
    ("plan", &["failure", "statement"]),
    ("agent_client", &["failure", "plan", "statement", "telemetry"]),
    ("session", &["agent_client", "failure", "plan", "statement", "telemetry", "undo"]),
    ("wire", &["failure", "session", "telemetry"]),
    ("server", &["failure", "session", "wire"]),
    ("config", &["agent_client", "plan", "server", "session", "telemetry", "wire"]),
    ("cli", &["agent_client", "config", "failure", "plan", "server", "session", "telemetry", "undo", "wire"]),
    ("main", &["cli"]),
    ("lib", &[]),
];

/// An external crate, and the modules at home with it. Those not named here may be used anywhere.
const HOMES: &[(&str, &[&str])] = &[
    ("reqwest", &["agent_client", "telemetry"]),
    ("dbtrail_history", &["config", "cli"]),
    ("dbtrail_mysql_wire", &["wire", "cli"]),
    ("dbtrail_tls", &["agent_client"]),
    ("sqlparser", &["statement", "plan", "session"]),
    ("h2", &["agent_client"]),
    ("hyper", &["agent_client", "cli"]),
    ("clap", &["cli", "main"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("serde_saphyr", &["config"]),
    ("mysql_async", &["cli"]),
    ("mysql_common", &["session"]),
    ("rcgen", &["cli"]),
    ("regex", &["cli"]),
    ("tokio_rustls", &["agent_client", "wire", "server", "config", "cli"]),
    ("prometheus_client", &["telemetry"]),
    ("jiff", &["plan", "session"]),
    ("tracing_subscriber", &["telemetry"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src is readable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Top-level module of a file, and its text without comments and without its test module.
fn modules() -> BTreeMap<PathBuf, (String, String)> {
    let src = root().join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 30, "the walk over src/ found only {} files", files.len());
    files
        .into_iter()
        .map(|file| {
            let relative = file.strip_prefix(&src).expect("below src").to_owned();
            let first =
                relative.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
            let module = first.trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&file).expect("source is UTF-8");
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            let code: Vec<&str> = code.lines().filter(|l| !l.trim_start().starts_with("//")).collect();
            (relative, (module, code.join("\n")))
        })
        .collect()
}

/// The identifiers that follow `prefix::` in the code; `prefix::{a, b::c}` gives a and b.
fn paths_after(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0_usize;
            let mut word = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.insert(first_word(&word));
                        word.clear();
                    }
                    c if depth == 0 => word.push(c),
                    _ => {}
                }
            }
            found.insert(first_word(&word));
        } else {
            found.insert(first_word(rest));
        }
    }
    found.remove("");
    found
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn modules_import_only_what_the_map_allows() {
    let layers: BTreeMap<&str, BTreeSet<&str>> =
        LAYERS.iter().map(|(m, allowed)| (*m, allowed.iter().copied().collect())).collect();
    let mut wrong = Vec::new();
    for (file, (module, code)) in modules() {
        let Some(allowed) = layers.get(module.as_str()) else {
            wrong.push(format!("{}: module {module} is not on the map", file.display()));
            continue;
        };
        let prefix = if module == "main" { "dbtrail_shim::" } else { "crate::" };
        for used in paths_after(&code, prefix) {
            if layers.contains_key(used.as_str()) && used != module && !allowed.contains(used.as_str()) {
                wrong.push(format!("{}: {module} imports {used}", file.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "imports that the map in tests/it/architecture.rs forbids:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_map_has_no_cycle() {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for (module, allowed) in LAYERS {
        for below in *allowed {
            assert!(known.contains(below), "{module} may import {below}, which stands below it in the table");
        }
        known.insert(module);
    }
}

#[test]
fn external_crates_stay_at_home() {
    let mut wrong = Vec::new();
    for (file, (module, code)) in modules() {
        for (external, homes) in HOMES {
            if !homes.contains(&module.as_str()) && !paths_after(&code, &format!("{external}::")).is_empty() {
                wrong.push(format!("{}: {module} uses {external}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_docs_say_what_each_dependency_is_for() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let docs = fs::read_to_string(root().join("docs/dependencies.md")).expect("docs/dependencies.md");
    let dependencies = manifest
        .split("[workspace.dependencies]")
        .nth(1)
        .and_then(|t| t.split("\n[").next())
        .expect("a table");
    let mut seen = 0;
    for line in dependencies.lines() {
        if let Some((name, _)) = line.split_once(" = ") {
            // The crates of this workspace are on the map; those of the tests are no part of the
            // program.
            if name.starts_with("dbtrail-") || ["proptest", "tempfile"].contains(&name) {
                continue;
            }
            seen += 1;
            assert!(
                docs.contains(&format!("| `{name}`")),
                "docs/dependencies.md does not say what {name} is for"
            );
        }
    }
    assert!(seen > 15, "only {seen} dependencies found");
}

#[test]
fn the_project_names_nothing_outside_of_itself() {
    let mut files = Vec::new();
    for folder in ["src", "crates", "tests/it", "benches", "docs"] {
        let path = root().join(folder);
        if path.is_dir() {
            sources(&path, &mut files);
        }
    }
    for file in files {
        let text = fs::read_to_string(&file).expect("UTF-8");
        for word in [concat!("../", "shared"), concat!("/wo", "rk/")] {
            assert!(!text.contains(word), "{} names {word}", file.display());
        }
    }
}
