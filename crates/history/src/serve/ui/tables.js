// The tables of the history, to choose one of.

import { byId, fill, make } from "./elements.js";

export const nameOf = (table) => (table ? `${table.schema}.${table.table}` : "All tables");
export const isSame = (a, b) => a?.schema === b?.schema && a?.table === b?.table;

const STATES = { not_captured: "not captured", no_primary_key: "no key", unreadable: "unreadable", in_doubt: "in doubt" };

// What is not as it should be with a table; nothing: all is well.
export function trouble(entry) {
  if (entry.readable) return "";
  return entry.health ? STATES[entry.health] ?? "not readable" : "gone";
}

export function tableList(choose) {
  const list = byId("tables");
  const find = byId("find-table");
  let known = [];
  let chosen = null;

  function button(entry) {
    const state = entry && trouble(entry);
    const name = entry ? make("bdi", null, entry.table) : "All tables";
    const is = isSame(entry, chosen);
    return make(
      "button",
      { type: "button", class: "table", "aria-current": is ? "true" : undefined, title: entry?.reason ?? "", tabindex: is ? 0 : -1, onclick: () => choose(entry && { schema: entry.schema, table: entry.table }) },
      name,
      state ? make("span", { class: "state" }, state) : null,
    );
  }

  function show() {
    const wanted = find.value.trim().toLowerCase();
    const found = known.filter((entry) => nameOf(entry).toLowerCase().includes(wanted));
    const schemas = [...new Set(found.map((entry) => entry.schema))];
    fill(
      list,
      wanted ? null : button(null),
      schemas.map((schema) => [make("h2", null, make("bdi", null, schema)), found.filter((entry) => entry.schema === schema).map(button)]),
      found.length || !wanted ? null : make("p", { class: "soft" }, "No table has that in its name."),
    );
    const all = [...list.querySelectorAll("button")];
    if (all.length && !all.some((one) => one.tabIndex === 0)) all[0].tabIndex = 0;
  }

  find.addEventListener("input", show);
  find.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    list.querySelector("button")?.focus();
  });
  list.addEventListener("keydown", (event) => {
    const all = [...list.querySelectorAll("button")];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    if (to < 0) find.focus();
    else all[Math.min(to, all.length - 1)].focus();
  });

  return {
    show(entries, table) {
      const focused = list.contains(document.activeElement);
      const before = JSON.stringify([known, chosen]);
      known = [...entries].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
      chosen = table;
      // What did not change keeps its focus.
      if (JSON.stringify([known, chosen]) === before) return;
      show();
      if (focused) list.querySelector("[aria-current]")?.focus();
    },
    entry: (table) => known.find((entry) => isSame(entry, table)),
    // The table that a name `schema.table` means; nothing: none does, or two do.
    named(name) {
      const found = known.filter((entry) => nameOf(entry) === name);
      return found.length === 1 ? { schema: found[0].schema, table: found[0].table } : undefined;
    },
  };
}
