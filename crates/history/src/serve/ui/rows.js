// The rows of a table that changed in the window or in one transaction, and a row by its key.

import { get, latest, tablePath } from "./agent.js";
import { badge, changed, changes, keyNode, keyText } from "./changes.js";
import { byId, count, fill, make, many, value } from "./elements.js";
import { nameOf } from "./tables.js";
import { micros, rfc, shown } from "./times.js";

const MOST = 200;
// Columns of a change that fit into a line.
const FEW = 3;

// A key value that a person typed: 0x... is bytes where the column is.
function typed(text, column) {
  const bytes = /^(var)?binary/i.test(column.type) && /^0x([0-9a-f]{2})*$/i.test(text);
  return bytes ? { hex: text.slice(2) } : text;
}

function summary(change) {
  const all = changed(change);
  if (!change.before || !change.after) {
    const row = change.after ?? change.before;
    return all.slice(0, FEW + 1).map(([column], i) => make("span", { class: "cell" }, make("bdi", { class: "soft" }, column.name), " ", value(row[i])));
  }
  const parts = all.slice(0, FEW).map(([column, before, after]) => make("span", { class: "cell" }, make("bdi", { class: "soft" }, column.name), " ", make("del", null, value(before)), make("span", { class: "arrow", "aria-label": "becomes" }, " \u2192 "), make("ins", null, value(after))));
  if (all.length > FEW) parts.push(make("span", { class: "soft" }, `and ${many(all.length - FEW, "column")} more`));
  return parts;
}

export function rows({ lifeOf, undoOf }) {
  const panel = byId("rows");
  const ask = latest();

  // A field for each column of the key.
  function finder(table, definition) {
    const columns = definition.primary_key.map((name) => definition.columns.find((column) => column.name === name) ?? { name, type: "" });
    const fields = columns.map((column) => make("input", { type: "text", required: true, autocomplete: "off", spellcheck: "false", size: 12, placeholder: column.type }));
    const submit = (event) => {
      event.preventDefault();
      lifeOf(table, definition.primary_key, fields.map((field, i) => typed(field.value, columns[i])));
    };
    return make(
      "form",
      { class: "finder", onsubmit: submit, "aria-label": "A row by its key" },
      columns.map((column, i) => make("label", { class: "field" }, make("span", null, make("bdi", null, column.name)), fields[i])),
      make("button", { type: "submit" }, "Show the life of this row"),
    );
  }

  function row(chosen, change) {
    const { table } = change;
    const columns = change.definition.primary_key;
    const open = () => lifeOf(table, columns, change.key);
    return make(
      "tr",
      { class: "clickable", onclick: open },
      make("td", { class: "when" }, make("time", { datetime: change.event_timestamp }, shown(micros(change.event_timestamp)))),
      make("td", null, badge(change.event_type)),
      make("td", null, make("button", { type: "button", class: "link", "aria-label": `The life of ${keyText(columns, change.key)}`, onclick: (event) => { event.stopPropagation(); open(); } }, chosen ? null : make("bdi", { class: "of" }, nameOf(table), " "), keyNode(columns, change.key))),
      make("td", { class: "what" }, summary(change)),
    );
  }

  return {
    // `transaction`: its changes alone; `wider`: back to those of the window.
    async show(server, table, since, until, transaction, wider) {
      fill(panel, make("p", { class: "soft" }, "\u2026"));
      const at = transaction ? "" : `?at=${encodeURIComponent(rfc(until))}`;
      const definition = table ? await ask((signal) => get(tablePath(server, table) + at, signal)) : null;
      if (definition === undefined) return;
      const span = transaction ? { transaction } : { since: rfc(since), until: rfc(until) };
      const keys = definition ? { columns: definition.primary_key, scan: {} } : undefined;
      const answer = await ask((signal) => changes({ server, table, keys, span, most: MOST, signal }));
      if (!answer) return;
      const { found, whole } = answer;
      const where = transaction ? "in this transaction" : "in this window";
      fill(
        panel,
        make("div", { class: "head" }, table ? finder(table, definition) : make("p", { class: "soft" }, "Of all tables; choose one on the left to look for a row by its key."), make("span", { class: "grow" }), transaction ? make("button", { type: "button", onclick: () => undoOf([table], transaction) }, "Undo these") : null, transaction ? make("button", { type: "button", class: "quiet", onclick: wider }, "All of the window") : null),
        make("p", { class: "soft" }, whole ? `${many(found.length, "change")} of rows ${where}, the first one first.` : `The first ${count(found.length)} changes of rows ${where}: choose a shorter window (a bar above) for the others.`),
        transaction ? make("p", { class: "mono soft" }, transaction) : null,
        found.length === 0
          ? make("p", { class: "nothing" }, `No row${table ? ` of ${nameOf(table)}` : ""} changed ${where}.`)
          : make(
              "div",
              { class: "scroll", tabindex: 0, role: "region", "aria-label": "Changed rows" },
              make("table", { class: "rows" }, make("thead", null, make("tr", null, ["When", "What", "Row", "Change"].map((word) => make("th", { scope: "col" }, word)))), make("tbody", null, found.map((change) => row(table, change)))),
            ),
      );
    },
    failed(message) {
      fill(panel, make("p", { class: "message bad", role: "alert" }, message));
    },
  };
}
