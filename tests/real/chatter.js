// mysql2 against the shim: prints one JSON object of what it saw. Arguments: port, password, "tls" or "plain", PEM file of the authority.
const fs = require("fs");
const mysql = require("mysql2/promise");

async function main() {
  const [port, password, tls, ca] = process.argv.slice(2);
  const options = { host: "127.0.0.1", port: Number(port), user: "app", password, database: "tt", dateStrings: true,
    supportBigNumbers: true, timezone: "Z" };
  if (tls === "tls") options.ssl = { ca: fs.readFileSync(ca), rejectUnauthorized: true };
  const seen = {};
  const failure = async (promise) => promise.then(() => "no error", (e) => [e.errno, e.sqlState, e.sqlMessage ?? e.message]);

  const conn = await mysql.createConnection(options);
  const one = async (sql) => (await conn.query({ sql, rowsAsArray: true }))[0];
  seen.version = await one("SELECT VERSION(), DATABASE(), 1");
  await conn.query("SET NAMES utf8mb4");
  await conn.query("SET time_zone = '+00:00', autocommit = 1");
  const sql = "SELECT * FROM _flashback.orders AS OF '2026-11-23 07:13:01' WHERE id = 8";
  const [rows, fields] = await conn.query({ sql, rowsAsArray: true });
  seen.rows = rows;
  seen.fields = fields.map((f) => [f.name, f.columnType]);
  seen.objects = (await conn.query(sql))[0];
  seen.refused = await failure(conn.query("SELECT * FROM _flashback.orders AS OF '2026-11-23 07:13:01'"));
  seen.goesOn = await one("SELECT 2");
  await conn.ping();
  await conn.beginTransaction();
  await conn.rollback();
  await conn.query("SET @dbtrail_allow_wide_diff = ON");
  seen.changedToStranger = await failure(conn.changeUser({ user: "hashed", password: "of-a-hash", database: "tt" }));
  seen.afterChange = await one("SELECT CURRENT_USER(), DATABASE(), @dbtrail_allow_wide_diff");
  await conn.end();

  const doomed = await mysql.createConnection(options);
  doomed.on("error", () => {});
  seen.wrongChange = await failure(doomed.changeUser({ user: "hashed", password: "wrong" }));
  seen.doomed = (await failure(doomed.query("SELECT 1"))) !== "no error";
  doomed.destroy();
  seen.wrongPassword = await failure(mysql.createConnection({ ...options, password: "wrong" }));
  seen.nobody = await failure(mysql.createConnection({ ...options, user: "nobody" }));
  console.log(JSON.stringify(seen));
}

main().catch((e) => { console.error(e); process.exit(1); });
