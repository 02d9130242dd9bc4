// The API below the console. Whatever goes wrong becomes a Problem: what happened, and what to do.

const ROOT = "/console/api";

export class Problem extends Error {
  constructor(message, { action = "", code = "", field, status = 0, exports } = {}) {
    super(message);
    Object.assign(this, { action, code, field, status, exports });
  }
}

export async function ask(path, { method = "GET", body, headers = {}, signal } = {}) {
  return (await call(path, { method, body, headers, signal })).document;
}

// With the ETag that the document has now, for a change that must not overwrite another one.
export const askKept = (path, options = {}) => call(path, options);

export const query = (name, values) => values.map((value) => `${name}=${encodeURIComponent(value)}`).join("&");
export const address = (path) => ROOT + path;

async function call(path, { method = "GET", body, headers = {}, signal }) {
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const sent = body === undefined ? headers : { "Content-Type": "application/json", ...headers };
  let answer;
  try {
    answer = await fetch(ROOT + path, { method, headers: sent, signal, ...content });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The app does not answer.", { action: "See whether you are online, then try again.", code: "offline" });
  }
  const document = await read(answer);
  if (!answer.ok) throw refused(answer, document);
  return { document, etag: answer.headers.get("ETag") };
}

async function read(answer) {
  const text = await answer.text();
  const type = answer.headers.get("Content-Type") ?? "";
  // An answer without content has the type all the same.
  return text && type.includes("json") ? JSON.parse(text) : null;
}

function refused(answer, told) {
  const { status } = answer;
  if (status === 401) {
    return new Problem("You have been signed out.", { action: "Load the page again to sign in.", code: "not_signed_in", status });
  }
  return new Problem(told?.detail ?? `The app answers with HTTP ${status}.`, {
    action: told?.action ?? "Try again. If it stays so, whoever runs the app finds the cause in its log.",
    code: told?.code,
    field: told?.field,
    exports: told?.exports,
    status,
  });
}
