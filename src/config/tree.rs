//! YAML to a tree that knows its lines. Scalars are text, as written: what a number or a duration
//! is, the keys decide.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "events that are not named do not belong in a configuration"
)]

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, StrInput};

/// Deeper than any key of the file.
const DEEPEST: usize = 16;

/// Something that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mistake {
    pub(super) line: usize,
    /// Path of the key (`tenants[0].mysql_user`); empty for the file as a whole.
    pub(super) path: String,
    pub(super) what: String,
}

/// A value and the line that it begins in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    Text(String),
    List(Vec<Node>),
    /// Keys in the order of the file, each with its line; a key may be twice.
    Map(Vec<(String, usize, Node)>),
}

impl Value {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Text(_) => "a single value",
            Self::List(_) => "a list",
            Self::Map(_) => "keys with values",
        }
    }
}

/// Reads the one document of a file.
pub(super) fn read(text: &str) -> Result<Node, Mistake> {
    let mut events = Events { parser: Parser::new_from_str(text), line: 1 };
    let mut document = None;
    loop {
        match events.next()? {
            None => return Ok(document.unwrap_or(Node { line: 1, value: Value::Null })),
            Some(Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd) => {}
            Some(_) if document.is_some() => {
                return Err(events.wrong("a second document (---) begins: a configuration is one".to_owned()));
            }
            Some(event) => document = Some(events.node(event, DEEPEST)?),
        }
    }
}

struct Events<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// Of the last event.
    line: usize,
}

impl<'a> Events<'a> {
    fn wrong(&self, what: String) -> Mistake {
        Mistake { line: self.line, path: String::new(), what }
    }

    fn next(&mut self) -> Result<Option<Event<'a>>, Mistake> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok((event, span))) => {
                self.line = span.start.line().max(1);
                Ok(Some(event))
            }
            Some(Err(error)) => {
                let marker = error.marker();
                self.line = marker.line().max(1);
                Err(self.wrong(format!("this is not YAML: {} (column {})", error.info(), marker.col() + 1)))
            }
        }
    }

    fn some(&mut self) -> Result<Event<'a>, Mistake> {
        self.next()?.ok_or_else(|| self.wrong("the file ends too early".to_owned()))
    }

    /// The value that begins with this event.
    fn node(&mut self, first: Event<'a>, depth: usize) -> Result<Node, Mistake> {
        let line = self.line;
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.wrong("this is nested deeper than any key is".to_owned()));
        };
        let value = match first {
            Event::Scalar(text, style, ..) => match (style, text.as_ref()) {
                (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => Value::Null,
                _ => Value::Text(text.into_owned()),
            },
            Event::SequenceStart(..) => {
                let mut list = Vec::new();
                loop {
                    match self.some()? {
                        Event::SequenceEnd => break Value::List(list),
                        event => list.push(self.node(event, depth)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut map = Vec::new();
                loop {
                    match self.some()? {
                        Event::MappingEnd => break Value::Map(map),
                        Event::Scalar(key, ..) => {
                            let (key, line) = (key.into_owned(), self.line);
                            let event = self.some()?;
                            map.push((key, line, self.node(event, depth)?));
                        }
                        _ => return Err(self.wrong("a key must be a word".to_owned())),
                    }
                }
            }
            _ => return Err(self.wrong("anchors and aliases are not read: write the value out".to_owned())),
        };
        Ok(Node { line, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: usize, text: &str) -> Node {
        Node { line, value: Value::Text(text.to_owned()) }
    }

    #[test]
    fn ok_values_know_their_lines() {
        let tree = read("a: 0123 # as written\nb:\n  - x\n  - 'null'\nc: null\n").unwrap();
        let list = Value::List(vec![text(3, "x"), text(4, "null")]);
        let want = vec![
            ("a".to_owned(), 1, text(1, "0123")),
            ("b".to_owned(), 2, Node { line: 3, value: list }),
            ("c".to_owned(), 5, Node { line: 5, value: Value::Null }),
        ];
        assert_eq!(tree.value, Value::Map(want));
        assert_eq!(read("# nothing\n").unwrap().value, Value::Null);
    }

    #[test]
    fn err_with_their_lines() {
        for (yaml, line, what) in [
            ("a: 1\nb: [1, 2\n", 3, "this is not YAML"),
            ("a: 1\n\tb: 2\n", 2, "this is not YAML"),
            ("a: &x 1\nb: *x\n", 2, "anchors and aliases"),
            ("a: 1\n---\nb: 2\n", 3, "a second document"),
            ("[a, b]: 1\n", 1, "a key must be a word"),
            ("a:\n  [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n", 2, "nested deeper"),
        ] {
            let mistake = read(yaml).unwrap_err();
            assert!(
                mistake.line == line && mistake.what.starts_with(what) || mistake.what.contains(what),
                "{yaml}: {mistake:?}"
            );
        }
    }
}
