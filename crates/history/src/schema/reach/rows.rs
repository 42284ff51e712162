//! Statements that change rows: which tables they name.

use super::{Lexeme, LexemeReader, Reach, Rows};
use dbtrail_types::names::TableName;
use std::collections::BTreeSet;

/// Words before which a table's name, or its alias, has ended.
const AFTER_TABLES: &[&str] = &[
    "SET",
    "WHERE",
    "ORDER",
    "GROUP",
    "HAVING",
    "LIMIT",
    "RETURNING",
    "VALUES",
    "VALUE",
    "SELECT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "WINDOW",
    "FOR",
    "LOCK",
    "INTO",
    "PROCEDURE",
];

/// Words that a parenthesis can follow without a function being called, and the servers' own
/// functions. A name that is not here may be a stored function.
const NO_CALLS: &str = include_str!("functions.txt");

impl LexemeReader<'_> {
    /// A statement that begins with this word.
    pub(super) fn rows(&mut self, verb: &str) -> Reach {
        let start = self.at;
        let mut rows = Rows::default();
        // Where names of tables are: a parenthesis after them holds columns.
        let mut names = BTreeSet::new();
        let found = match verb {
            "INSERT" | "REPLACE" => self.inserted(&mut rows, &mut names),
            "UPDATE" => self.updated(&mut rows, &mut names),
            "DELETE" => self.deleted(&mut rows, &mut names),
            "LOAD" => self.loaded(&mut rows, &mut names),
            // It changes rows by functions alone.
            "SELECT" | "DO" | "VALUES" => Some(()),
            // WITH: which statement follows, is not looked for.
            _ => None,
        };
        if found.is_none() {
            return Reach::unknown();
        }
        self.at = start;
        let read = self.read_tables(&mut rows, &mut names);
        rows.calls |= read.is_none() || self.calls(start, &names);
        if rows.targets.is_empty() {
            return if rows.calls { Reach::unknown() } else { Reach::nothing() };
        }
        Reach { rows: Some(rows), ..Reach::default() }
    }

    fn modifiers(&mut self) {
        while self.any_word(&[
            "LOW_PRIORITY",
            "DELAYED",
            "HIGH_PRIORITY",
            "QUICK",
            "IGNORE",
            "CONCURRENT",
            "LOCAL",
        ]) {}
    }

    fn target(&mut self, names: &mut BTreeSet<usize>) -> Option<TableName> {
        let name = self.name()?;
        names.insert(self.at - 1);
        Some(name)
    }

    fn inserted(&mut self, rows: &mut Rows, names: &mut BTreeSet<usize>) -> Option<()> {
        self.modifiers();
        self.word("INTO");
        rows.targets.push(self.target(names)?);
        Some(())
    }

    fn loaded(&mut self, rows: &mut Rows, names: &mut BTreeSet<usize>) -> Option<()> {
        while !self.words(&["INTO", "TABLE"]) {
            self.peek()?;
            self.at += 1;
        }
        rows.targets.push(self.target(names)?);
        Some(())
    }

    /// UPDATE: any table in front of SET can be changed.
    fn updated(&mut self, rows: &mut Rows, names: &mut BTreeSet<usize>) -> Option<()> {
        self.modifiers();
        self.table_list(&mut rows.targets, names)
    }

    /// DELETE: of several tables, any of them, by name or by alias.
    fn deleted(&mut self, rows: &mut Rows, names: &mut BTreeSet<usize>) -> Option<()> {
        self.modifiers();
        let from = (self.at..self.list.len()).find(|i| self.list[*i].is("FROM"))?;
        let using = (from..self.list.len())
            .find(|i| self.list[*i].is("USING") && self.list.get(i + 1) != Some(&Lexeme::Mark('(')));
        self.at = using.unwrap_or(from) + 1;
        self.table_list(&mut rows.targets, names)
    }

    /// Tables of a FROM clause: after its beginning, commas and JOIN.
    fn table_list(&mut self, tables: &mut Vec<TableName>, names: &mut BTreeSet<usize>) -> Option<()> {
        let mut expected = true;
        // Parentheses that hold tables, and others.
        let mut open: Vec<bool> = Vec::new();
        while let Some(lexeme) = self.peek() {
            match lexeme {
                Lexeme::Mark('(') => {
                    self.at += 1;
                    let query = ["SELECT", "WITH", "VALUES", "TABLE"];
                    if expected && self.peek().is_some_and(|l| query.iter().any(|word| l.is(word))) {
                        // Its tables are read as those of any query.
                        self.group()?;
                        expected = false;
                    } else {
                        open.push(expected);
                    }
                }
                Lexeme::Mark(')') => {
                    if open.pop().is_none() {
                        return Some(());
                    }
                    self.at += 1;
                    expected = false;
                }
                Lexeme::Mark(',') => {
                    self.at += 1;
                    expected = open.last().copied().unwrap_or(true);
                }
                Lexeme::Mark(';') => return Some(()),
                _ if expected => {
                    if self.word("LATERAL") || self.word("ONLY") {
                        continue;
                    }
                    let table = self.target(names)?;
                    if self.peek() == Some(&Lexeme::Mark('(')) {
                        // JSON_TABLE, or a table that a function gives.
                        self.at += 1;
                        self.group()?;
                    } else {
                        // DELETE FROM t.* USING ...
                        if self.mark('.') {
                            self.mark('*');
                        }
                        tables.push(table);
                    }
                    expected = false;
                }
                _ if lexeme.is("JOIN") || lexeme.is("STRAIGHT_JOIN") => {
                    self.at += 1;
                    expected = true;
                }
                _ if open.is_empty() && AFTER_TABLES.iter().any(|end| lexeme.is(end)) => return Some(()),
                Lexeme::Word(_) | Lexeme::Name(_) | Lexeme::Text(_) | Lexeme::Number(_) | Lexeme::Mark(_) => {
                    self.at += 1;
                }
            }
        }
        (!expected).then_some(())
    }

    /// Passes over what is left of a parenthesis.
    fn group(&mut self) -> Option<()> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.peek()? {
                Lexeme::Mark('(') => depth += 1,
                Lexeme::Mark(')') => depth -= 1,
                Lexeme::Word(_) | Lexeme::Name(_) | Lexeme::Text(_) | Lexeme::Number(_) | Lexeme::Mark(_) => {
                }
            }
            self.at += 1;
        }
        Some(())
    }

    /// The tables after every FROM and JOIN of the statement; `None`: they cannot be read.
    fn read_tables(&mut self, rows: &mut Rows, names: &mut BTreeSet<usize>) -> Option<()> {
        for i in self.at..self.list.len() {
            if self.list[i].is("FROM") || self.list[i].is("JOIN") || self.list[i].is("STRAIGHT_JOIN") {
                self.at = i + 1;
                self.table_list(&mut rows.reads, names)?;
            } else if self.list[i].is("TABLE") && !(i > 0 && self.list[i - 1].is("INTO")) {
                // `TABLE t` is a query.
                return None;
            }
        }
        Some(())
    }

    /// Whether a function is called that may be a stored one.
    fn calls(&self, start: usize, names: &BTreeSet<usize>) -> bool {
        (start..self.list.len()).any(|i| {
            if self.list.get(i + 1) != Some(&Lexeme::Mark('(')) || names.contains(&i) {
                return false;
            }
            let following = |mark| i > 0 && self.list[i - 1] == Lexeme::Mark(mark);
            match &self.list[i] {
                Lexeme::Word(word) => {
                    let own = NO_CALLS.split_ascii_whitespace().any(|own| own.eq_ignore_ascii_case(word));
                    following('.') || !own
                }
                Lexeme::Name(_) => true,
                Lexeme::Text(_) | Lexeme::Number(_) | Lexeme::Mark(_) => false,
            }
        })
    }
}
