// mysql2 for the matrix.
import fs from "node:fs";
import { createRequire } from "node:module";
import { parameter, serve, shown } from "./rows.mjs";

// import knows no NODE_PATH.
const mysql = createRequire(import.meta.url)("mysql2/promise");
let connection;

const table = ([rows, fields]) => fields ? { columns: fields.map((f) => f.name), rows: rows.map((row) => row.map(shown)) } : {};

serve({
  async connect(o) {
    connection = await mysql.createConnection({
      host: "127.0.0.1", port: o.port, user: o.user, password: o.password, database: o.database, dateStrings: true, supportBigNumbers: true,
      timezone: "Z", charset: "utf8mb4", ssl: o.tls ? { ca: fs.readFileSync(o.ca), rejectUnauthorized: true } : undefined,
    });
    connection.on("error", () => {});
  },
  async query(o) { return table(await connection.query({ sql: o.sql, rowsAsArray: true })); },
  async prepared(o) { return table(await connection.execute({ sql: o.sql, rowsAsArray: true, values: o.parameters.map(parameter) })); },
  async change_user(o) { await connection.changeUser({ user: o.user, password: o.password, database: o.database }); },
  async reset() { await connection.reset(); },
  async ping() { await connection.ping(); },
});
