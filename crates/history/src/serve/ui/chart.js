// Changes step by step as bars: by mouse (a bar, or a stretch of them) or by keys (arrows, Enter) to look closer.

import { latest, lines } from "./agent.js";
import { byId, count, draw, fill, make, many, told } from "./elements.js";
import { duration, micros, rfc, shown, step, tick } from "./times.js";

export const KINDS = [["inserted", "inserted"], ["updated", "updated"], ["deleted", "deleted"]];
const MOST = 130;
const HEIGHT = 190;
const EDGE = { left: 52, right: 10, top: 16, bottom: 26 };

// The largest of 1, 2, 5, 10, 20, ... that cuts a height into at most four.
function round(most) {
  const ten = 10 ** Math.floor(Math.log10(Math.max(1, most / 4)));
  return [1, 2, 5, 10].map((n) => n * ten).find((n) => most / n <= 4) ?? ten * 10;
}

const total = (one) => one.inserted + one.updated + one.deleted;

function sentence(one) {
  const kinds = KINDS.map(([kind, word]) => `${count(one[kind])} ${word}`).join(", ");
  const emptied = one.emptied ? `, ${many(one.emptied, "table")} emptied at once` : "";
  return `${kinds}${emptied}, in ${many(one.transactions, "transaction")}`;
}

export function chart(closer) {
  const holder = byId("chart");
  const tip = byId("tip");
  const ask = latest();
  let asked = null;
  let all = [];
  let at = 0;
  let from = null;

  const first = () => Math.floor(asked.since / asked.length) * asked.length;
  // The part of the window that is in steps a to b.
  const stretch = (a, b) => [Math.max(asked.since, first() + a * asked.length), Math.min(asked.until, first() + (b + 1) * asked.length - 1)];

  function paint() {
    if (!asked) return;
    const width = Math.max(320, holder.clientWidth);
    const inner = { width: width - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };
    const slot = inner.width / all.length;
    const unit = round(Math.max(1, ...all.map(total)));
    const top = unit * Math.max(1, Math.ceil(Math.max(...all.map(total)) / unit));
    const y = (number) => EDGE.top + inner.height * (1 - number / top);
    const x = (i) => EDGE.left + i * slot;
    const image = draw("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, "aria-hidden": "true" });
    for (let line = 0; line <= top; line += unit) {
      image.append(draw("line", { x1: EDGE.left, x2: width - EDGE.right, y1: y(line), y2: y(line), class: line ? "grid" : "axis" }));
      image.append(draw("text", { x: EDGE.left - 8, y: y(line) + 4, class: "label end" }, count(line)));
    }
    const every = Math.max(1, Math.ceil(all.length / Math.max(2, Math.floor(inner.width / 96))));
    const dated = asked.until - asked.since > 86_400e6;
    for (let i = 0; i < all.length; i += every) {
      image.append(draw("text", { x: x(i), y: HEIGHT - 8, class: "label" }, tick(all[i].from, asked.seconds, dated)));
    }
    const thick = Math.max(1, Math.min(slot - (slot > 5 ? 2 : 0.5), 42));
    for (const [i, one] of all.entries()) {
      const bar = draw("g", { class: "step", "data-step": i });
      let behind = 0;
      for (const [kind] of KINDS) {
        if (!one[kind]) continue;
        const height = Math.max(1.5, (inner.height * one[kind]) / top);
        bar.append(draw("rect", { class: kind, x: x(i) + (slot - thick) / 2, width: thick, y: y(behind) - height, height, rx: Math.min(2, thick / 3) }));
        behind += one[kind];
      }
      if (one.emptied) bar.append(draw("path", { class: "deleted", d: `M${x(i) + slot / 2} ${y(behind) - 3}l-5 -8h10z` }));
      image.append(bar);
    }
    const slider = make("div", {
      class: "cursor", role: "slider", tabindex: 0, "aria-label": "Step of the window; Enter looks closer",
      "aria-valuemin": 0, "aria-valuemax": all.length - 1, "aria-orientation": "horizontal",
    });
    const focused = holder.contains(document.activeElement);
    fill(holder, image, make("div", { class: "mark" }), slider);
    holder.layout = { x, slot, inner };
    mark();
    if (focused) slider.focus();
  }

  const slider = () => holder.querySelector(".cursor");

  function mark() {
    const { x, slot, inner } = holder.layout;
    const one = all[at];
    const place = slider();
    place.setAttribute("aria-valuenow", at);
    place.setAttribute("aria-valuetext", `${shown(one.from)}: ${sentence(one)}`);
    const [a, b] = from === null ? [at, at] : [Math.min(at, from), Math.max(at, from)];
    const band = holder.querySelector(".mark");
    Object.assign(band.style, { left: `${x(a)}px`, width: `${slot * (b - a + 1)}px`, top: `${EDGE.top}px`, height: `${inner.height}px` });
  }

  function tell(i) {
    const { x, slot } = holder.layout;
    const one = all[i];
    fill(
      tip,
      make("strong", null, shown(Math.max(asked.since, one.from))),
      KINDS.map(([kind, word]) => make("span", { class: `kind ${kind}` }, `${count(one[kind])} ${word}`)),
      one.emptied ? make("span", { class: "kind deleted" }, `${many(one.emptied, "table")} emptied at once`) : null,
      make("span", { class: "soft" }, many(one.transactions, "transaction")),
    );
    tip.hidden = false;
    const box = holder.getBoundingClientRect();
    const middle = box.left + x(i) + slot / 2;
    Object.assign(tip.style, { left: `${Math.min(Math.max(8, middle - tip.offsetWidth / 2), window.innerWidth - tip.offsetWidth - 8)}px`, top: `${Math.max(4, box.top - tip.offsetHeight + 8)}px` });
  }

  const under = (event) => {
    if (!holder.layout) return -1;
    const i = Math.floor((event.clientX - holder.getBoundingClientRect().left - EDGE.left) / holder.layout.slot);
    return i >= 0 && i < all.length ? i : -1;
  };

  function go(a, b) {
    tip.hidden = true;
    from = null;
    const [since, until] = stretch(Math.min(a, b), Math.max(a, b));
    if (since > asked.since || until < asked.until) closer(since, until);
  }

  holder.addEventListener("pointermove", (event) => {
    const i = under(event);
    if (i < 0) return void (tip.hidden = true);
    at = i;
    mark();
    tell(i);
  });
  holder.addEventListener("pointerleave", () => {
    tip.hidden = true;
  });
  holder.addEventListener("pointerdown", (event) => {
    const i = under(event);
    if (i < 0 || event.button !== 0) return;
    from = at = i;
    mark();
    event.preventDefault();
    slider().focus({ preventScroll: true });
  });
  window.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const i = under(event);
    if (i >= 0) go(from, i);
    from = null;
    if (holder.layout) mark();
  });
  holder.addEventListener("keydown", (event) => {
    if (!holder.layout) return;
    const some = Math.max(1, Math.round(all.length / 10));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, PageDown: at + some, PageUp: at - some, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return go(from ?? at, at);
    }
    if (event.key === "Escape") from = null;
    else if (to === undefined) return;
    else {
      // With Shift a stretch, as text is chosen.
      if (event.shiftKey) from ??= at;
      else from = null;
      at = Math.min(Math.max(0, to), all.length - 1);
    }
    event.preventDefault();
    mark();
    tell(at);
  });
  holder.addEventListener("focusout", () => {
    tip.hidden = true;
  });
  new ResizeObserver(paint).observe(holder);

  function numbers() {
    const rows = all.filter((one) => one.transactions);
    fill(
      byId("chart-numbers").querySelector("div"),
      rows.length === 0
        ? make("p", { class: "soft" }, "Nothing changed.")
        : make(
            "table",
            { class: "numbers" },
            make("thead", null, make("tr", null, ["From", "Inserted", "Updated", "Deleted", "Emptied at once", "Transactions"].map((word) => make("th", { scope: "col" }, word)))),
            make("tbody", null, rows.map((one) => make("tr", null, make("th", { scope: "row" }, shown(one.from)), ["inserted", "updated", "deleted", "emptied", "transactions"].map((kind) => make("td", { class: kind }, count(one[kind])))))),
          ),
    );
  }

  return {
    // Asks, shows, and gives all counts of the window together; nothing: another question came.
    async show(server, table, since, until) {
      const seconds = step(since, until, MOST);
      const length = seconds * 1e6;
      const begin = Math.floor(since / length);
      const found = Array.from({ length: Math.floor(until / length) - begin + 1 }, (_, i) => ({ from: (begin + i) * length, transactions: 0, inserted: 0, updated: 0, deleted: 0, emptied: 0 }));
      const question = { server_id: server, since: rfc(since), until: rfc(until), step_seconds: seconds, ...(table ? { table } : {}) };
      holder.setAttribute("aria-busy", "true");
      let whole;
      try {
        whole = await ask((signal) =>
          lines("v1/change_counts", question, (line) => {
            if (!line.step) return;
            const i = Math.floor(micros(line.step.from) / length) - begin;
            Object.assign(found[i], line.step, { from: found[i].from });
          }, signal),
        );
      } catch (refused) {
        asked = null;
        holder.layout = null;
        fill(holder);
        fill(byId("legend"));
        byId("chart-numbers").hidden = true;
        told(byId("chart-error"), refused.message);
        throw refused;
      } finally {
        holder.removeAttribute("aria-busy");
      }
      if (!whole) return undefined;
      told(byId("chart-error"), "");
      byId("chart-numbers").hidden = false;
      asked = { since, until, seconds, length };
      all = found;
      at = Math.min(at, all.length - 1);
      from = null;
      const sum = (kind) => all.reduce((sum, one) => sum + one[kind], 0);
      byId("chart-title").textContent = `Changes ${seconds === 60 ? "a minute" : `per ${duration(seconds).replace(/^an? /, "")}`}`;
      fill(byId("legend"), KINDS.map(([kind, word]) => make("li", { class: `kind ${kind}` }, make("strong", null, count(sum(kind))), ` ${word}`)));
      paint();
      numbers();
      const busy = all.filter((one) => one.transactions);
      return { transactions: sum("transactions"), first: busy[0]?.from, last: busy.length ? busy[busy.length - 1].from + length - 1 : undefined, changes: all.reduce((sum, one) => sum + total(one), 0) };
    },
  };
}
