// The SQL that takes changes back, to read, to copy, to save. Nothing here runs it.

import { latest, post } from "./agent.js";
import { byId, count, dialog, fill, make, many, visible } from "./elements.js";
import { nameOf } from "./tables.js";
import { rfc, shown } from "./times.js";

// Characters that are shown; copied and saved is all of it.
const SHOWN = 200_000;
const LISTED = 50;

function list(title, all) {
  if (all.length === 0) return null;
  const more = all.length > LISTED ? make("li", { class: "soft" }, `and ${count(all.length - LISTED)} more, in the file`) : null;
  return make("details", { class: "warned", open: true }, make("summary", null, title), make("ul", null, all.slice(0, LISTED).map((one) => make("li", null, ...visible(one))), more));
}

// The comments at the top are soft; what stands further down may be a part of a value.
function sql(text) {
  const cut = text.slice(0, SHOWN);
  const head = /^(?:--[^\n]*\n)*/.exec(cut)[0];
  const parts = [make("span", { class: "comment" }, ...visible(head).flatMap((part) => (part.className === "unseen" && part.title === "U+000A" ? [] : [part]))), cut.slice(head.length)];
  if (cut.length < text.length) parts.push(make("span", { class: "comment" }, `\n\u2026 ${count(text.length - cut.length)} characters more: copy or save it`));
  return parts;
}

export function undo() {
  const box = byId("undo");
  const frame = dialog(box);
  const ask = latest();
  let asked = null;
  let script = "";

  async function write() {
    const { server, tables, span, keys } = asked;
    const named = tables.filter((_, i) => asked.chosen[i]);
    const told = byId("undo-told");
    script = "";
    byId("undo-copy").disabled = byId("undo-save").disabled = true;
    fill(byId("undo-sql"));
    if (named.length === 0) return void fill(told, make("p", { class: "soft" }, "Choose a table."));
    fill(told, make("p", { class: "soft" }, "\u2026"));
    try {
      const answer = await ask((signal) => post("v1/undo_script", { server_id: server, tables: named, span, ...(keys ? { keys } : {}), ...(asked.commit ? { commit: true } : {}) }, signal));
      if (!answer) return;
      const { rows, statements, not_taken_back: left, incomplete, unknown } = answer;
      fill(
        told,
        make("p", { class: "sum" }, make("strong", null, many(rows, "row")), ` ${rows === 1 ? "comes" : "come"} back by ${many(statements, "statement")}.`, left.length ? make("strong", { class: "bad" }, ` ${many(left.length, "row")} ${left.length === 1 ? "does" : "do"} not.`) : ""),
        list("It is not complete", incomplete),
        list(`Not taken back: ${many(left.length, "row")}`, left),
        list("Whether rows of today are in the way is not known", unknown),
      );
      script = answer.script;
      fill(byId("undo-sql"), sql(script));
      byId("undo-copy").disabled = byId("undo-save").disabled = false;
    } catch (refused) {
      fill(told, make("p", { class: "message bad", role: "alert" }, refused.message));
    }
  }

  function option(text, checked, change) {
    const input = make("input", { type: "checkbox" });
    input.checked = checked;
    input.addEventListener("change", () => {
      change(input.checked);
      write();
    });
    return make("label", { class: "check" }, input, ...text);
  }

  function options() {
    const several = asked.tables.length > 1;
    const tables = several ? asked.tables.map((table, i) => option([make("bdi", null, nameOf(table))], asked.chosen[i], (is) => { asked.chosen[i] = is; })) : [];
    fill(byId("undo-options"), tables, option(["End with COMMIT, if every statement has found its row"], asked.commit, (is) => { asked.commit = is; }));
  }

  byId("undo-copy").addEventListener("click", async () => {
    const button = byId("undo-copy");
    let done = false;
    try {
      await navigator.clipboard.writeText(script);
      done = true;
    } catch {
      // Over plain HTTP from another machine browsers have no clipboard for a page.
      const area = make("textarea", { class: "hidden", readonly: true });
      area.value = script;
      box.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.textContent = done ? "Copied" : "Not copied: save it";
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  });
  byId("undo-save").addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([script], { type: "application/sql" }));
    make("a", { href: address, download: "undo.sql" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  });

  return {
    // `span`: { since, until } in microseconds, or a GTID.
    open({ server, tables, span, keys, about }) {
      const isTransaction = typeof span === "string";
      const told = isTransaction ? `transaction ${span}` : `from ${shown(span.since)} to ${shown(span.until)}`;
      asked = {
        server, tables, keys, chosen: tables.map(() => true), commit: false,
        span: isTransaction ? { transaction: span } : { window: { since: rfc(span.since), until: rfc(span.until) } },
      };
      byId("undo-about").textContent = `${about ?? tables.map(nameOf).join(", ")}: ${told}`;
      options();
      frame.open();
      write();
    },
  };
}
