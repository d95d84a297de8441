// The server's answers. Every call ends: with data, or with one line that says what went wrong.

const WAIT_MS = 8000;

/** An answer that is not the one asked for. */
export class ApiError extends Error {
  constructor(message, code, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

async function call(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(WAIT_MS), ...options });
  } catch (error) {
    throw new ApiError(error.name === "TimeoutError" ? "no answer within 8 s" : "the server cannot be reached", "unreachable", 0);
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok || body?.ok === false) {
    throw new ApiError(body?.message ?? body?.error ?? `the server answered ${answer.status}`, body?.code ?? "", answer.status);
  }
  return body;
}

export const get = (path) => call(path);

/** Send a command. */
export function post(path, body = {}) {
  return call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

export const at = (engine, rest = "") => `/api/engines/${encodeURIComponent(engine)}${rest ? `/${rest}` : ""}`;
