// The life of a row: each change of it, what it was before beside what it was after.

import { latest } from "./agent.js";
import { badge, changed, changes, keyText, origins, statement } from "./changes.js";
import { byId, count, dialog, fill, make, many, same, value } from "./elements.js";
import { nameOf } from "./tables.js";
import { apart, micros, rfc, shown } from "./times.js";

const MOST = 500;

function cells(rows, before, after) {
  return make(
    "table",
    { class: "beside" },
    make("thead", null, make("tr", null, ["Column", "Before", "After"].map((word) => make("th", { scope: "col" }, word)))),
    make(
      "tbody",
      null,
      rows.map(([column, was, is]) => {
        const differs = before && after && !same(was, is);
        const name = make("th", { scope: "row" }, make("bdi", null, column.name), " ", make("span", { class: "soft type" }, column.type), differs ? make("span", { class: "hidden" }, " changed") : null);
        return make("tr", { class: differs ? "changed" : undefined }, name, make("td", { class: "before" }, before ? value(was) : "\u2014"), make("td", { class: "after" }, after ? value(is) : "\u2014"));
      }),
    ),
  );
}

function event(change, earlier) {
  const { definition, before, after } = change;
  const at = micros(change.event_timestamp);
  const differing = changed(change);
  const alike = before && after ? definition.columns.map((column, i) => [column, before[i], after[i]]).filter(([, was, is]) => same(was, is)) : [];
  return make(
    "li",
    { class: change.event_type.toLowerCase() },
    make("div", { class: "line" }, badge(change.event_type), make("time", { datetime: change.event_timestamp }, shown(at)), earlier ? make("span", { class: "soft" }, apart(micros(earlier.event_timestamp), at)) : null),
    statement(change),
    differing.length ? cells(differing, before, after) : make("p", { class: "soft" }, "No column is another one."),
    alike.length ? make("details", null, make("summary", null, `${many(alike.length, "column")} that did not change`), cells(alike, before, after)) : null,
    make("p", { class: "line soft" }, origins(change).map((part) => make("span", { class: "mono" }, part))),
  );
}

export function life({ undoOf }) {
  const box = byId("life");
  const frame = dialog(box);
  const list = byId("timeline");
  const ask = latest();
  let row = null;

  async function show(whole) {
    byId("life-window").setAttribute("aria-pressed", String(!whole));
    byId("life-whole").setAttribute("aria-pressed", String(whole));
    fill(list, make("li", { class: "soft" }, "\u2026"));
    const { server, table, columns, key, span, record } = row;
    const asked = whole ? record : span;
    try {
      const keys = { columns, values: [key] };
      const answer = await ask((signal) => changes({ server, table, keys, span: { since: rfc(asked.since), until: rfc(asked.until) }, most: MOST, signal }));
      if (!answer) return;
      const { found, whole: all } = answer;
      const where = `from ${shown(asked.since)} to ${shown(asked.until)}`;
      byId("life-about").textContent = all ? `${many(found.length, "change")} ${where}` : `The first ${count(found.length)} changes ${where}`;
      fill(list, found.length ? found.map((change, i) => event(change, found[i - 1])) : make("li", { class: "nothing" }, "Nothing changed this row in that time. If it was there, it was the same all along."));
    } catch (refused) {
      byId("life-about").textContent = "";
      fill(list, make("li", { class: "message bad", role: "alert" }, refused.message));
    }
  }

  byId("life-window").addEventListener("click", () => show(false));
  byId("life-whole").addEventListener("click", () => show(true));
  byId("life-undo").addEventListener("click", () => undoOf(row));

  return {
    // `record`: what can be asked for without a gap, up to now.
    open(asked) {
      row = asked;
      fill(byId("life-title"), make("bdi", null, nameOf(row.table)), " ", make("bdi", { class: "soft" }, keyText(row.columns, row.key)));
      frame.open();
      show(true);
    },
  };
}
