//! Keeps the words out of the code that were a vocabulary of this project alone: where MySQL or the
//! storage field has a word of its own, that word counts (the glossary in docs/design.md).

use std::fs;
use std::path::{Path, PathBuf};

/// Identifiers that occur nowhere in the code.
const WORDS: &[&str] = &[
    "anew",
    "BeginAnew",
    "behind",
    "Beside",
    "beside",
    "Catalogue",
    "catalogue",
    "Certain",
    "certain",
    "deaf",
    "durable",
    "fate",
    "fates",
    "faulted",
    "FilePlace",
    "Filled",
    "hole",
    "incarnation",
    "incarnations",
    "InstantExpr",
    "laid_open",
    "learn",
    "learnt",
    "Liveness",
    "liveness",
    "loops",
    "Maxima",
    "mend",
    "misuse",
    "Moment",
    "moment",
    "Moments",
    "moments",
    "multiplex",
    "NotAnInstant",
    "Place",
    "place",
    "Places",
    "places",
    "Published",
    "SpaceId",
    "Standing",
    "standing",
    "standings",
    "stands",
    "Stretch",
    "stretch",
    "stretches",
    "Told",
    "told",
    "Uncertain",
    "uncertain",
    "Uncertainty",
    "Unsure",
    "unsure",
    "untold",
    "Whole",
    "whole",
    "Wish",
    "wished",
    "wishes",
    "would_observe",
];

/// Names that no type has: a word of the prelude, or one that would mean several things.
const TYPES: &[&str] = &[
    "Again", "Asked", "Cut", "Default", "Entry", "Extent", "Fate", "From", "Held", "Hole", "Horizon",
    "Input", "Inside", "Instant", "Kept", "Kind", "Known", "Point", "Position", "Print", "Recent", "Seen",
    "Sequence", "Settings", "Shown", "Side", "Silent", "Source", "Space", "Steps", "Trace", "Trust", "Way",
];

/// Words that no comment and no document has.
const PROSE: &[&str] = &[
    "BeginAnew",
    "FilePlace",
    "Liveness",
    "Maxima",
    "SpaceId",
    "Wish",
    "anew",
    "beside the log",
    "incarnation",
    "laid open",
    "learnt",
    "mend",
    "mended",
    "mends",
    "cannot be had",
];

/// Comments that say no more than the name below them.
const EMPTY: &[&str] =
    &["What.", "Which.", "Why.", "How.", "When.", "Where.", "Who.", "It.", "They.", "The same."];

fn says_nothing(comment: &str) -> bool {
    let text = comment.trim_start_matches('/').trim();
    let of_a_word = text.strip_prefix("Its ").and_then(|rest| rest.strip_suffix('.'));
    EMPTY.contains(&text) || of_a_word.is_some_and(|word| word.chars().all(char::is_alphabetic))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target" && name != "clients") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("retired_names.rs") {
            found.push(path);
        }
    }
}

/// The code of a text without its comments and literals, and its comments.
fn split(text: &str) -> (String, Vec<(usize, String)>) {
    let (mut code, mut comments) = (String::new(), Vec::new());
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let in_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let length = if rest.starts_with("//") {
            let length = rest.find('\n').unwrap_or(rest.len());
            comments.push((line, rest[..length].to_owned()));
            length
        } else if let Some(quote) = raw_string(rest).filter(|_| !in_word) {
            quote
        } else if first == '"' {
            string(rest)
        } else if first == '\'' {
            character(rest)
        } else {
            code.push(first);
            first.len_utf8()
        };
        if length > 1 || first == '\'' {
            code.push(' ');
        }
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    (code, comments)
}

fn raw_string(text: &str) -> Option<usize> {
    let text_of = text.strip_prefix('b').unwrap_or(text);
    let marks = text_of.strip_prefix('r')?.chars().take_while(|c| *c == '#').count();
    let begin = text.len() - text_of.len() + 1 + marks;
    text[begin..].starts_with('"').then_some(())?;
    let end = format!("\"{}", "#".repeat(marks));
    Some(text[begin + 1..].find(&end).map_or(text.len(), |at| begin + 1 + at + end.len()))
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A character; the quote alone of a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), _) => {
            text.char_indices().skip(3).find(|(_, c)| *c == '\'').map_or(1, |(at, _)| at + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

#[test]
fn retired_names_do_not_come_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "crates", "tests", "benches", "fuzz/fuzz_targets", "fuzz/src"] {
        sources(&root.join(folder), &mut files);
    }
    assert!(files.len() > 400, "only {} files", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("UTF-8");
        let name = file.strip_prefix(root).expect("below the root").display();
        let (code, comments) = split(&text);
        let mut before = "";
        for word in code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()) {
            let defines = ["struct", "enum", "trait", "type"].contains(&before);
            if WORDS.contains(&word) || defines && TYPES.contains(&word) {
                wrong.push(format!("{name}: {before} {word}"));
            }
            before = word;
        }
        for (line, comment) in comments {
            let words = PROSE.iter().filter(|w| has_word(&comment, w));
            wrong.extend(words.map(|w| format!("{name}:{line}: {w}")));
            if comment.contains("(manual: \"") {
                wrong.push(format!("{name}:{line}: the manual without a link"));
            }
            if comment.starts_with("///") && says_nothing(&comment) {
                wrong.push(format!("{name}:{line}: {comment} says nothing"));
            }
            // Links, tables and listings cannot be wrapped.
            let wraps =
                !["://", "|", " -> ", " <- ", "cargo bench"].iter().any(|part| comment.contains(part));
            if wraps && comment.chars().count() > 100 {
                wrong.push(format!("{name}:{line}: a comment wider than 100 columns"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "names that docs/design.md's glossary has another word for:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn documents_use_the_words_of_the_field() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for folder in [root.to_owned(), root.join("docs")] {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|e| e != "md") {
                continue;
            }
            seen += 1;
            let text = fs::read_to_string(&path).expect("UTF-8");
            // What is between backticks names something that is called so.
            let prose: String = text.split('`').step_by(2).collect();
            let words = PROSE.iter().filter(|w| has_word(&prose, w));
            wrong.extend(words.map(|w| format!("{}: {w}", path.display())));
        }
    }
    assert!(seen > 10, "only {seen} documents");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn comments_and_literals_are_no_code() {
    let (code, comments) =
        split("let a = \"x // told\"; // told\nlet b = r#\"told\"#; 'p'; &'static T; '\\'' told");
    assert!(has_word(&code, "told") && !has_word(&code.replace(" told", ""), "told"), "{code}");
    assert_eq!(comments, [(1, "// told".to_owned())]);
}
