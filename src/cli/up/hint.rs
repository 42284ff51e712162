//! How to connect, and a first statement to paste: a real table, the key of a real row.

use super::USER;
use dbtrail_history::query::Example;
use dbtrail_history::{Coverage, History};
use dbtrail_types::column::{Column, Family};
use dbtrail_types::secret::Secret;
use dbtrail_types::timestamp::Timestamp;
use std::io::Write;
use std::net::SocketAddr;

/// Host, port, user and password, and a command line that has them.
pub(super) fn greet(address: SocketAddr, password: &Secret, page: Option<&str>) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    let (host, port, password) = (address.ip(), address.port(), password.expose());
    writeln!(
        out,
        "host      {host}\nport      {port}\nuser      {USER}\npassword  {password}\n\nConnect with any MySQL client:\n\n    \
         mysql -h {host} -P {port} -u {USER} -p{password}\n"
    )?;
    if let Some(page) = page {
        writeln!(out, "or look at it in a browser, with the password:\n\n    {page}\n")?;
    }
    out.flush()
}

/// A statement about a row that is there at the end of the record; `None`: none was found, or there
/// is no instant yet that can be asked for. A record begins with the next full second of the
/// server, which may lie ahead of this machine's clock; and no answer is given of the future.
pub(super) fn statement(history: &History, now: Timestamp) -> Option<String> {
    let at = timestamp(&history.coverage(), now)?;
    text(&history.example()?, at)
}

fn timestamp(record: &Coverage, now: Timestamp) -> Option<Timestamp> {
    let at = record.newest.min(now);
    (at >= record.oldest).then_some(at)
}

fn text(example: &Example, at: Timestamp) -> Option<String> {
    let conditions: Option<Vec<String>> = example
        .key
        .iter()
        .map(|(column, value)| Some(format!("{} = {}", quoted(&column.name), literal(column, value)?)))
        .collect();
    let (schema, table) = (quoted(&example.table.schema), quoted(&example.table.table));
    let conditions = conditions?.join(" AND ");
    Some(format!("SELECT * FROM _snapshot.{schema}.{table} AS OF '{at}' WHERE {conditions};"))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// `None`: of this type no value is written here.
fn literal(column: &Column, value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok().filter(|t| !t.chars().any(char::is_control));
    match column.ty.family() {
        Family::Text | Family::Bytes if column.ty.is_lob() => None,
        Family::Integer | Family::Decimal | Family::Year => text.map(str::to_owned),
        Family::Date | Family::DateTime | Family::Timestamp | Family::Time | Family::Text => {
            text.map(|t| format!("'{}'", t.replace('\\', "\\\\").replace('\'', "''")))
        }
        Family::Bytes => Some(format!("X'{}'", hex::encode(value))),
        Family::FloatingPoint
        | Family::Bit
        | Family::Enum
        | Family::Set
        | Family::Json
        | Family::Geometry
        | Family::Vector
        | Family::Address => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbtrail_types::names::TableName;

    fn column(name: &str, ty: &str) -> Column {
        serde_json::from_value(serde_json::json!({"name": name, "type": ty, "nullable": false})).unwrap()
    }

    #[test]
    fn an_timestamp_can_be_asked_for_when_it_has_come() {
        let at = Timestamp::from_micros;
        let record = |oldest, newest| Coverage { oldest: at(oldest), newest: at(newest) };
        assert_eq!(timestamp(&record(10, 10), at(9)), None, "it has not begun yet");
        assert_eq!(timestamp(&record(10, 10), at(10)), Some(at(10)));
        assert_eq!(timestamp(&record(10, 20), at(15)), Some(at(15)), "the server's clock is ahead");
        assert_eq!(timestamp(&record(10, 20), at(25)), Some(at(20)));
    }

    #[test]
    fn names_and_values_are_quoted() {
        let example = |key: Vec<(Column, Vec<u8>)>| Example {
            table: TableName { schema: "shop".to_owned(), table: "or`der".to_owned() },
            key,
        };
        let at = Timestamp::from_micros(1_777_280_400_000_000);
        let key = vec![
            (column("id", "int"), b"-42".to_vec()),
            (column("when", "datetime"), b"2026-01-01 00:00:00".to_vec()),
            (column("name", "varchar(9)"), br"O'N\eil".to_vec()),
            (column("b", "binary(2)"), vec![0, 255]),
        ];
        assert_eq!(
            text(&example(key), at).unwrap(),
            r"SELECT * FROM _snapshot.`shop`.`or``der` AS OF '2026-04-27T09:00:00.000000Z' WHERE `id` = -42 AND `when` = '2026-01-01 00:00:00' AND `name` = 'O''N\\eil' AND `b` = X'00ff';"
        );
        assert_eq!(text(&example(vec![(column("f", "double"), b"1.5".to_vec())]), at), None);
        assert_eq!(text(&example(vec![(column("c", "char(1)"), b"\n".to_vec())]), at), None);
    }
}
