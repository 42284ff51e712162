// The agent's API (docs/agent-api.yaml), asked with the token of this tab.

const KEPT = "dbtrail-token";

export const token = {
  get: () => sessionStorage.getItem(KEPT),
  set: (text) => sessionStorage.setItem(KEPT, text),
  forget: () => sessionStorage.removeItem(KEPT),
};

// A refusal of the agent, or what the way to it came to.
export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

// A header carries bytes, and a token may be any text.
const bytes = (text) => String.fromCharCode(...new TextEncoder().encode(text));

function refusal(status, body) {
  const told = typeof body?.error === "string" ? body.error : `the agent answered with status ${status} and gave no reason`;
  return new Refused(status, body?.code ?? "", told);
}

async function ask(path, options) {
  const headers = { Accept: "application/json, application/x-ndjson" };
  const kept = token.get();
  if (kept) headers.Authorization = "Bearer " + bytes(kept);
  if (options?.body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { cache: "no-store", credentials: "omit", redirect: "error", ...options, headers });
  } catch (failed) {
    if (failed.name === "AbortError") throw failed;
    throw new Refused(0, "unreachable", "the agent does not answer: is it running, and can this machine reach it?");
  }
  if (response.ok) return response;
  throw refusal(response.status, await response.json().catch(() => null));
}

export const get = async (path, signal) => (await ask(path, { signal })).json();
export const post = async (path, body, signal) => (await ask(path, { method: "POST", body: JSON.stringify(body), signal })).json();

// Lines of a streamed answer, each given to `each` until that returns false. An answer without its last line is no answer.
export async function lines(path, body, each, signal) {
  const own = new AbortController();
  const given = () => own.abort();
  signal?.addEventListener("abort", given);
  try {
    if (signal?.aborted) throw new DOMException("", "AbortError");
    const response = await ask(path, { method: "POST", body: JSON.stringify(body), signal: own.signal });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Refused(0, "cut", "the answer of the agent was cut off: ask again");
      const parts = (rest + value).split("\n");
      rest = parts.pop();
      for (const part of parts) {
        const line = JSON.parse(part);
        if (line.success === false) throw refusal(200, line);
        if (line.end) return { whole: true, notes: line.end.notes };
        if (each(line) === false) {
          own.abort();
          return { whole: false, notes: [] };
        }
      }
    }
  } finally {
    signal?.removeEventListener("abort", given);
  }
}

// The latest question of its kind: a later one ends it.
export function latest() {
  let running = null;
  return async (question) => {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    try {
      return await question(mine.signal);
    } catch (failed) {
      if (failed.name === "AbortError") return undefined;
      throw failed;
    }
  };
}

const part = encodeURIComponent;
export const tablePath = (server, { schema, table }) => `v1/servers/${part(server)}/schemas/${part(schema)}/tables/${part(table)}`;
