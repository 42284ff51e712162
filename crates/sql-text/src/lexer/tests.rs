//! Texts as the servers read them.

use super::*;

const NO_BACKSLASH_ESCAPES: u64 = 0x10_0000;
const ANSI_QUOTES: u64 = 4;
const MYSQL: ExecutableComments = ExecutableComments::OfServer { mariadb: false, version: Some(90_704) };
const MARIADB: ExecutableComments = ExecutableComments::OfServer { mariadb: true, version: Some(110_809) };
const UNKNOWN: ExecutableComments = ExecutableComments::OfServer { mariadb: false, version: None };

fn tokens_of(sql: &str, mode: u64, server: ExecutableComments) -> Result<Vec<Token>, LexError> {
    tokens(sql, Quoting::of_sql_mode(mode), server)
}

fn words(sql: &str, mode: u64, server: ExecutableComments) -> String {
    match tokens_of(sql, mode, server) {
        Ok(tokens) => tokens.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Err(why) => format!("error: {why}"),
    }
}

/// What `SELECT 1 ...` gave on MySQL 9.7.4, and on MariaDB 11.8.9 (10.11.19 is like it).
#[test]
fn an_executable_comment_is_for_the_server_that_it_names() {
    for (sql, mysql, mariadb) in [
        ("/*!050500 ,2*/", ", 2", ", 2"),
        ("/*!090800 ,2*/", "", ""),
        ("/*!090704 ,2*/", ", 2", ""),
        ("/*!090705 ,2*/", "", ""),
        ("/*!90704 ,2*/", ", 2", ""),
        ("/*!90705 ,2*/", "", ""),
        ("/*!99999 ,2*/", "", ""),
        ("/*!50700 ,2*/", ", 2", ""),
        ("/*!50699 ,2*/", ", 2", ", 2"),
        ("/*!100000 ,2*/", "", ", 2"),
        ("/*!110809 ,2*/", "", ", 2"),
        ("/*!110810 ,2*/", "", ""),
        ("/*M!100000 ,2*/", "", ", 2"),
        ("/*M!50701 ,2*/", "", ", 2"),
        ("/*! ,2*/", ", 2", ", 2"),
        ("/*M! ,2*/", "", ", 2"),
        ("/*!+12345*/", "+ 12345", "+ 12345"),
        ("/*!999999 ,2 /* x */ ,3 */", "", ""),
        ("/*!50500 ,2 /* x */ ,3 */", ", 2 , 3", ", 2 , 3"),
        ("/*!999999 ,2 /*!50500 ,3 */ ,4 */", "", ""),
        ("/*!50500 ,2 /*!999999 ,3 */ ,4 */", ", 2 , 4", ", 2 , 4"),
        ("/*m! ,2*/", "", ""),
        ("/*+ x */", "", ""),
    ] {
        assert_eq!(words(sql, 0, MYSQL), mysql, "MySQL: {sql}");
        assert_eq!(words(sql, 0, MARIADB), mariadb, "MariaDB: {sql}");
    }
    for sql in ["/*!1234567*/", "/*!050500,2*/", "/*! /*! */ */", "/* x", "/*! x", "'x", "`x", "'x\\'"] {
        assert!(words(sql, 0, MYSQL).starts_with("error"), "{sql}");
    }
    assert!(words("/*!50500 x */", 0, UNKNOWN).starts_with("error"));
}

#[test]
fn text_is_read_as_the_servers_read_it() {
    for (sql, mode, wanted) in [
        (r"'\a\%\_\\it''s\'x'", 0, vec![Token::Text(r"a\%\_\it's'x".into())]),
        (r"'a\' '\\'", NO_BACKSLASH_ESCAPES, vec![Token::Text(r"a\\\".into())]),
        ("'a' /* c */ 'b' \"c\"", 0, vec![Token::Text("abc".into())]),
        ("'a' \"c\"", ANSI_QUOTES, vec![Token::Text("a".into()), Token::Quoted("c".into())]),
        ("N'x' 'y'", 0, vec![Token::Text("xy".into())]),
        (
            "`a``b`.`c\\`",
            0,
            vec![Token::Quoted("a`b".into()), Token::Symbol('.'), Token::Quoted("c\\".into())],
        ),
        (
            "0x4 X'41' b'1' 0b10 0x4z",
            0,
            vec![
                Token::Hex(vec![4]),
                Token::Hex(vec![0x41]),
                Token::Bits("1".into()),
                Token::Bits("10".into()),
                Token::Word("0x4z".into()),
            ],
        ),
        (
            "1e5 1e+2 .5 5. 1x 1e -7",
            0,
            vec![
                Token::Number("1e5".into()),
                Token::Number("1e+2".into()),
                Token::Number(".5".into()),
                Token::Number("5.".into()),
                Token::Word("1x".into()),
                Token::Word("1e".into()),
                Token::Symbol('-'),
                Token::Number("7".into()),
            ],
        ),
        (
            "s.1 --1\n# it's\n-- it's\nt",
            0,
            vec![
                Token::Word("s".into()),
                Token::Symbol('.'),
                Token::Word("1".into()),
                Token::Symbol('-'),
                Token::Symbol('-'),
                Token::Number("1".into()),
                Token::Word("t".into()),
            ],
        ),
    ] {
        assert_eq!(tokens_of(sql, mode, MYSQL), Ok(wanted), "{sql}");
    }
    let again = words(r"'a\\b''c' `x``y`", 0, MYSQL);
    assert_eq!(words(&again, 0, MYSQL), again);
}

/// Where nothing else can be known of a statement, its names can.
#[test]
fn what_is_not_whole_is_read_as_far_as_it_goes() {
    let read = |sql: &str, opened| -> String {
        pieces(sql, Quoting::default(), opened).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    for (sql, opened, closed) in [
        ("DROP TABLE `a", "DROP TABLE `a`", "DROP TABLE `a`"),
        ("a /*!50500 b /*M!100000 c */ d */ e", "a b c d e", "a d * / e"),
        ("a /*!99999999 b", "a b", "a"),
        ("a 'it\\'s", "a 'it''s'", "a 'it''s'"),
        ("x'4' b'2' N'n'", "'4' '2n'", "'4' '2n'"),
        ("/* a", "", ""),
    ] {
        assert_eq!(read(sql, true), opened, "{sql}");
        assert_eq!(read(sql, false), closed, "{sql}");
    }
}
