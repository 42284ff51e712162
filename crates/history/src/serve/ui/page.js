// The page: what is chosen (a table, a window), and who shows it.

import { get, latest, Refused, token } from "./agent.js";
import { chart } from "./chart.js";
import { keyText } from "./changes.js";
import { byId, count, fill, make, tabs, told } from "./elements.js";
import { life } from "./life.js";
import { rows } from "./rows.js";
import { nameOf, tableList, trouble } from "./tables.js";
import { duration, LOCAL, micros, rfc, shown, typed, zone } from "./times.js";
import { transactions } from "./transactions.js";
import { undo } from "./undo.js";

const THEME = "dbtrail-theme";
const PRESETS = [[900, "15 min"], [3600, "1 h"], [21_600, "6 h"], [86_400, "24 h"], [604_800, "7 d"], [0, "All"]];
const LOOK_AGAIN = 10_000;

let status = null;
// The servers of which the agent has the history, and the one that is looked at.
const served = { all: [], chosen: null };
const state = { table: null, since: NaN, until: NaN, transaction: null, wider: [] };
let panel = "transactions";
const ask = latest();

const server = () => status.server_id;
const record = () => ({ since: micros(status.oldest), until: micros(status.newest) });
// The newest stretch of the record without a gap.
const unbroken = () => ({ since: Math.max(record().since, ...status.gaps.map((gap) => micros(gap.to))), until: record().until });

const list = tableList((table) => go({ table, transaction: null }));
const bars = chart((since, until) => go({ since, until, transaction: null, wider: [...state.wider, [state.since, state.until]] }));
const paper = undo();
const one = life({
  undoOf: (row) => paper.open({ server: server(), tables: [row.table], span: row.span, keys: { columns: row.columns, values: [row.key] }, about: `${nameOf(row.table)}, ${keyText(row.columns, row.key)}` }),
});
const undoOf = (tables, gtid) => paper.open({ server: server(), tables, span: gtid });
const changedRows = rows({
  lifeOf: (table, columns, key) => one.open({ server: server(), table, columns, key, span: { since: state.since, until: state.until }, record: unbroken() }),
  undoOf,
});
const done = transactions({ changesOf: (table, gtid) => go({ table, transaction: gtid }, "rows"), undoOf, named: list.named });
const choose = tabs(document.querySelector("[role=tablist]"), (chosen) => {
  panel = chosen;
});

// What is chosen stands in the address too, so that it can be kept and sent.
function remember() {
  const kept = new URLSearchParams();
  if (served.all.length > 1) kept.set("server", served.chosen);
  if (state.table) {
    kept.set("schema", state.table.schema);
    kept.set("table", state.table.table);
  }
  kept.set("since", rfc(state.since));
  kept.set("until", rfc(state.until));
  history.replaceState(null, "", "#" + kept);
}

function remembered() {
  const kept = new URLSearchParams(location.hash.slice(1));
  const table = kept.has("schema") && kept.has("table") ? { schema: kept.get("schema"), table: kept.get("table") } : null;
  const [since, until] = ["since", "until"].map((name) => micros(kept.get(name) ?? ""));
  return since <= until ? { table, since, until } : { table };
}

function preset(seconds) {
  const { since, until } = record();
  return { since: seconds ? Math.max(since, until - seconds * 1e6) : since, until };
}

function notices() {
  const entry = state.table && list.entry(state.table);
  const texts = status.gaps.filter((gap) => micros(gap.from) < state.until && micros(gap.to) > state.since).map((gap) => `The log from ${shown(micros(gap.from))} to ${shown(micros(gap.to))} was never read (${gap.reason}): nothing is told of a window that touches it.`);
  if (entry && trouble(entry)) texts.push(`${nameOf(entry)} cannot be read at the end of the record${entry.reason ? `: ${entry.reason}` : "."}`);
  fill(byId("notices"), texts.map((text) => make("p", { class: "message warn" }, text)));
}

async function show() {
  list.show(status.tables, state.table);
  fill(byId("title"), make("bdi", null, nameOf(state.table)));
  document.title = `${nameOf(state.table)} \u00b7 dbtrail`;
  byId("since").value = shown(state.since);
  byId("until").value = shown(state.until);
  byId("back").hidden = state.wider.length === 0;
  byId("undo-window").hidden = !state.table;
  notices();
  for (const button of byId("presets").children) {
    const { since, until } = preset(Number(button.dataset.seconds));
    button.setAttribute("aria-pressed", String(since === state.since && until === state.until));
    // What is longer than the record is all of it.
    button.hidden = button.dataset.seconds !== "0" && since === record().since;
  }
  const { table, since, until, transaction } = state;
  const failed = (part) => (refused) => {
    if (refused instanceof Refused && refused.status === 401) return leave("The token is not one of this agent's any more.");
    part.failed(refused.message);
  };
  changedRows.show(server(), table, since, until, transaction, () => go({ transaction: null }, "rows")).catch(failed(changedRows));
  try {
    const sums = await bars.show(server(), table, since, until);
    if (sums) await done.show(server(), table, since, until, sums);
  } catch (refused) {
    failed(done)(refused);
  }
}

function go(changes, tab) {
  Object.assign(state, changes);
  remember();
  if (tab) choose(tab);
  show();
}

function health() {
  const { live, connected, reason, lag_seconds: lag, baseline } = status;
  const element = byId("health");
  const parts = [];
  if (!live) parts.push("log files");
  else if (connected) parts.push(lag === null ? "following" : `following, ${lag < 1 ? "less than a second" : duration(Math.round(lag)).replace(/^an? /, "1 ")} behind`);
  else parts.push(`not connected${reason ? `: ${reason}` : ""}`);
  if (baseline && baseline.done < baseline.total) parts.push(`first reading: ${count(baseline.done)} of ${count(baseline.total)} tables`);
  const text = parts.join(", ");
  if (element.textContent !== text) element.textContent = text;
  element.className = `health ${!live || connected ? "good" : "bad"}`;
  told(byId("server"), served.all.length > 1 ? "" : status.server_id);
}

async function look() {
  if (!served.all.length) {
    const answer = await ask((signal) => get("v1/servers", signal));
    if (!answer) return false;
    served.all = answer.servers.map((one) => one.server_id);
    const kept = new URLSearchParams(location.hash.slice(1)).get("server");
    served.chosen = served.all.includes(kept) ? kept : served.all[0];
    fill(byId("servers"), served.all.map((name) => make("option", { value: name }, name)));
    byId("servers").value = served.chosen;
    byId("servers-field").hidden = served.all.length < 2;
  }
  const found = await ask((signal) => get(`v1/status?server_id=${encodeURIComponent(served.chosen)}`, signal));
  if (found) status = found;
  return Boolean(found);
}

function leave(why) {
  token.forget();
  status = null;
  served.all = [];
  byId("desk").hidden = byId("leave").hidden = byId("server").hidden = byId("servers-field").hidden = true;
  byId("health").textContent = "";
  for (const box of document.querySelectorAll("dialog[open]")) box.close();
  byId("door").hidden = false;
  told(byId("login-error"), why);
  byId("token").focus();
}

// Asks for the status: whoever gets it is in.
async function enter() {
  try {
    if (!(await look())) return;
  } catch (refused) {
    const wrong = refused.status === 401;
    return leave(!wrong ? refused.message : token.get() ? "That is not one of this agent's tokens." : "");
  }
  const was = byId("door").hidden === false;
  byId("door").hidden = true;
  byId("desk").hidden = false;
  if (was) byId("content").focus();
  byId("leave").hidden = !token.get();
  health();
  if (!status.oldest || !status.newest) {
    fill(byId("notices"), make("p", { class: "message warn" }, "The record has not begun yet. This page looks again by itself."));
    return;
  }
  const { since, until } = preset(3600);
  go({ since, until, ...remembered() });
}

byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  token.set(byId("token").value.trim());
  byId("token").value = "";
  enter();
});
byId("leave").addEventListener("click", () => leave(""));
byId("servers").addEventListener("change", () => {
  served.chosen = byId("servers").value;
  // Tables and windows are those of a server.
  history.replaceState(null, "", "#" + new URLSearchParams({ server: served.chosen }));
  Object.assign(state, { table: null, transaction: null, wider: [] });
  enter();
});
byId("window").addEventListener("submit", (event) => {
  event.preventDefault();
  try {
    const [since, until] = [typed(byId("since").value), typed(byId("until").value)];
    if (since > until) throw new Error("The window ends before it begins.");
    told(byId("window-error"), "");
    go({ since, until, transaction: null, wider: [] });
  } catch (wrong) {
    told(byId("window-error"), wrong.message);
  }
});
byId("back").addEventListener("click", () => {
  const [since, until] = state.wider.pop();
  go({ since, until });
});
byId("undo-window").addEventListener("click", () => paper.open({ server: server(), tables: [state.table], span: { since: state.since, until: state.until } }));
fill(byId("presets"), PRESETS.map(([seconds, word]) => make("button", { type: "button", "data-seconds": seconds, "aria-pressed": "false", onclick: () => go({ ...preset(seconds), transaction: null, wider: [] }) }, word)));

fill(byId("zone"), make("option", { value: "UTC" }, "UTC"), make("option", { value: "local" }, LOCAL));
byId("zone").value = zone.isLocal() ? "local" : "UTC";
byId("zone").addEventListener("change", () => {
  zone.set(byId("zone").value === "local");
  if (status?.newest) show();
});
const theme = (name) => {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
};
byId("theme").value = localStorage.getItem(THEME) ?? "";
theme(byId("theme").value);
byId("theme").addEventListener("change", () => {
  localStorage.setItem(THEME, byId("theme").value);
  theme(byId("theme").value);
});
setInterval(async () => {
  if (!status || document.hidden) return;
  if (!status.newest) return enter();
  if (!status.live) return;
  try {
    if (await look()) {
      health();
      list.show(status.tables, state.table);
    }
  } catch (refused) {
    if (refused.status === 401) leave("The token is not one of this agent's any more.");
    else fill(byId("health"), refused.message);
  }
}, LOOK_AGAIN);
enter();
