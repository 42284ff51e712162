//! Statements that change rows: which tables they name.

use super::reader::LexemeReader;
use super::{Reach, Rows};
use dbtrail_sql_text::Token;
use dbtrail_types::names::TableName;
use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

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
/// functions, in lower case. A name that is not here may be a stored function.
static NO_CALLS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("functions.txt").split_ascii_whitespace().collect());

#[expect(clippy::wildcard_enum_match_arm, reason = "tokens that are not named are passed over")]
impl LexemeReader<'_> {
    /// A statement that begins with this word.
    pub(super) fn rows(&mut self, verb: &str) -> Reach {
        let start = self.tokens.index();
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
        self.tokens.go(start);
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
        names.insert(self.tokens.index() - 1);
        Some(name)
    }

    fn inserted(&mut self, rows: &mut Rows, names: &mut BTreeSet<usize>) -> Option<()> {
        self.modifiers();
        self.tokens.words(&["INTO"]);
        rows.targets.push(self.target(names)?);
        Some(())
    }

    fn loaded(&mut self, rows: &mut Rows, names: &mut BTreeSet<usize>) -> Option<()> {
        while !self.tokens.words(&["INTO", "TABLE"]) {
            self.tokens.peek()?;
            self.tokens.skip(1);
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
        let from = (self.tokens.index()..self.tokens.end()).find(|i| self.tokens.all()[*i].is("FROM"))?;
        let using = (from..self.tokens.end()).find(|i| {
            self.tokens.all()[*i].is("USING") && self.tokens.get(i + 1) != Some(&Token::Symbol('('))
        });
        self.tokens.go(using.unwrap_or(from) + 1);
        self.table_list(&mut rows.targets, names)
    }

    /// Tables of a FROM clause: after its beginning, commas and JOIN.
    fn table_list(&mut self, tables: &mut Vec<TableName>, names: &mut BTreeSet<usize>) -> Option<()> {
        let mut expected = true;
        // Parentheses that hold tables, and others.
        let mut open: Vec<bool> = Vec::new();
        while let Some(lexeme) = self.tokens.peek() {
            match lexeme {
                Token::Symbol('(') => {
                    self.tokens.skip(1);
                    let query = ["SELECT", "WITH", "VALUES", "TABLE"];
                    if expected && self.tokens.peek().is_some_and(|l| query.iter().any(|word| l.is(word))) {
                        // Its tables are read as those of any query.
                        self.group()?;
                        expected = false;
                    } else {
                        open.push(expected);
                    }
                }
                Token::Symbol(')') => {
                    if open.pop().is_none() {
                        return Some(());
                    }
                    self.tokens.skip(1);
                    expected = false;
                }
                Token::Symbol(',') => {
                    self.tokens.skip(1);
                    expected = open.last().copied().unwrap_or(true);
                }
                Token::Symbol(';') => return Some(()),
                _ if expected => {
                    if self.tokens.words(&["LATERAL"]) || self.tokens.words(&["ONLY"]) {
                        continue;
                    }
                    let table = self.target(names)?;
                    if self.tokens.peek() == Some(&Token::Symbol('(')) {
                        // JSON_TABLE, or a table that a function gives.
                        self.tokens.skip(1);
                        self.group()?;
                    } else {
                        // DELETE FROM t.* USING ...
                        if self.tokens.symbol('.') {
                            self.tokens.symbol('*');
                        }
                        tables.push(table);
                    }
                    expected = false;
                }
                _ if lexeme.is("JOIN") || lexeme.is("STRAIGHT_JOIN") => {
                    self.tokens.skip(1);
                    expected = true;
                }
                _ if open.is_empty() && AFTER_TABLES.iter().any(|end| lexeme.is(end)) => return Some(()),
                _ => self.tokens.skip(1),
            }
        }
        (!expected).then_some(())
    }

    /// Passes over what is left of a parenthesis.
    fn group(&mut self) -> Option<()> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.tokens.peek()? {
                Token::Symbol('(') => depth += 1,
                Token::Symbol(')') => depth -= 1,
                _ => {}
            }
            self.tokens.skip(1);
        }
        Some(())
    }

    /// The tables after every FROM and JOIN of the statement; `None`: they cannot be read.
    fn read_tables(&mut self, rows: &mut Rows, names: &mut BTreeSet<usize>) -> Option<()> {
        for i in self.tokens.index()..self.tokens.end() {
            if self.tokens.all()[i].is("FROM")
                || self.tokens.all()[i].is("JOIN")
                || self.tokens.all()[i].is("STRAIGHT_JOIN")
            {
                self.tokens.go(i + 1);
                self.table_list(&mut rows.reads, names)?;
            } else if self.tokens.all()[i].is("TABLE") && !(i > 0 && self.tokens.all()[i - 1].is("INTO")) {
                // `TABLE t` is a query.
                return None;
            }
        }
        Some(())
    }

    /// Whether a function is called that may be a stored one.
    fn calls(&self, start: usize, names: &BTreeSet<usize>) -> bool {
        (start..self.tokens.end()).any(|i| {
            if self.tokens.get(i + 1) != Some(&Token::Symbol('(')) || names.contains(&i) {
                return false;
            }
            let following = |mark| i > 0 && self.tokens.all()[i - 1] == Token::Symbol(mark);
            match &self.tokens.all()[i] {
                Token::Word(word) => following('.') || !NO_CALLS.contains(word.to_ascii_lowercase().as_str()),
                Token::Quoted(_) => true,
                _ => false,
            }
        })
    }
}
