//! Where a statement ends, and what of it the server's version makes code.
//!
//! [`Scanner`] finds quotes and comments in one pass, so that a packet of many statements is read
//! once.

use super::{ParseSettings, Refused};
use dbtrail_sql_text::{ExecutableComments, Quoting, Scanner, Segment};
use std::borrow::Cow;

fn scanner(text: &[u8], reading: ParseSettings) -> Scanner<'_> {
    let quoting =
        Quoting { backslash_escapes: !reading.no_backslash_escapes, ansi_quotes: reading.ansi_quotes };
    Scanner::new(text, quoting, ExecutableComments::MySql(reading.version))
}

/// The first statement of a text of several, and what follows its semicolon. White space and
/// semicolons at the end of the text make no further statement.
#[must_use]
pub fn first(text: &[u8], reading: ParseSettings) -> (&[u8], Option<&[u8]>) {
    let empty = |b: &u8| b.is_ascii_whitespace() || *b == b';';
    let end = text.iter().rposition(|b| !empty(b)).map_or(0, |last| last + 1);
    let text = &text[..end];
    let mut scanner = scanner(text, reading);
    while let Some((kind, from, to)) = scanner.next() {
        if kind == Segment::End {
            return (&text[..from], Some(&text[to..]));
        }
    }
    (text, None)
}

/// The text with the code of executable comments expanded, each character in its place: `/*!40101
/// SET a=1 */` becomes blanks, the statement and blanks.
pub(super) fn expand_version_comments(text: &str, reading: ParseSettings) -> Result<Cow<'_, str>, Refused> {
    if !text.contains("/*!") {
        return Ok(Cow::Borrowed(text));
    }
    let mut plain = String::with_capacity(text.len());
    let mut scanner = scanner(text.as_bytes(), reading);
    while let Some((kind, from, to)) = scanner.next() {
        // Where a segment of code ends inside of a character, the next one goes on: only what is
        // blanked is cut out.
        match kind {
            Segment::Open | Segment::Close | Segment::Skipped { .. } => {
                let gone = text.get(from..to).unwrap_or_default();
                plain.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            }
            Segment::Code
            | Segment::Quoted { .. }
            | Segment::Comment { .. }
            | Segment::End
            | Segment::Unreadable(_) => {
                let mut to = to;
                while !text.is_char_boundary(to) {
                    to += 1;
                }
                scanner.go(to);
                plain.push_str(text.get(from..to).unwrap_or_default());
            }
        }
    }
    if scanner.depth() > 0 {
        return Err(Refused::Syntax {
            message: "the comment /*! ... is not closed: */ was expected at the end of the statement"
                .to_owned(),
        });
    }
    Ok(Cow::Owned(plain))
}

/// Whether a text has more tokens than so many, white space among them: known without making them,
/// since each takes a hundred bytes.
pub(super) fn is_longer(text: &str, reading: ParseSettings, most: usize) -> bool {
    if text.len() <= most {
        return false;
    }
    let mut scanner = scanner(text.as_bytes(), reading);
    let (mut tokens, mut in_word) = (0_usize, false);
    while let Some((kind, from, _)) = scanner.next() {
        let byte = text.as_bytes()[from];
        let word = kind == Segment::Code && (byte.is_ascii_alphanumeric() || byte >= 0x80 || byte == b'_');
        tokens += usize::from(!(word && in_word));
        in_word = word;
        if tokens > most {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sqlparser::dialect::MySqlDialect;
    use sqlparser::tokenizer::{Token, Tokenizer};

    const READING: ParseSettings = ParseSettings {
        ansi_quotes: false,
        no_backslash_escapes: false,
        version: 80_036,
        orm_forms: false,
        in_information_schema: false,
    };

    fn all(text: &str, reading: ParseSettings) -> Vec<String> {
        let (mut rest, mut found) = (Some(text.as_bytes()), Vec::new());
        while let Some(text) = rest {
            let (one, following) = first(text, reading);
            found.push(String::from_utf8(one.to_vec()).unwrap());
            rest = following;
        }
        found
    }

    #[test]
    fn ok_statements_end_at_semicolons_outside_of_everything() {
        for (text, want) in [
            ("SELECT 1", vec!["SELECT 1"]),
            ("SELECT 1;", vec!["SELECT 1"]),
            ("SELECT 1 ; ;\n", vec!["SELECT 1"]),
            ("SELECT 1; SELECT 2", vec!["SELECT 1", " SELECT 2"]),
            ("SELECT ';'; SELECT \";\"; SELECT `;`", vec!["SELECT ';'", " SELECT \";\"", " SELECT `;`"]),
            (r"SELECT '\';'; SELECT ''';'", vec![r"SELECT '\';'", " SELECT ''';'"]),
            ("SELECT 1 -- ;\n; SELECT 2", vec!["SELECT 1 -- ;\n", " SELECT 2"]),
            ("SELECT 1 # ;\n; SELECT 2", vec!["SELECT 1 # ;\n", " SELECT 2"]),
            ("SELECT 1 /* ; */; SELECT 2--;3", vec!["SELECT 1 /* ; */", " SELECT 2--", "3"]),
            ("/*!40101 SELECT 1; */ SELECT 2", vec!["/*!40101 SELECT 1; */ SELECT 2"]),
            ("SELECT 1; -- c", vec!["SELECT 1", " -- c"]),
            ("SELECT 'abc; SELECT 2", vec!["SELECT 'abc; SELECT 2"]),
            ("SELECT 'ü;'; SELECT 2", vec!["SELECT 'ü;'", " SELECT 2"]),
            ("", vec![""]),
        ] {
            assert_eq!(all(text, READING), want, "{text}");
        }
        let raw = ParseSettings { no_backslash_escapes: true, ..READING };
        assert_eq!(all(r"SELECT '\'; SELECT 3", raw), [r"SELECT '\'", " SELECT 3"]);
        let ansi = ParseSettings { ansi_quotes: true, ..READING };
        assert_eq!(all(r#"SELECT "\"; SELECT 3"#, ansi), [r#"SELECT "\""#, " SELECT 3"]);
    }

    /// Each row was seen on MySQL 9.7 with a version of its own.
    #[test]
    fn ok_executable_comments_are_laid_open() {
        for (text, want) in [
            ("/*!40101 SET a=1 */", "SET a=1"),
            ("SHOW /*!50002 GLOBAL */ STATUS", "SHOW GLOBAL STATUS"),
            ("SELECT /*!1, */ 2", "SELECT 1, 2"),
            ("SELECT /*! 1, */ 2", "SELECT 1, 2"),
            ("SELECT /*!080036 1, */ 2", "SELECT 1, 2"),
            ("SELECT /*!80037 1, */ 2", "SELECT 2"),
            ("SELECT /*!100100 1, */ 2", "SELECT 2"),
            ("SELECT /*!800371, */ 2", "SELECT 2"),
            ("SELECT /*!401011, */ 2", "SELECT 1, 2"),
            ("SELECT /*!401011 1, */ 2", "SELECT 2"),
            ("SELECT /*!99999 '*/ 2", "SELECT 2"),
            ("SELECT /*!99999 1, /* x */ 3,*/ 2", "SELECT 2"),
            ("SELECT /*!40101 '*/', */ 2", "SELECT '*/', 2"),
            ("SELECT /*!40101 1, /* x */ 3,*/ 2", "SELECT 1, /* x */ 3, 2"),
            ("SELECT /*M!100100 1, */ 2", "SELECT /*M!100100 1, */ 2"),
            ("SELECT /*+ SET_VAR(a=1) */ 2", "SELECT /*+ SET_VAR(a=1) */ 2"),
            ("SELECT '/*!40101 x */'", "SELECT '/*!40101 x */'"),
            ("/*!99999 ü\nü */ 'ü'", "'ü'"),
        ] {
            let plain = expand_version_comments(text, READING).unwrap();
            assert_eq!(plain.split_whitespace().collect::<Vec<_>>().join(" "), want, "{text}");
            assert_eq!(plain.chars().count(), text.chars().count(), "{text}");
        }
        // Lines and columns stay what they are.
        assert_eq!(
            expand_version_comments("/*!40101\nSET a=1 */", READING).as_deref(),
            Ok("        \nSET a=1   ")
        );
    }

    #[test]
    fn err_an_executable_comment_that_is_not_closed() {
        for text in ["SELECT /*!40101 1", "/*!40101 SELECT '*/'"] {
            assert!(matches!(expand_version_comments(text, READING), Err(Refused::Syntax { .. })), "{text}");
        }
    }

    #[test]
    fn ok_the_tokens_of_a_text_are_counted_before_they_are_made() {
        let list = |n: usize| format!("SELECT 1 IN ({})", vec!["2"; n].join(", "));
        assert!(!is_longer(&list(100), READING, 310) && is_longer(&list(200), READING, 310));
        assert!(!is_longer(&format!("SELECT '{}'", ", ".repeat(1000)), READING, 10), "a string is one");
        assert!(
            !is_longer(&format!("SELECT /* {} */ 1", ", ".repeat(1000)), READING, 10),
            "a comment is one"
        );
        assert!(is_longer(&" ".repeat(1000), READING, 10), "white space is made into tokens, too");
        assert!(!is_longer(&"a1".repeat(1000), READING, 10), "a word is one");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20 * ProptestConfig::default().cases, failure_persistence: None, ..ProptestConfig::default() })]

        /// Where sqlparser can read a text, it sees the same semicolons.
        #[test]
        fn ok_the_tokenizer_sees_the_same_semicolons(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    ";", "'", "\"", "`", "\\", "--", "-- ", "#", "/*", "*/", "\n", " ", "a", "ü", "1", "''", "*", "/", "-",
                ]),
                0..24,
            )
        ) {
            let text = parts.concat();
            if let Ok(tokens) = Tokenizer::new(&MySqlDialect {}, &text).tokenize_with_location() {
                let last = tokens.iter().rposition(|t| !matches!(t.token, Token::SemiColon | Token::Whitespace(sqlparser::tokenizer::Whitespace::Space | sqlparser::tokenizer::Whitespace::Newline)));
                let ends = tokens[..last.map_or(0, |l| l + 1)].iter().filter(|t| t.token == Token::SemiColon).count();
                prop_assert_eq!(all(&text, READING).len(), ends + 1, "{}", text);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "[;'\"`\\\\*/!0-9 aü\n-]{0,40}") {
            let _ = expand_version_comments(&text, READING);
            let _ = all(&text, READING);
        }
    }
}
