// What is shown lies in the address, behind the #: it can be shared, reloaded and gone back from,
// and what is asked never reaches a server's access log.

const EMPTY = { query: "", filters: {}, typed: false, style: null, conversation: null, doc: null, at: null };
const listeners = [];

/** Read a route from a fragment such as `#q=tides&f.source=handbook&a=short&doc=ID&at=10-90`. */
export function parse(hash) {
  const given = new URLSearchParams(hash.replace(/^#/u, ""));
  const filters = {};
  for (const [name, value] of given) {
    if (name.startsWith("f.") && name.length > 2) (filters[name.slice(2)] ??= []).push(value);
  }
  const at = /^(\d+)-(\d+)$/u.exec(given.get("at") ?? "");
  return {
    query: given.get("q") ?? "",
    filters,
    typed: given.has("typed"),
    style: ["short", "detailed"].includes(given.get("a")) ? given.get("a") : null,
    conversation: given.get("c"),
    doc: given.get("doc"),
    at: at ? { start: Number(at[1]), end: Number(at[2]) } : null,
  };
}

export function format(route) {
  const told = new URLSearchParams();
  if (route.query) told.set("q", route.query);
  for (const [field, values] of Object.entries(route.filters)) {
    for (const value of values) told.append(`f.${field}`, value);
  }
  if (route.typed) told.set("typed", "1");
  if (route.style) told.set("a", route.style);
  if (route.conversation) told.set("c", route.conversation);
  if (route.doc) told.set("doc", route.doc);
  if (route.doc && route.at) told.set("at", `${route.at.start}-${route.at.end}`);
  return `#${told}`;
}

export const current = () => parse(location.hash);
export const merged = (changes) => ({ ...current(), ...changes });
export const blank = (changes = {}) => ({ ...EMPTY, ...changes });
export const isLive = () => history.state?.live === true;

/** The address of a route, for links that are copied or opened elsewhere. */
export const address = (route) => location.href.replace(/#.*$/u, "") + format(route);

/** Go to the current route with changes; `live` marks what was only typed so far. */
export function go(changes, { replace = false, live = false, quiet = false } = {}) {
  const state = replace ? { ...history.state, live } : { live };
  write(merged(changes), state, replace);
  if (!quiet) tell();
}

/** Open a document: "back" closes it, however many were read in between. */
export function open(changes) {
  const replace = Boolean(current().doc);
  write(merged(changes), replace ? history.state : { opened: true }, replace);
  tell();
}

/** Close what the address says is open: by going back, where the page itself opened it. */
export function close() {
  if (history.state?.opened) history.back();
  else go({ doc: null, at: null }, { replace: true });
}

function write(route, state, replace) {
  const fragment = format(route);
  const target = fragment === "#" ? location.pathname + location.search : fragment;
  const unchanged = fragment === (location.hash || "#");
  history[replace || unchanged ? "replaceState" : "pushState"](state, "", target);
}

export function onRoute(listener) {
  listeners.push(listener);
}

export function tell() {
  const route = current();
  for (const listener of listeners) listener(route);
}

addEventListener("popstate", tell);
