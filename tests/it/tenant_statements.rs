//! Ten thousand statements of a tenant that may see one schema: no byte of an answer or an error
//! has a name or a value of another schema that the tenant did not write itself, and a schema that
//! it may not see is like one that is not there. The logs are those of `by_whom`.

use crate::by_whom::{Chain, chain, history, rows};
use crate::support::rounds;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

const COUNT: usize = 10_000;
/// What is not the tenant's, and a name that is nobody's, of the same length.
const HIDDEN: [&str; 2] = ["hidden", "nosuch"];
/// Names and values of tables that are not the tenant's.
const FORBIDDEN: [&str; 4] = ["hidden", "secret", "last", "it has that of"];

/// A small generator of numbers that comes out the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % n
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

struct Statements {
    random: Random,
    gtids: Vec<String>,
    ends: (String, String),
}

impl Statements {
    fn schema(&mut self) -> &'static str {
        self.random.of(&["s", "s", "hidden", "hidden", "HIDDEN", "mysql", "nothing"])
    }

    fn table(&mut self) -> &'static str {
        self.random.of(&["t", "t", "h", "nothing"])
    }

    fn window(&mut self) -> String {
        if self.random.below(4) == 0 {
            let at = self.random.below(self.gtids.len());
            return format!("AT GTID '{}'", self.gtids[at]);
        }
        let (oldest, newest) = self.ends.clone();
        match self.random.below(3) {
            0 => "BETWEEN EARLIEST AND LATEST".to_owned(),
            1 => format!("BETWEEN '{oldest}' AND '{newest}'"),
            _ => format!("BETWEEN '{newest}' AND '{oldest}'"),
        }
    }

    fn condition(&mut self, columns: &[&str]) -> String {
        let column = self.random.of(columns);
        let value = self.random.of(&[
            "'s'",
            "'hidden'",
            "'h'",
            "'t'",
            "1",
            "'DELETE'",
            "'2026-01-01'",
            "NULL",
            "x'ff'",
        ]);
        let one = match self.random.below(6) {
            0 => format!("{column} LIKE '%e%'"),
            1 => format!("{column} IS NOT NULL"),
            2 => format!("{column} IN ({value}, 's')"),
            3 => format!("NOT {column} <=> {value}"),
            _ => format!("{column} {} {value}", self.random.of(&["=", "<>", "<", ">="])),
        };
        if self.random.below(3) == 0 { format!("({one}) OR {}", self.condition(columns)) } else { one }
    }

    fn tail(&mut self, columns: &[&str]) -> String {
        let (mut tail, mut order, mut limit) = (String::new(), String::new(), String::new());
        if self.random.below(2) == 0 {
            tail = format!(" WHERE {}", self.condition(columns));
        }
        if self.random.below(6) == 0 {
            order = format!(" ORDER BY {} DESC", self.random.of(columns));
        }
        if self.random.below(4) == 0 {
            limit = format!(" LIMIT {}", self.random.below(5));
        }
        format!("{tail}{order}{limit}")
    }

    fn history(&mut self) -> String {
        let columns = [
            "`schema`",
            "`table`",
            "statement",
            "gtid",
            "event_type",
            "row_before",
            "primary_key",
            "connection_id",
            "reason",
            "tables",
            "statements",
            "rows_inserted",
            "commit_time",
            "event_timestamp",
            "definition_before",
            "versions",
            "connection_user",
            "nothing",
        ];
        let table =
            self.random.of(&["transactions", "changes", "changes", "ddl", "tables", "gaps", "hidden"]);
        let window = match table {
            "tables" | "gaps" => String::new(),
            _ => self.window(),
        };
        if self.random.below(5) == 0 {
            let group = self.random.of(&columns);
            let column = self.random.of(&columns);
            let computed = match self.random.below(6) {
                0 => format!("MIN({column})"),
                1 => format!("MAX({column})"),
                2 => format!("COUNT(DISTINCT {column}, {group})"),
                3 => "SUM(rows_inserted)".to_owned(),
                4 => format!("COUNT({column})"),
                _ => "COUNT(*)".to_owned(),
            };
            let having =
                self.random.of(&["", "", " HAVING COUNT(*) > 1", " HAVING MAX(event_id) IS NOT NULL"]);
            return format!(
                "SELECT {group}, {computed} FROM _history.{table} {window}{} GROUP BY {group}{having}",
                if self.random.below(2) == 0 {
                    format!(" WHERE {}", self.condition(&columns))
                } else {
                    String::new()
                }
            );
        }
        let shown = self.random.of(&[
            "*",
            "*",
            "`schema`, `table`",
            "statement",
            "tables, statements",
            "COUNT(*)",
            "MIN(`table`), MAX(`schema`)",
        ]);
        format!("SELECT {shown} FROM _history.{table} {window}{}", self.tail(&columns))
    }

    fn travel(&mut self) -> String {
        let virtual_schema = self.random.of(&["_diff", "_undo", "_flashback", "_snapshot"]);
        let columns = ["id", "v", "event_type", "statement", "gtid", "cause", "nothing"];
        let (schema, table) = (self.schema(), self.table());
        let when = match virtual_schema {
            "_diff" | "_undo" => self.window(),
            _ if self.random.below(3) == 0 => {
                let at = self.random.below(self.gtids.len());
                format!("AT GTID '{}'", self.gtids[at])
            }
            _ => self.random.of(&["AS OF LATEST", "AS OF EARLIEST", "AS OF '2001-01-01'"]).to_owned(),
        };
        let scan = self.random.of(&["ALLOW SCAN", "", "WHERE id = 1", "ALLOW SCAN WHERE id >= 2"]);
        let tail = if scan.contains("WHERE") { String::new() } else { self.tail(&columns) };
        let begin = self.random.of(&["SELECT", "SELECT", "EXPLAIN SELECT"]);
        let shown = self.random.of(&["*", "*", "MIN(id), MAX(v), COUNT(DISTINCT v)"]);
        format!("{begin} {shown} FROM {virtual_schema}.{schema}.{table} {when} {scan}{tail}")
    }

    fn metadata(&mut self) -> String {
        let (schema, table) = (self.schema(), self.table());
        match self.random.below(14) {
            0 => "SHOW DATABASES".to_owned(),
            1 => format!("SHOW FULL TABLES FROM {schema}"),
            2 => {
                format!("SHOW TABLES FROM {}", self.random.of(&["_history", "_undo", "_diff", "_flashback"]))
            }
            3 => format!("DESCRIBE {schema}.{table}"),
            4 => format!("DESCRIBE _diff.{schema}.{table}"),
            5 => format!("SHOW CREATE TABLE {schema}.{table}"),
            6 => format!("SHOW TABLE STATUS FROM {schema}"),
            7 => "SELECT * FROM information_schema.tables".to_owned(),
            8 => format!("SELECT * FROM information_schema.columns WHERE table_schema LIKE '{schema}%'"),
            9 => format!(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = '{schema}' OR table_name = '{table}'"
            ),
            10 => format!("USE {}", self.random.of(&[schema, "s", "s", "_history", "_undo"])),
            11 => "SHOW DATABASES LIKE 'h%'".to_owned(),
            12 => format!("SELECT * FROM {schema}.{table} LIMIT 0"),
            _ => format!(
                "SELECT * FROM information_schema.{}",
                self.random.of(&["schemata", "statistics", "table_constraints"])
            ),
        }
    }

    fn next(&mut self) -> String {
        match self.random.below(10) {
            0..=4 => self.history(),
            5..=7 => self.travel(),
            _ => self.metadata(),
        }
    }
}

/// All bytes of an answer as text, or those of its error without the number of the request.
async fn outcome(client: &mut Conn, sql: &str) -> String {
    match client.query_iter(sql).await {
        Ok(mut answer) => {
            let names: Vec<String> = answer
                .columns_ref()
                .iter()
                .map(|c| format!("{} {} {}", c.name_str(), c.table_str(), c.schema_str()))
                .collect();
            match answer.collect::<mysql_async::Row>().await {
                Ok(rows) => {
                    let cells = rows.into_iter().flat_map(mysql_async::Row::unwrap).map(|cell| match cell {
                        mysql_async::Value::Bytes(bytes) => without_request(&String::from_utf8_lossy(&bytes)),
                        other => format!("{other:?}"),
                    });
                    format!("{names:?} {:?}", cells.collect::<Vec<_>>())
                }
                Err(e) => without_request(&e.to_string()),
            }
        }
        Err(e) => without_request(&e.to_string()),
    }
}

fn without_request(error: &str) -> String {
    match error.split_once(" (request ") {
        Some((text, rest)) => format!("{text}{}", rest.split_once(')').map_or("", |(_, rest)| rest)),
        None => error.to_owned(),
    }
}

async fn refused_alike(chain: &Chain, user: &str, statements: &mut Statements, count: usize) -> usize {
    let (mut one, mut other) = (chain.client(user).await, chain.client(user).await);
    let mut answered = 0;
    for _ in 0..count {
        let sql = statements.next();
        let reported = outcome(&mut one, &sql).await;
        let names_it = sql.to_lowercase().contains(HIDDEN[0]);
        for word in FORBIDDEN {
            // An error may repeat what was asked.
            let bare = if names_it {
                reported.to_lowercase().replace(HIDDEN[0], "")
            } else {
                reported.to_lowercase()
            };
            let own = bare.replace("the last", "");
            assert!(!own.contains(word), "{user}: {sql}\n{reported}");
        }
        // What may not be seen is as what is not there.
        let replaced = sql.replace(HIDDEN[0], HIDDEN[1]).replace("HIDDEN", "NOSUCH");
        let nothing = outcome(&mut other, &replaced).await;
        let like = reported.replace(HIDDEN[0], HIDDEN[1]).replace("HIDDEN", "NOSUCH");
        assert_eq!(like, nothing, "{user}: {sql}");
        answered += usize::from(reported.starts_with('['));
    }
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_tenant_learns_nothing_of_another_schema_or_server() {
    for (kind, seed) in [("mysql-9.7", 1), ("mariadb-11.8", 2)] {
        let chain = chain(history(kind, true)).await;
        let mut all = chain.client("all").await;
        let ends = rows(&mut all, "SELECT @@dbtrail_oldest, @@dbtrail_newest").await;
        let (oldest, newest) = ends[0].split_once('|').expect("two ends");
        let gtids =
            rows(&mut all, "SELECT gtid FROM _history.transactions BETWEEN EARLIEST AND LATEST").await;
        assert!(gtids.len() == 9, "{gtids:?}");
        let of = |seed| Statements {
            random: Random(seed),
            gtids: gtids.clone(),
            ends: (oldest.to_owned(), newest.to_owned()),
        };
        let (mut narrow, mut none, mut stranger) = (of(seed), of(seed + 100), of(seed + 200));
        let (narrow, none, stranger) = tokio::join!(
            refused_alike(&chain, "narrow", &mut narrow, rounds(COUNT) * 3 / 10),
            refused_alike(&chain, "none", &mut none, rounds(COUNT) / 10),
            refused_alike(&chain, "stranger", &mut stranger, rounds(COUNT) / 10),
        );
        assert!(narrow > rounds(400) && none > rounds(100), "{narrow} {none} {stranger} answers");
    }
}
