//! A binary log as TPC-C writes it (specification, revision 5.11, clauses 1.3, 2.4 and 2.5): new
//! orders, each with its lines and the stock of each line, and payments, which change a customer.

use crate::mariadb::MariaDb;
use mysql_async::prelude::Queryable;
use std::error::Error;
use std::path::PathBuf;

const WAREHOUSES: u32 = 2;
/// Items, and so rows of stock a warehouse; the specification has ten times as many.
const ITEMS: u32 = 10_000;
const CUSTOMERS: u32 = 300;
/// Of each kind. A new order has 10 lines: 22 row events.
const ORDERS: u32 = 43_500;
const PAYMENTS: u32 = 43_500;

const TABLES: [&str; 5] = [
    "CREATE TABLE stock (s_i_id INT NOT NULL, s_w_id SMALLINT NOT NULL, s_quantity SMALLINT, s_dist_01 CHAR(24), s_dist_02 CHAR(24), \
     s_dist_03 CHAR(24), s_dist_04 CHAR(24), s_dist_05 CHAR(24), s_dist_06 CHAR(24), s_dist_07 CHAR(24), s_dist_08 CHAR(24), \
     s_dist_09 CHAR(24), s_dist_10 CHAR(24), s_ytd DECIMAL(8,0), s_order_cnt SMALLINT, s_remote_cnt SMALLINT, s_data VARCHAR(50), \
     PRIMARY KEY (s_w_id, s_i_id))",
    "CREATE TABLE customer (c_id INT NOT NULL, c_d_id TINYINT NOT NULL, c_w_id SMALLINT NOT NULL, c_first VARCHAR(16), c_middle CHAR(2), \
     c_last VARCHAR(16), c_street_1 VARCHAR(20), c_street_2 VARCHAR(20), c_city VARCHAR(20), c_state CHAR(2), c_zip CHAR(9), \
     c_phone CHAR(16), c_since DATETIME, c_credit CHAR(2), c_credit_lim BIGINT, c_discount DECIMAL(4,2), c_balance DECIMAL(12,2), \
     c_ytd_payment DECIMAL(12,2), c_payment_cnt SMALLINT, c_delivery_cnt SMALLINT, c_data TEXT, PRIMARY KEY (c_w_id, c_d_id, c_id))",
    "CREATE TABLE orders (o_id INT NOT NULL, o_d_id TINYINT NOT NULL, o_w_id SMALLINT NOT NULL, o_c_id INT, o_entry_d DATETIME, \
     o_carrier_id TINYINT, o_ol_cnt TINYINT, o_all_local TINYINT, PRIMARY KEY (o_w_id, o_d_id, o_id))",
    "CREATE TABLE new_orders (no_o_id INT NOT NULL, no_d_id TINYINT NOT NULL, no_w_id SMALLINT NOT NULL, \
     PRIMARY KEY (no_w_id, no_d_id, no_o_id))",
    "CREATE TABLE order_line (ol_o_id INT NOT NULL, ol_d_id TINYINT NOT NULL, ol_w_id SMALLINT NOT NULL, ol_number TINYINT NOT NULL, \
     ol_i_id INT, ol_supply_w_id SMALLINT, ol_delivery_d DATETIME, ol_quantity TINYINT, ol_amount DECIMAL(6,2), ol_dist_info CHAR(24), \
     PRIMARY KEY (ol_w_id, ol_d_id, ol_o_id, ol_number))",
];

/// Letters and digits without order, 32 of them.
const TEXT: &str = "UPPER(MD5(RAND()))";

/// A line of an order, and its stock.
const LINE: &str = "SET i = 1 + FLOOR(RAND() * items), q = 1 + FLOOR(RAND() * 10); \
    UPDATE stock SET s_quantity = IF(s_quantity >= q + 10, s_quantity - q, s_quantity + 91 - q), s_ytd = s_ytd + q, \
    s_order_cnt = s_order_cnt + 1 WHERE s_w_id = w AND s_i_id = i; \
    INSERT INTO order_line SELECT n, d, w, l, i, w, NULL, q, q * ROUND(1 + RAND() * 99, 2), s_dist_05 FROM stock \
    WHERE s_w_id = w AND s_i_id = i;";

fn procedures() -> [String; 2] {
    [
        format!(
            "CREATE PROCEDURE new_orders_of(orders INT, items INT, warehouses INT, customers INT) BEGIN \
             DECLARE n, l, i, q, w, d INT DEFAULT 0; \
             WHILE n < orders DO SET n = n + 1, l = 0, w = 1 + n % warehouses, d = 1 + FLOOR(RAND() * 10); \
             START TRANSACTION; \
             INSERT INTO orders VALUES (n, d, w, 1 + FLOOR(RAND() * customers), NOW(), NULL, 10, 1); \
             INSERT INTO new_orders VALUES (n, d, w); \
             WHILE l < 10 DO SET l = l + 1; {LINE} END WHILE; COMMIT; END WHILE; END"
        ),
        "CREATE PROCEDURE payments_of(payments INT, warehouses INT, customers INT) BEGIN \
         DECLARE n, d INT DEFAULT 0; DECLARE amount DECIMAL(6,2); \
         WHILE n < payments DO SET n = n + 1, d = 1 + FLOOR(RAND() * 10), amount = 1 + RAND() * 4999; \
         UPDATE customer SET c_balance = c_balance - amount, c_ytd_payment = c_ytd_payment + amount, \
         c_payment_cnt = c_payment_cnt + 1 WHERE c_w_id = 1 + n % warehouses AND c_d_id = d \
         AND c_id = 1 + n % customers; END WHILE; END"
            .to_owned(),
    ]
}

fn rows() -> [String; 2] {
    let district = format!("LEFT({TEXT}, 24)");
    let districts = [district.as_str(); 10].join(", ");
    let positions = u64::from(WAREHOUSES) * u64::from(ITEMS) - 1;
    let people = u64::from(WAREHOUSES) * 10 * u64::from(CUSTOMERS) - 1;
    [
        format!(
            "INSERT INTO stock SELECT 1 + seq % {ITEMS}, 1 + seq DIV {ITEMS}, 10 + seq % 91, {districts}, 0, 0, 0, \
             LEFT(CONCAT({TEXT}, {TEXT}), 26 + seq % 25) FROM seq_0_to_{positions}"
        ),
        format!(
            "INSERT INTO customer SELECT 1 + seq % {CUSTOMERS}, 1 + seq DIV {CUSTOMERS} % 10, 1 + seq DIV {CUSTOMERS} DIV 10, \
             LEFT({TEXT}, 8 + seq % 9), 'OE', 'BARBARBAR', LEFT({TEXT}, 10 + seq % 11), LEFT({TEXT}, 10 + seq % 11), \
             LEFT({TEXT}, 10 + seq % 11), 'CA', '123411111', LEFT({TEXT}, 16), NOW(), 'GC', 50000, 0.1, -10, 10, 1, 0, \
             LEFT(CONCAT({TEXT}, {TEXT}, {TEXT}, {TEXT}, {TEXT}, {TEXT}, {TEXT}, {TEXT}, {TEXT}, {TEXT}, {TEXT}, {TEXT}, {TEXT}, \
             {TEXT}, {TEXT}, {TEXT}), 300 + seq % 201) FROM seq_0_to_{people}"
        ),
    ]
}

/// Makes the log; its file.
pub async fn log(server: &MariaDb) -> Result<PathBuf, Box<dyn Error>> {
    let mut conn = server.connect().await?;
    // What was there before is not in the log: the tables are full when it begins.
    conn.query_drop("SET sql_log_bin = 0, character_set_server = utf8mb4").await?;
    conn.query_drop("CREATE DATABASE tpcc").await?;
    conn.query_drop("USE tpcc").await?;
    for sql in TABLES.iter().copied().map(str::to_owned).chain(rows()).chain(procedures()) {
        conn.query_drop(sql).await?;
    }
    let before = server.binlogs()?.len();
    conn.query_drop("FLUSH BINARY LOGS").await?;
    // Both kinds run beside each other, as they do.
    let mut others = server.connect().await?;
    others.query_drop("USE tpcc").await?;
    conn.query_drop("SET sql_log_bin = 1").await?;
    let orders = conn.query_drop(format!("CALL new_orders_of({ORDERS}, {ITEMS}, {WAREHOUSES}, {CUSTOMERS})"));
    let payments = others.query_drop(format!("CALL payments_of({PAYMENTS}, {WAREHOUSES}, {CUSTOMERS})"));
    let (orders, payments) = tokio::join!(orders, payments);
    orders?;
    payments?;
    conn.query_drop("FLUSH BINARY LOGS").await?;
    server.binlogs()?.into_iter().nth(before + 1).ok_or_else(|| "no log was written".into())
}
