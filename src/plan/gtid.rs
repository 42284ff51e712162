//! The form of a GTID, before an agent is asked about it (manual: ["GTID Format and
//! Storage"](https://dev.mysql.com/doc/refman/9.7/en/replication-gtids-concepts.html); MariaDB:
//! [Global Transaction ID](https://mariadb.com/kb/en/gtid/)).

use crate::failure::Failure;

/// Refuses text that is neither MySQL's `uuid:1-5:7,uuid:tag:3` nor MariaDB's `0-1-42,1-1-7`.
pub(super) fn checked(text: &str) -> Result<String, Failure> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    if parts.iter().all(|p| is_mysql(p)) || parts.iter().all(|p| is_mariadb(p)) {
        return Ok(text.to_owned());
    }
    let shown: String = text.chars().take(80).collect();
    Err(Failure::BadTimestamp(format!(
        "Incorrect GTID value: '{shown}': write '3e11fa47-71ca-11e1-9e33-c80aa9429562:42' (MySQL) or '0-1-42' (MariaDB), as the binary \
         log and @@gtid_executed show it"
    )))
}

fn is_number(text: &str) -> bool {
    text.parse::<u64>().is_ok() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_mariadb(text: &str) -> bool {
    let numbers: Vec<&str> = text.split('-').collect();
    numbers.len() == 3 && numbers.iter().all(|n| is_number(n))
}

fn is_mysql(text: &str) -> bool {
    let mut parts = text.split(':').map(str::trim);
    let uuid = parts.next().unwrap_or_default();
    let dashes = uuid
        .chars()
        .enumerate()
        .all(|(i, c)| if matches!(i, 8 | 13 | 18 | 23) { c == '-' } else { c.is_ascii_hexdigit() });
    let mut count = 0;
    let rest = parts.all(|part| {
        let interval = match part.split_once('-') {
            Some((from, to)) => is_number(from.trim()) && is_number(to.trim()),
            None => is_number(part),
        };
        count += usize::from(interval);
        interval || is_tag(part)
    });
    uuid.len() == 36 && dashes && rest && count > 0
}

fn is_tag(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.len() <= 32 && text.starts_with(letter) && text.chars().all(|c| letter(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "3E11FA47-71ca-11e1-9e33-c80aa9429562";

    #[test]
    fn ok_gtids() {
        for text in [
            format!("{UUID}:42"),
            format!("{UUID}:1-5:7, {UUID}:tag_1:3"),
            format!("{UUID}:1-5,\n{UUID}:9"),
            "0-1-42".to_owned(),
            "0-1-42,1-1-7".to_owned(),
        ] {
            assert_eq!(checked(&text), Ok(text.clone()));
        }
    }

    #[test]
    fn err_gtids() {
        for text in [
            String::new(),
            "42".to_owned(),
            UUID.to_owned(),
            format!("{UUID}:"),
            format!("{UUID}:tag"),
            format!("{UUID}:1-"),
            format!("{UUID}:1,0-1-42"),
            format!("{}:1", &UUID[1..]),
            "0-1".to_owned(),
            "0-1-+4".to_owned(),
            "0-1-42;".to_owned(),
            "ü".repeat(100),
        ] {
            assert!(matches!(checked(&text), Err(Failure::BadTimestamp(_))), "{text}");
        }
    }
}
