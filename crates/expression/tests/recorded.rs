//! Holds the evaluator to what MySQL 9.7.4 answered to 20,000 generated expressions: equal in value
//! and in declared type, or refused.
//!
//! The recording is `tests/real/expressions.py`'s.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

use dbtrail_expression::{
    Budget, Coercibility, Collated, Error, EvaluationSettings, ExprType, Scope, Type, Typed, Value,
    charset_of, compile,
};
use flate2::read::GzDecoder;
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;
use std::collections::BTreeMap;
use std::io::Read;

/// Of a hundred expressions that MySQL answers, so many may be refused here.
const MOST_REFUSED: usize = 28;

struct Recorded {
    settings: EvaluationSettings,
    user: BTreeMap<String, Typed>,
}

impl Scope for Recorded {
    fn settings(&self) -> EvaluationSettings {
        self.settings
    }

    fn column(&self, _qualifier: Option<&str>, name: &str) -> Result<Typed, Error> {
        Err(Error::UnknownColumn(name.to_owned()))
    }

    fn user_variable(&self, name: &str) -> Result<Typed, Error> {
        Ok(self.user.get(name).cloned().unwrap_or_else(Typed::null))
    }

    fn system_variable(&self, _scope: &str, name: &str) -> Result<Typed, Error> {
        Err(Error::UnknownVariable(name.to_owned()))
    }

    fn function(&self, _name: &str, _arguments: &[Typed]) -> Option<Result<Typed, Error>> {
        None
    }
}

/// A `SET NAMES ..., collation_connection = ..., sql_mode = ...` of the recording.
fn settings(set: &str) -> EvaluationSettings {
    let after = |word: &str| set.split_once(word).map(|(_, rest)| rest.trim_start_matches(['=', ' ', '\'']));
    let word = |text: &'_ str| text.split([',', '\'', ' ']).next().unwrap().to_owned();
    let collation = after("collation_connection").or_else(|| after("COLLATE")).map(word);
    let mode = after("sql_mode").unwrap_or_default();
    EvaluationSettings {
        collation: dbtrail_expression::known_collation(collation.as_deref().unwrap_or("utf8mb4_0900_ai_ci"))
            .unwrap(),
        no_backslash_escapes: mode.contains("NO_BACKSLASH_ESCAPES"),
        no_unsigned_subtraction: mode.contains("NO_UNSIGNED_SUBTRACTION"),
        strict: mode.starts_with("DEFAULT") || mode.contains("STRICT"),
        pipes_as_concat: mode.contains("PIPES_AS_CONCAT"),
    }
}

/// The variables that the recording sets, as `Session` keeps them.
fn variables(collation: &'static str) -> BTreeMap<String, Typed> {
    let text = |value: &str, name: &'static str| {
        let collated = Collated { name, coercibility: Coercibility::Implicit };
        let chars = dbtrail_expression::variable_chars(name);
        (Value::from(value), ExprType::Text { chars, collated })
    };
    let int = |n: i128, unsigned: bool| (Value::Int(n), ExprType::Int { width: 21, unsigned });
    let null = Collated { name: "binary", coercibility: Coercibility::Implicit };
    let all = [
        ("@i", int(42, false)),
        ("@n", (Value::Null, ExprType::Text { chars: 16_383, collated: null })),
        ("@d", int(i128::from(i64::MIN), false)),
        ("@u", int(i128::from(u64::MAX), true)),
        ("@s", text("Shop", collation)),
        ("@e", text("", collation)),
        (
            "@f",
            (Value::Double(dbtrail_expression::Double(1.5)), ExprType::Double { width: 23, decimals: 31 }),
        ),
        ("@c", (Value::Decimal("12.50".parse().unwrap()), ExprType::Decimal { precision: 65, scale: 30 })),
        ("@b", text("AbC", "utf8mb4_bin")),
        ("@t", text("12", collation)),
    ];
    let typed = |(value, kind)| Typed::constant(value, Type::new(kind, true));
    all.into_iter().map(|(name, known)| (name[1..].to_owned(), typed(known))).collect()
}

/// Type, length, character set, flags, decimals of a result column, as mysqld sends them to a
/// client of utf8mb4.
fn declared(ty: &Type, names: u32) -> String {
    let (mut flags, binary, unsigned) = (u32::from(!ty.nullable), 128, 32);
    let (code, length, charset, decimals) = match ty.kind {
        ExprType::Null => (6, 0, 63, 0),
        ExprType::Int { width, unsigned: without_sign } => {
            flags |= if without_sign { unsigned } else { 0 };
            (8, width, 63, 0)
        }
        ExprType::Decimal { precision, scale } => (246, precision + u32::from(scale > 0) + 1, 63, scale),
        ExprType::Double { width, decimals } => (5, width, 63, decimals),
        ExprType::Text { collated, .. } if collated.name == "binary" => (250, 16_777_215, 63, 31),
        ExprType::Text { chars, collated } => {
            flags |= if collated.name.ends_with("_bin") { binary } else { 0 };
            let widest = if charset_of(collated.name) == "utf8mb4" { 4 } else { 1 };
            let code = match chars * widest {
                0..65_536 => 253,
                65_536..16_777_216 => 250,
                _ => 251,
            };
            (code, chars * 4, names, 31)
        }
        ExprType::Date | ExprType::Time { .. } | ExprType::DateTime { .. } => {
            panic!("no times are generated")
        }
    };
    flags |= if charset == 63 { binary } else { 0 };
    format!("{code} {length} {charset} {flags} {decimals}")
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        out.push(match c {
            '\\' => match letters.next().unwrap() {
                't' => '\t',
                'n' => '\n',
                other => other,
            },
            c => c,
        });
    }
    out
}

fn parsed(expression: &str, settings: EvaluationSettings) -> Option<sqlparser::ast::Expr> {
    let dialect = MySqlDialect {};
    let tokens = sqlparser::tokenizer::Tokenizer::new(&dialect, expression);
    let escapes = !settings.no_backslash_escapes;
    let tokens = tokens.with_unescape(escapes).tokenize_with_location().ok()?;
    if !escapes {
        // The dialect takes a backslash for an escape whatever it is given: such text is left out.
        if expression.contains('\\') {
            return None;
        }
    }
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
    let found = parser.parse_expr().ok()?;
    (parser.peek_token().token == sqlparser::tokenizer::Token::EOF).then_some(found)
}

#[test]
fn as_mysql_answered_or_refused() {
    is_as_recorded("mysql-9.7.4.gz");
}

/// The same of other expressions (seed 2026).
#[test]
fn as_mysql_answered_or_refused_once_more() {
    is_as_recorded("mysql-9.7.4-second.gz");
}

#[expect(clippy::print_stdout, reason = "the numbers are for whoever reads the output of the test")]
fn is_as_recorded(file: &str) {
    let mut recording = String::new();
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    GzDecoder::new(std::fs::File::open(data).unwrap()).read_to_string(&mut recording).unwrap();
    let mut scope = Recorded { settings: settings(""), user: BTreeMap::new() };
    let (mut asked, mut answered, mut failed, mut wrong) = (0, 0, 0, Vec::new());
    let mut reasons: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut names = 255;
    for line in recording.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [expression, rest @ ..] = fields.as_slice() else { panic!("{line}") };
        if *expression == "SET" {
            if rest[0].starts_with("SET NAMES") {
                scope.settings = settings(rest[0]);
                let of = scope.settings.collation;
                let id = mysql_id(if charset_of(of) == "utf8mb4" && rest[0].contains("COLLATE") {
                    of
                } else {
                    ""
                });
                names = id;
            } else {
                scope.user = variables(scope.settings.collation);
            }
            continue;
        }
        asked += 1;
        let expression = unescaped(expression);
        let computed = parsed(&expression, scope.settings)
            .ok_or_else(|| Error::Unsupported("is not parsed".to_owned()))
            .and_then(|parsed| compile(&parsed, &scope))
            .and_then(|typed| {
                let value = typed.node.value(&[], &[], &mut Budget::default())?;
                Ok((typed.ty, value))
            });
        match (computed, rest) {
            (Err(_), [error]) if error.starts_with('!') => failed += 1,
            (Err(error), _) => {
                // Without the expression that a message begins with.
                let message = error.to_string();
                let reason = message.rsplit_once("' ").map_or(&*message, |(_, why)| why);
                let reason: String = reason.chars().take(60).collect();
                reasons.entry(reason).or_insert((0, expression)).0 += 1;
            }
            (Ok((ty, value)), [want @ .., shown]) => {
                answered += 1;
                let want = want.first().copied().unwrap_or("an error");
                let got = value.text().map_or("N".to_owned(), |t| format!("={t}"));
                if declared(&ty, names) != want || got != unescaped(shown) {
                    wrong.push(format!(
                        "{expression}\n    here {} {got}\n    mysql {want} {shown}",
                        declared(&ty, names)
                    ));
                }
            }
            (Ok(_), []) => panic!("{line}"),
        }
    }
    let refused: usize = reasons.values().map(|(n, _)| n).sum();
    println!("{asked} asked, {answered} answered, {failed} failed in both, {refused} refused here");
    for (reason, (count, example)) in &reasons {
        println!("{count:6} {reason}: {example}");
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(400)].join("\n"));
    assert!(asked >= 20_000, "only {asked} are recorded");
    assert!(refused * 100 <= asked * MOST_REFUSED, "{refused} of {asked} refused");
}

/// The number of a collation that the recording names.
fn mysql_id(collation: &str) -> u32 {
    match collation {
        "utf8mb4_bin" => 46,
        "utf8mb4_general_ci" => 45,
        "utf8mb4_tr_0900_ai_ci" => 265,
        _ => 255,
    }
}
