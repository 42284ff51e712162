// Instants: microseconds since 1970 (a number holds those exactly), RFC 3339 towards the agent, a time of the chosen zone towards people.

const ZONE = "dbtrail-zone";
export const LOCAL = Intl.DateTimeFormat().resolvedOptions().timeZone || "local";

export const zone = {
  isLocal: () => sessionStorage.getItem(ZONE) === "local",
  set: (local) => sessionStorage.setItem(ZONE, local ? "local" : "UTC"),
};

const two = (number) => String(number).padStart(2, "0");
const SECOND = 1_000_000;

// From RFC 3339 in UTC, as the agent writes it.
export function micros(text) {
  const found = /^(\d+-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z?$/.exec(text);
  if (!found) return NaN;
  return Date.parse(`${found[1]}T${found[2]}Z`) * 1000 + Number((found[3] ?? "").padEnd(6, "0"));
}

// To RFC 3339.
export function rfc(at) {
  const seconds = Math.floor(at / SECOND);
  const fraction = String(at - seconds * SECOND).padStart(6, "0");
  return new Date(seconds * 1000).toISOString().slice(0, 19) + "." + fraction + "Z";
}

function parts(at, local) {
  const date = new Date(Math.floor(at / SECOND) * 1000);
  return local
    ? [date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()]
    : [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
}

// `2026-11-23 22:05:53.25`: what is behind the second only where there is something.
export function shown(at) {
  const [year, month, day, hour, minute, second] = parts(at, zone.isLocal());
  const fraction = String(at - Math.floor(at / SECOND) * SECOND).padStart(6, "0").replace(/0+$/, "");
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}${fraction ? "." + fraction : ""}`;
}

// For an axis with such steps: as short as it can be.
export function tick(at, step, dated) {
  const [, month, day, hour, minute, second] = parts(at, zone.isLocal());
  if (step >= 86_400) return `${two(month)}-${two(day)}`;
  const time = step < 60 ? `${two(hour)}:${two(minute)}:${two(second)}` : `${two(hour)}:${two(minute)}`;
  return dated ? `${two(month)}-${two(day)} ${time}` : time;
}

// What a person typed, in the chosen zone. An Error says what is wrong with it.
export function typed(text) {
  const found = /^\s*(\d{4})-(\d\d?)-(\d\d?)(?:[T ]+(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?\s*(Z?)\s*$/.exec(text);
  if (!found) throw new Error(`'${text}' is no instant: write 2026-11-23 22:05 or 2026-11-23 22:05:53`);
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0));
  const local = zone.isLocal() && !found[8];
  const date = local ? new Date(year, month - 1, day, hour, minute, second) : new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const at = date.getTime() * 1000;
  const back = (at) => parts(at, local).join();
  const asked = [year, month, day, hour, minute, second].join();
  if (back(at) !== asked) throw new Error(`'${text}' is no time that there was${local ? ` in ${LOCAL}` : ""}`);
  // Clocks that were set back show it twice.
  for (const other of [-1, 1]) {
    if (local && back(at + other * 3600 * SECOND) === asked) throw new Error(`${LOCAL} had '${text}' twice: write it in UTC, with Z behind it`);
  }
  return at + Number((found[7] ?? "").padEnd(6, "0"));
}

const UNITS = [[86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];

// "a minute", "5 minutes".
export function duration(seconds) {
  const [length, word] = UNITS.find(([length]) => seconds % length === 0) ?? UNITS[3];
  const number = seconds / length;
  return number === 1 ? `${word === "hour" ? "an" : "a"} ${word}` : `${number} ${word}s`;
}

// How long after the one before.
export function apart(from, to) {
  const seconds = Math.max(0, (to - from) / SECOND);
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms later`;
  const [length, word] = UNITS.find(([length]) => seconds >= length);
  const number = Math.floor(seconds / length);
  return `${number} ${word}${number === 1 ? "" : "s"} later`;
}

// Lengths of steps in seconds.
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_419_200];

// The shortest step by which a window has at most so many; of a minute or more, where that tells enough of it.
export function step(since, until, most) {
  const seconds = (until - since) / SECOND;
  const shortest = seconds >= 720 ? 60 : 1;
  return STEPS.find((step) => step >= shortest && seconds / step + 1 <= most) ?? Math.ceil(seconds / most / 86_400) * 86_400;
}
