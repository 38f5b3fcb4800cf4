// Calls to the service. Addresses are relative to this file, wherever the page is mounted.

const base = new URL("../v1/", import.meta.url);
const TRIES = 3;
const LONGEST_WAIT_S = 5;

/** What the service (or the way to it) answered instead of a result. */
export class Problem extends Error {
  constructor({ status = 0, title, detail = "", requestId = null, retryAfter = null }) {
    super(title);
    Object.assign(this, { status, title, detail, requestId, retryAfter });
  }
}

let signIn = () => Promise.reject(new Problem({ status: 401, title: "You are not signed in." }));

/** Say what signs the visitor in: called on a 401, resolves when the call may be repeated. */
export function whenSignedOut(handler) {
  signIn = handler;
}

/**
 * Call the service and return the response, or throw a Problem.
 * `patient` waits and tries again where the service is busy; `anonymous` takes a 401 as an answer.
 */
export async function call(path, { method = "GET", body, form, signal, accept, patient = false, anonymous = false } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    const response = await send(path, { method, body, form, signal, accept });
    if (response.ok) return response;
    const problem = await read(response);
    if (problem.status === 401 && !anonymous && attempt < TRIES) {
      await signIn(problem);
    } else if (patient && [429, 503].includes(problem.status) && attempt < TRIES) {
      await pause(Math.min(problem.retryAfter ?? attempt, LONGEST_WAIT_S) * 1000, signal);
    } else {
      throw problem;
    }
  }
}

/** The whole address of what the service names relative to itself. */
export const serviceAddress = (path) => new URL(`../${path}`, base).href;

export const json = async (path, options) => (await call(path, options)).json();

async function send(path, { method, body, form, signal, accept = "application/json" }) {
  const headers = { Accept: accept };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(new URL(path, base), {
      method,
      headers,
      signal,
      body: form ?? (body === undefined ? undefined : JSON.stringify(body)),
      credentials: "same-origin",
      redirect: "error",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "Tidemark cannot be reached.", detail: "Check the connection and try again." });
  }
}

async function read(response) {
  let told = {};
  try {
    told = await response.json();
  } catch {
    // A proxy in between may answer with a page of its own.
  }
  const named = { request_id: response.headers.get("X-Request-ID"), ...told, status: response.status };
  return problemOf(named, response.headers.get("Retry-After"));
}

/** A Problem of problem details, as responses and the events of an answer carry them. */
export function problemOf(told, wait = null) {
  const retryAfter = Number.parseFloat(wait);
  return new Problem({
    status: told.status,
    title: TITLES[told.status] ?? sentence(told.title ?? `The service answered ${told.status}`),
    detail: typeof told.detail === "string" ? told.detail : "",
    requestId: told.request_id ?? null,
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : null,
  });
}

// What the phrases of HTTP mean to somebody who searches.
const TITLES = {
  400: "This could not be understood.",
  401: "You are not signed in.",
  403: "This is not allowed.",
  404: "This does not exist, or is not for you to see.",
  409: "There is no room for this.",
  413: "This is too large.",
  415: "Documents of this kind are not taken.",
  422: "This could not be understood.",
  429: "That was a little fast.",
  500: "Something went wrong.",
  502: "The service is not there at the moment.",
  503: "The service is busy.",
  504: "The service took too long.",
};

const sentence = (text) => (/[.!?…]$/u.test(text) ? text : `${text}.`);

/** Wait, unless aborted. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** Ask for a stream of server-sent events; yields [event, data] with the data parsed. */
export async function* events(path, body, signal) {
  const response = await call(path, { method: "POST", body, signal, accept: "text/event-stream", patient: true });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      rest += value;
      const blocks = rest.split(/\r?\n\r?\n/u);
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parseEvent(block) {
  let name = "message";
  const data = [];
  for (const line of block.split(/\r?\n/u)) {
    const [, field, value] = /^([^:]*):? ?(.*)$/u.exec(line) ?? [];
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
  }
  return data.length ? [name, JSON.parse(data.join("\n"))] : null;
}
