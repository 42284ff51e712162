//! Collation ids of MySQL and MariaDB: their names and character sets.
//!
//! Both servers share the ids below 1024, but for five; from there on they are MariaDB's own. Read
//! from `information_schema` of MySQL 9.7 and MariaDB 11.8, whose lists are kept in
//! `tests/data/collations`.

use mysql_common::collations::{Collation, CollationId};

/// MariaDB gives five ids that MySQL uses for `..._croatian_ci` another name. They are kept apart
/// by this bit, which no server uses.
const RENAMED: u16 = 0x8000;
const CROATIAN: [u16; 5] = [122, 149, 181, 213, 245];
/// Added to an id: the same collation without PAD SPACE (MariaDB 10.2 and newer).
const NO_PAD: u16 = 1024;

/// Languages of the UCA 14.0.0 collations (MariaDB 10.10 and newer), in the order of their ids;
/// eight ids each.
const LANGUAGES: [&str; 25] = [
    "",
    "icelandic_",
    "latvian_",
    "romanian_",
    "slovenian_",
    "polish_",
    "estonian_",
    "spanish_",
    "swedish_",
    "turkish_",
    "czech_",
    "danish_",
    "lithuanian_",
    "slovak_",
    "spanish2_",
    "roman_",
    "persian_",
    "esperanto_",
    "hungarian_",
    "sinhala_",
    "german2_",
    "",
    "",
    "vietnamese_",
    "croatian_",
];
/// The eight.
const STRENGTHS: [&str; 8] =
    ["ai_ci", "ai_cs", "as_ci", "as_cs", "nopad_ai_ci", "nopad_ai_cs", "nopad_as_ci", "nopad_as_cs"];
/// Character sets of the UCA 14.0.0 collations, 256 ids each.
const SETS: [&str; 5] = ["utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32"];
/// The first of their ids.
const UCA_1400: u16 = 2048;

/// The id under which [`name`] and [`charset`] know a collation that a server of this kind wrote as
/// `id`.
pub(crate) fn of_server(id: u16, mariadb: bool) -> u16 {
    if mariadb && CROATIAN.contains(&id) { id | RENAMED } else { id }
}

/// The character set of a collation; `None`: an id that is not known.
pub(crate) fn charset(id: u16) -> Option<String> {
    let own = match id {
        UCA_1400.. if id & RENAMED == 0 => SETS.get(usize::from((id - UCA_1400) / 256)).copied()?,
        576..=579 => "utf8mb3",
        608..=611 => "utf8mb4",
        640..=642 => "ucs2",
        672..=674 => "utf16",
        736..=738 => "utf32",
        1025..=1279 => return charset(id - NO_PAD),
        _ => return Some(shared(id & !RENAMED)?.charset().to_owned()),
    };
    Some(own.to_owned())
}

/// The name of a collation; `None`: an id that is not known.
pub(crate) fn name(id: u16) -> Option<String> {
    let set = charset(id)?;
    let own = match id {
        UCA_1400.. if id & RENAMED == 0 => {
            let at = usize::from((id - UCA_1400) % 256);
            let language = LANGUAGES.get(at / 8).filter(|l| at < 8 || !l.is_empty())?;
            format!("uca1400_{language}{}", STRENGTHS[at % 8])
        }
        576 | 608 | 640 | 672 | 736 => "croatian_ci".to_owned(),
        577 | 609 | 641 | 673 | 737 => "myanmar_ci".to_owned(),
        578 | 610 | 642 | 674 | 738 => "thai_520_w2".to_owned(),
        579 | 611 => "general1400_as_ci".to_owned(),
        1025..=1279 => {
            let name = name(id - NO_PAD)?;
            let (front, strength) = name.rsplit_once('_')?;
            return Some(format!("{front}_nopad_{strength}"));
        }
        _ if id & RENAMED != 0 => "croatian_mysql561_ci".to_owned(),
        _ => return Some(shared(id)?.collation().to_owned()),
    };
    Some(format!("{set}_{own}"))
}

fn shared(id: u16) -> Option<Collation<'static>> {
    let collation = Collation::from(CollationId::from(id));
    (collation.id() != CollationId::UNKNOWN_COLLATION_ID).then_some(collation)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every collation that has a number; those of MariaDB 10.11 are among those of 11.8.
    #[test]
    fn ids_have_the_names_and_character_sets_that_servers_tell() {
        for (server, mariadb, list) in [
            ("MySQL 9.7", false, include_str!("../../tests/data/collations/mysql-9.7.tsv")),
            ("MariaDB 11.8", true, include_str!("../../tests/data/collations/mariadb-11.8.tsv")),
        ] {
            let mut seen = 0;
            for line in list.lines() {
                let [id, set, reported] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
                let id = of_server(id.parse().unwrap(), mariadb);
                assert_eq!(name(id).as_deref(), Some(reported), "{server}: {line}");
                assert_eq!(charset(id).as_deref(), Some(set), "{server}: {line}");
                seen += 1;
            }
            assert!(seen > 250, "{server}: {seen}");
        }
        for unknown in [0, 17, 1024, 2216, 4000, 0xffff, RENAMED] {
            assert_eq!(name(unknown), None, "{unknown}");
        }
    }
}
