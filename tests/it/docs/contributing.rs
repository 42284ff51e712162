//! Holds the ways of CONTRIBUTING.md to the code: a file that a way names is there, and has the
//! names that follow it.

use super::root;
use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// What is between backticks, and how the text goes on after it.
fn quoted(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, open)) = rest.split_once('`') {
        let (inside, following) = open.split_once('`').expect("a closing backtick");
        found.push((inside, following));
        rest = following;
    }
    found
}

#[test]
fn ways_lead_to_files_that_are_there() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("CONTRIBUTING.md");
    let (_, ways) = text.split_once("## Where things are").expect("the table");
    let (ways, _) = ways.split_once("## How to debug").expect("what comes after the ways");
    let mut all = Vec::new();
    for folder in ["src", "crates", "tests/it", "docs"] {
        files(&root().join(folder), &mut all);
    }
    let (mut seen, mut names, mut wrong) = (0, 0, Vec::new());
    for (named, following) in quoted(ways) {
        let is_path = named.contains('/')
            || ["rs", "md", "toml"].iter().any(|end| Path::new(named).extension().is_some_and(|e| e == *end));
        // What a build or a run makes is not there before it.
        if !is_path || named.starts_with("target/") {
            continue;
        }
        seen += 1;
        let folder = [root().join(named), root().join("src").join(named)];
        let is_folder = folder.iter().any(|path| path.is_dir());
        let there: Vec<&PathBuf> = all.iter().filter(|path| path.ends_with(named)).collect();
        if !is_folder && there.is_empty() && Path::new(named).extension().is_none_or(|e| e != "toml") {
            wrong.push(format!("`{named}` is not there"));
        }
        // `file.rs` (`name`, then `other`): one of the files of that name has it.
        let Some((inside, _)) = following.strip_prefix(" (").and_then(|f| f.split_once(')')) else {
            continue;
        };
        for (name, _) in quoted(inside) {
            if name.contains(['/', '.']) {
                continue;
            }
            names += 1;
            let word = name.rsplit("::").next().expect("a word");
            if !there.iter().any(|path| fs::read_to_string(path).expect("UTF-8").contains(word)) {
                wrong.push(format!("`{named}` has no `{name}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "CONTRIBUTING.md: {}", wrong.join("; "));
    assert!(seen > 25 && names > 3, "only {seen} files and {names} names found");
}
