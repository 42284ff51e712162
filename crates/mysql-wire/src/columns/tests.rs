//! What is declared of text.

use super::*;

/// Collation id and length in bytes.
fn declared(ty: &str, collation: &str, charset: ResultCharset) -> (u16, u32) {
    let column = Column::new("c".to_owned(), ty.parse().unwrap(), Some(collation.to_owned()), true);
    let column = ResultColumn {
        column,
        name: "c".to_owned(),
        org_name: "c".to_owned(),
        schema: "d".to_owned(),
        table: "t".to_owned(),
        org_table: "t".to_owned(),
    };
    let packet = definition(&column, charset);
    let fixed = &packet[packet.len() - 12..];
    let length = u32::from_le_bytes(fixed[2..6].try_into().unwrap());
    (u16::from_le_bytes([fixed[0], fixed[1]]), length)
}

/// As MySQL 9.7.4 and MariaDB 11.8.9 declare them; of a collation that only MariaDB has, the
/// number is one of the same character set that every client knows.
#[test]
fn text_as_it_is_stored_is_declared_in_its_own_character_set() {
    let utf8 = ResultCharset::Utf8 { collation_id: 255 };
    for (ty, collation, stored, sent) in [
        ("varchar(10)", "gbk_chinese_ci", (28, 20), 40),
        ("char(10)", "cp932_japanese_ci", (95, 20), 40),
        ("varchar(10)", "sjis_japanese_ci", (13, 20), 40),
        ("varchar(10)", "euckr_korean_ci", (19, 20), 40),
        ("enum('a','bcd')", "gbk_chinese_ci", (28, 6), 12),
        ("varchar(10)", "gbk_chinese_nopad_ci", (28, 20), 40),
        ("varchar(10)", "latin2_general_nopad_ci", (9, 10), 40),
        ("varchar(10)", "latin1_swedish_nopad_ci", (8, 10), 40),
        ("varchar(10)", "utf8mb3_uca1400_ai_ci", (33, 30), 40),
    ] {
        assert_eq!(declared(ty, collation, ResultCharset::AsStored), stored, "{ty} {collation}");
        assert_eq!(declared(ty, collation, ResultCharset::Binary).1, sent / 4, "{ty} {collation}");
        assert_eq!(declared(ty, collation, utf8), (255, sent), "{ty} {collation}");
    }
}
