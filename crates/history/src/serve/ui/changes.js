// Changes of rows, as the agent tells them (`/v1/diff`), and what of them is shown everywhere.

import { lines } from "./agent.js";
import { make, plain, same, value, visible } from "./elements.js";

export const WORDS = { INSERT: ["inserted", "inserted"], UPDATE: ["updated", "updated"], DELETE: ["deleted", "deleted"] };

// The changes of a table, or of all, in a span ({ since, until } or { transaction }), of all keys or of those given; `whole`: there are no more of them.
export async function changes({ server, table, keys, span, most, signal }) {
  const found = [];
  let definition = null;
  let origin = {};
  let of = table;
  const window = span.transaction ? { transaction: span.transaction } : { window: [span.since, span.until] };
  const [path, question] = table
    ? ["v1/diff", { server_id: server, schema: table.schema, table: table.table, keys, ...span, limit: most + 1 }]
    : ["v1/history", { server_id: server, table: "changes", ...window, limit: most + 1 }];
  const answer = await lines(path, question, (line) => {
    if (line.event) found.push({ ...line.event, definition, origin, table: of });
    else if (line.table) of = line.table;
    else if (line.origin) origin = line.origin;
    else definition = line.definition ?? line;
  }, signal);
  return { found: found.slice(0, most), whole: answer.whole && found.length <= most, definition };
}

// The columns that a change changed, as [column, before, after].
export function changed({ definition, before, after }) {
  const cells = definition.columns.map((column, i) => [column, before?.[i], after?.[i]]);
  return before && after ? cells.filter(([, a, b]) => !same(a, b)) : cells;
}

// `id = 42`.
export const keyText = (columns, key) => columns.map((column, i) => `${column} = ${plain(key[i])}`).join(", ");

export function keyNode(columns, key) {
  return make("span", { class: "key" }, columns.flatMap((column, i) => [i ? ", " : "", make("span", { class: "soft" }, make("bdi", null, column), " = "), value(key[i])]));
}

export const badge = (kind) => make("span", { class: `badge ${WORDS[kind]?.[0] ?? ""}` }, WORDS[kind]?.[1] ?? kind);

// Who made a change, where the log tells.
export function origins({ origin, gtid, derived }) {
  const parts = [];
  if (derived) parts.push("by a foreign key, with the change that caused it");
  if (origin.connection_id) parts.push(`connection ${origin.connection_id}`);
  if (origin.server_id) parts.push(`server ${origin.server_id}`);
  if (gtid) parts.push(gtid);
  if (origin.binlog_file) parts.push(`${origin.binlog_file}:${origin.binlog_position}`);
  return parts;
}

export const statement = ({ origin }) => (origin.statement ? make("code", { class: "statement" }, ...visible(origin.statement)) : null);
