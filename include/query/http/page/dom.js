// Elements. Text is always set as text: nothing here reads markup.

/**
 * Make an element. Attributes that are null, undefined or false are left out; `on…` are listeners.
 * Children are nodes, texts, or lists of them; null and false are skipped.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const by = (id) => document.getElementById(id);

/** An icon of the sprite in index.html; decoration, so the button that holds it needs a label. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export function button(name, label, onclick, attributes = {}) {
  return h("button", { class: "quiet", type: "button", "aria-label": label, title: label, onclick, ...attributes }, icon(name));
}

/** Grey lines where a text is about to be; `label` says what is waited for. */
export const skeleton = (label) => h("div", { class: "skeleton", role: "img", "aria-label": label }, h("i"), h("i"), h("i"));

/** Tell screen readers what has just happened, without moving the focus. */
export function announce(text) {
  // A log, since two things may happen at once: what is added is read, what stands there is not.
  const log = by("status");
  log.append(h("p", {}, text));
  while (log.childElementCount > MOST_ANNOUNCED) log.firstChild.remove();
}

const MOST_ANNOUNCED = 5;
let toastTimer = 0;

/** Show a short message for a moment; screen readers hear it too. */
export function toast(text) {
  by("toast").textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (by("toast").textContent = ""), 4000);
}

/** What went wrong, in words, with what can be done about it. */
export function problemView(problem, retry) {
  return h(
    "div",
    { class: "problem", role: "alert" },
    h("p", {}, h("strong", {}, problem.title), problem.detail ? ` ${problem.detail}` : ""),
    problem.requestId && h("p", { class: "fine" }, `Request ${problem.requestId}`),
    retry && h("button", { class: "plain", type: "button", onclick: retry }, "Try again"),
  );
}

export async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch {
    toast("The browser does not allow copying here.");
  }
}
