// The transactions of the window: when, who, how many rows of which tables, by which statements.

import { latest, lines } from "./agent.js";
import { byId, count, fill, make, many, visible } from "./elements.js";
import { nameOf } from "./tables.js";
import { micros, rfc, shown } from "./times.js";

// Shown at most, and read at most to find those of one table.
const MOST = 300;
const READ = 200_000;

const number = (cell) => Number(cell ?? 0);

// Bars are by kind; here the same colours with signs.
export function signed(inserted, updated, deleted, emptied) {
  const one = (kind, sign, number, word) => (number ? make("span", { class: `kind ${kind}`, title: `${count(number)} ${word}` }, `${sign}${count(number)}`) : null);
  return make(
    "span",
    { class: "signed" },
    one("inserted", "+", inserted, "inserted"),
    one("updated", "~", updated, "updated"),
    one("deleted", "\u2212", deleted, "deleted"),
    emptied ? make("span", { class: "kind deleted", title: "all rows removed at once" }, "emptied") : null,
  );
}

const rowsOf = (one) => number(one.rows_inserted) + number(one.rows_updated) + number(one.rows_deleted);

function who(one) {
  const parts = [];
  if (one.user) parts.push(one.host ? `${one.user}@${one.host}` : one.user);
  if (one.program) parts.push(one.program);
  if (one.connection_id) parts.push(`connection ${one.connection_id}`);
  if (one.server_id) parts.push(`server ${one.server_id}`);
  return parts.map((part) => make("span", { class: "who" }, ...visible(String(part))));
}

function statements(one) {
  const texts = one.statements ? JSON.parse(one.statements) : [];
  if (texts.length === 0) return null;
  const [first, ...rest] = texts.map((text) => make("code", { class: "statement" }, ...visible(String(text))));
  if (rest.length === 0) return first;
  return make("details", { class: "statements" }, make("summary", null, first, make("span", { class: "soft" }, ` and ${many(rest.length, "statement")} more`)), rest);
}

export function transactions({ changesOf, undoOf, named }) {
  const panel = byId("transactions");
  const ask = latest();
  let largest = false;

  function row(one, table) {
    const counts = JSON.parse(one.tables);
    const touched = Object.entries(counts);
    const mine = table ? touched.filter(([name]) => name === nameOf(table)) : touched;
    const rest = touched.length - mine.length;
    const chips = mine.map(([name, of]) => {
      const known = named(name);
      const chip = [make("bdi", null, name), " ", signed(of.inserted, of.updated, of.deleted, of.all_rows_removed)];
      return known && one.gtid
        ? make("button", { type: "button", class: "chip link", title: "Its changes of this table", onclick: () => changesOf(known, one.gtid) }, chip)
        : make("span", { class: "chip" }, chip);
    });
    const tables = touched.map(([name]) => named(name));
    const changed = touched.some(([, of]) => of.inserted || of.updated || of.deleted || of.all_rows_removed);
    return make(
      "li",
      { class: "transaction" },
      make(
        "div",
        { class: "line" },
        make("time", { datetime: rfc(micros(one.commit_time)) }, shown(micros(one.commit_time))),
        changed ? signed(number(one.rows_inserted), number(one.rows_updated), number(one.rows_deleted), touched.some(([, of]) => of.all_rows_removed)) : make("span", { class: "soft" }, "definition"),
        make("span", { class: "chips" }, chips, rest > 0 ? make("span", { class: "soft" }, `and ${many(rest, "table")} more`) : null),
        make("span", { class: "grow" }),
        one.gtid && changed && tables.every(Boolean)
          ? make("button", { type: "button", onclick: () => undoOf(tables, one.gtid), "aria-label": `Undo the transaction of ${shown(micros(one.commit_time))}` }, "Undo")
          : null,
      ),
      statements(one),
      make(
        "div",
        { class: "line soft" },
        who(one),
        make("span", { class: "mono" }, one.gtid ?? "no GTID"),
        make("span", { class: "mono" }, `${one.binlog_file}:${one.binlog_position}`),
      ),
    );
  }

  // The order of what is shown; another one is asked for anew.
  function order(again) {
    const choice = make("select", null, make("option", { value: "" }, "the first one first"), make("option", { value: "rows" }, "most rows first"));
    choice.value = largest ? "rows" : "";
    choice.addEventListener("change", () => {
      largest = choice.value === "rows";
      again().then(() => panel.querySelector("select")?.focus());
    });
    return make("label", { class: "field" }, make("span", null, "Order"), choice);
  }

  const mostRows = (found) => found.sort((a, b) => rowsOf(b) - rowsOf(a)).splice(MOST);

  const self = {
    async show(server, table, since, until, sums) {
      fill(panel, make("p", { class: "soft" }, "\u2026"));
      if (!sums.transactions) {
        fill(panel, make("p", { class: "nothing" }, "No transaction changed anything here in this window."));
        return;
      }
      // Nothing is to be found outside of the steps that have something.
      const window = [rfc(Math.max(since, sums.first)), rfc(Math.min(until, sums.last))];
      const found = [];
      let names = [];
      let read = 0;
      let fitting = 0;
      const answer = await ask((signal) =>
        lines("v1/history", { server_id: server, table: "transactions", window }, (line) => {
          if (line.columns) {
            names = line.columns.map((column) => column.name);
            return true;
          }
          read += 1;
          const one = Object.fromEntries(names.map((name, i) => [name, line[i]]));
          if (!table || Object.hasOwn(JSON.parse(one.tables), nameOf(table))) {
            fitting += 1;
            found.push(one);
          }
          if (!largest) return found.length < MOST && read < READ;
          if (found.length >= 2 * MOST) mostRows(found);
          return read < READ;
        }, signal),
      );
      if (!answer) return;
      if (largest) mostRows(found);
      const others = "choose a shorter window (a bar above) for the others.";
      const text = !answer.whole
        ? `${largest ? `Of the first ${count(fitting)}` : `The first ${count(found.length)}`} of ${many(sums.transactions, "transaction")}: ${others}`
        : found.length < fitting ? `The ${count(found.length)} with most rows, of ${many(fitting, "transaction")}: ${others}` : `${many(fitting, "transaction")}.`;
      fill(
        panel,
        make("div", { class: "head" }, make("p", { class: "soft" }, text), make("span", { class: "grow" }), order(() => self.show(server, table, since, until, sums).catch((refused) => self.failed(refused.message)))),
        make("ol", { class: "plain" }, found.map((one) => row(one, table))),
      );
    },
    failed(message) {
      fill(panel, make("p", { class: "message bad", role: "alert" }, message));
    },
  };
  return self;
}
