// Elements, and values of rows in them. Text is only ever set as text: rows may hold anything.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

// An element. A property that begins with "on" is a function for that event; children are elements or text.
export const make = (name, properties, ...children) => filled(document.createElement(name), properties, children);
export const draw = (name, properties, ...children) => filled(document.createElementNS(SVG, name), properties, children);

export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
}

// What a person cannot see, or what moves other text around (bidi): shown by a sign.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/u;

function sign(character) {
  const code = character.codePointAt(0);
  const name = "U+" + code.toString(16).toUpperCase().padStart(4, "0");
  if (character === "\n") return [make("span", { class: "unseen", title: name }, "\u21b5"), "\n"];
  if (character === "\t") return [make("span", { class: "unseen", title: name }, "\u21e5"), "\t"];
  const picture = code < 0x20 ? String.fromCharCode(0x2400 + code) : name;
  return [make("span", { class: "unseen", title: name }, picture)];
}

// Text of a row, as it is.
export function visible(text) {
  if (!UNSEEN.test(text)) return [text];
  const parts = [];
  let clean = "";
  for (const character of text) {
    if (UNSEEN.test(character)) {
      if (clean) parts.push(clean);
      clean = "";
      parts.push(...sign(character));
    } else {
      clean += character;
    }
  }
  if (clean) parts.push(clean);
  return parts;
}

const LONG = 400;

// Longer text, with the rest behind a button.
function long(text) {
  if (text.length <= LONG) return visible(text);
  // Not through the middle of a pair.
  const cut = [...text.slice(0, LONG)].slice(0, -1).join("");
  const rest = make("button", { type: "button", class: "more" }, `\u2026 ${(text.length - cut.length).toLocaleString("en")} characters more`);
  const holder = make("span", null, ...visible(cut), rest);
  rest.addEventListener("click", (event) => {
    event.stopPropagation();
    holder.replaceChildren(...visible(text));
  });
  return [holder];
}

// The text of a cell, for comparing and for one line.
export function plain(cell) {
  if (cell === null || cell === undefined) return "NULL";
  if (typeof cell === "string") return cell;
  if (typeof cell.hex === "string") return "0x" + cell.hex.toUpperCase();
  return "not known";
}

// A cell: text, NULL, bytes, or why it is not known.
export function value(cell) {
  if (cell === null || cell === undefined) return make("span", { class: "null" }, "NULL");
  if (typeof cell === "string") {
    return cell === "" ? make("span", { class: "null" }, "empty") : make("bdi", { class: "value" }, ...long(cell));
  }
  if (typeof cell.hex === "string") return make("span", { class: "value bytes" }, ...long(plain(cell)));
  return make("span", { class: "null", title: String(cell.unknown ?? "") }, "not known");
}

export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// A message in the place of what could not be shown.
export function told(element, text) {
  element.textContent = text ?? "";
  element.hidden = !text;
}

export const count = (number) => number.toLocaleString("en");

// "1 row", "2 rows".
export const many = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

// A dialog: Escape and its button close it, and the focus goes back to where it was.
export function dialog(element) {
  element.querySelector("[data-close]").addEventListener("click", () => element.close());
  element.addEventListener("click", (event) => {
    if (event.target === element) element.close();
  });
  return {
    open() {
      if (!element.open) element.showModal();
      element.scrollTop = 0;
    },
  };
}

// Tabs: arrows, Home and End move among them, as a screen reader's user expects.
export function tabs(list, chosen) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const choose = (tab, focus) => {
    for (const other of all) {
      const is = other === tab;
      other.setAttribute("aria-selected", String(is));
      other.tabIndex = is ? 0 : -1;
      byId(other.getAttribute("aria-controls")).hidden = !is;
    }
    if (focus) tab.focus();
    chosen(tab.getAttribute("aria-controls"));
  };
  for (const [at, tab] of all.entries()) {
    tab.addEventListener("click", () => choose(tab, false));
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      choose(all[(to + all.length) % all.length], true);
    });
  }
  return (panel) => choose(all.find((tab) => tab.getAttribute("aria-controls") === panel), false);
}
