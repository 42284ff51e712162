// What the two node clients share: commands from standard input, and values as [kind, text].
import readline from "node:readline";

export function shown(value) {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return ["num", String(value)];
  if (typeof value === "bigint") return ["int", String(value)];
  if (typeof value === "boolean") return ["bool", String(value)];
  if (Buffer.isBuffer(value)) return ["bytes", value.toString("hex")];
  if (typeof value === "string") return ["str", value];
  if (value instanceof Date) return ["Date", value.toISOString()];
  return ["json", JSON.stringify(value)];
}

/// A parameter of the driver as the client takes it.
export function parameter(sent) {
  if (sent === null) return null;
  const [kind, text] = sent;
  if (kind === "int") return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
  if (kind === "bytes") return Buffer.from(text, "hex");
  // A moment in UTC.
  if (kind === "datetime") return new Date(text.replace(" ", "T").slice(0, 23) + "Z");
  return text;
}

/// Answers one command after the other with `work[command.do](command)`.
export function serve(work) {
  const lines = readline.createInterface({ input: process.stdin });
  let last = Promise.resolve();
  lines.on("line", (line) => {
    const command = JSON.parse(line);
    last = last.then(() => work[command.do](command)).then(
      (answer) => console.log(JSON.stringify(answer ?? {})),
      (e) => {
        // What the server said; an error of the client's own ends the program.
        if (!(e.errno > 0)) { console.error(e); process.exit(1); }
        console.log(JSON.stringify({ error: [e.errno, e.sqlState ?? null, e.sqlMessage ?? e.message] }));
      });
  });
  lines.on("close", () => last.then(() => process.exit(0)));
}
