// MariaDB's client for node, for the matrix.
import fs from "node:fs";
import { createRequire } from "node:module";
import { parameter, serve, shown } from "./rows.mjs";

// import knows no NODE_PATH.
const mariadb = createRequire(import.meta.url)("mariadb");
let connection;

const table = (rows) => rows.meta ? { columns: rows.meta.map((m) => m.name()), rows: [...rows].map((row) => row.map(shown)) } : {};

serve({
  async connect(o) {
    connection = await mariadb.createConnection({
      host: "127.0.0.1", port: o.port, user: o.user, password: o.password, database: o.database, dateStrings: true, rowsAsArray: true,
      timezone: "Z", allowPublicKeyRetrieval: true, ssl: o.tls ? { ca: fs.readFileSync(o.ca) } : undefined,
    });
    connection.on("error", () => {});
  },
  async query(o) { return table(await connection.query({ sql: o.sql })); },
  async prepared(o) { return table(await connection.execute({ sql: o.sql }, o.parameters.map(parameter))); },
  async change_user(o) { await connection.changeUser({ user: o.user, password: o.password, database: o.database }); },
  async reset() { await connection.reset(); },
  async ping() { await connection.ping(); },
});
