// A document beside what led to it, with the passage in question marked.

import { json } from "./api.js";
import { announce, button, by, copy, h, icon, problemView, skeleton } from "./dom.js";
import { day, fieldName, original, place, titleOf, tongue, valueName } from "./labels.js";
import { marked } from "./marked.js";
import { address, blank, close, current } from "./route.js";

// From here on the document stands beside the page instead of over it.
const beside = matchMedia("(min-width: 1100px)");

/** Documents that were dropped on a conversation are seen within it alone. */
function addressOf(id) {
  const { conversation } = current();
  const within = conversation ? `?conversation_id=${encodeURIComponent(conversation)}` : "";
  return `documents/${encodeURIComponent(id)}${within}`;
}

export class Reader {
  #dialog = by("reader");
  #abort = null;
  #shown = null;
  #document = null;
  recent = [];

  constructor() {
    this.#dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close();
    });
    this.#dialog.addEventListener("click", (event) => event.target === this.#dialog && close());
    beside.addEventListener("change", () => this.#dialog.open && this.#reopen());
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /** Bring the panel in line with the address. */
  sync(route) {
    if (!route.doc) this.#close();
    else if (this.#shown !== route.doc) this.#load(route.doc);
    else if (this.#document) this.#mark(route.at);
  }

  #close() {
    this.#abort?.abort();
    this.#shown = null;
    this.#document = null;
    if (this.#dialog.open) this.#dialog.close();
    this.#dialog.replaceChildren();
    document.body.classList.remove("reading");
  }

  #reopen() {
    this.#dialog.close();
    this.#show();
  }

  #show() {
    document.body.classList.toggle("reading", beside.matches);
    if (this.#dialog.open) return;
    if (beside.matches) this.#dialog.show();
    else this.#dialog.showModal();
  }

  async #load(id) {
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    this.#shown = id;
    this.#document = null;
    this.#fill(bar("Document"), skeleton("Opening the document"));
    this.#show();
    try {
      const told = await json(addressOf(id), { signal: abort.signal, patient: true });
      this.#document = told;
      this.recent = [id, ...this.recent.filter((other) => other !== id)].slice(0, 10);
      this.#mark(current().at);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      const gone = [404, 422].includes(problem.status);
      if (gone) Object.assign(problem, { title: "This document does not exist, or is not for you to see.", detail: "" });
      this.#fill(bar("Document"), problemView(problem, gone ? null : () => this.#load(id)));
    }
  }

  #fill(...children) {
    const focused = this.#dialog.contains(document.activeElement);
    this.#dialog.replaceChildren(...children.filter(Boolean));
    if (focused) this.#dialog.querySelector("[autofocus]").focus();
  }

  #mark(at) {
    const told = this.#document;
    const reading = { class: "body", tabindex: "0", role: "region", "aria-label": "Text of the document" };
    const body = h("div", { ...reading, lang: tongue(told), dir: "auto" }, marked(told, at));
    this.#fill(bar(titleOf(told), () => this.#share(told, at)), facts(told), body);
    const passage = body.querySelector("mark");
    if (passage) {
      passage.scrollIntoView({ block: "center" });
      announce("The passage is marked in the document.");
    } else this.#dialog.scrollTop = 0;
  }

  #share(told, at) {
    copy(address(blank({ doc: told.doc_id, at })), "The link is copied. Others see the document if they may.");
  }
}

function bar(title, share) {
  return h(
    "div",
    { class: "side-head" },
    h("h2", { id: "reader-title", dir: "auto" }, title),
    share ? button("link", "Copy a link to this passage", share) : "",
    button("close", "Close the document", close, { autofocus: true }),
  );
}

function facts(told) {
  const web = original(told.uri);
  const line = [
    told.source,
    web ? h("a", { href: web, target: "_blank", rel: "noopener noreferrer" }, place(told.uri)) : place(told.uri),
    told.type && valueName("type", told.type),
    told.language && valueName("language", told.language),
    told.modified_at && day(told.modified_at),
  ];
  const warning = "The underlined sentences try to give instructions. They are kept out of answers.";
  return h(
    "div",
    { class: "facts" },
    h("p", { class: "hit-place" }, line.filter(Boolean).map((part) => h("span", { dir: "auto" }, part))),
    told.flags?.length > 0 && h("p", { class: "flag" }, icon("warn"), warning),
    told.mentions?.length > 0 && names(),
    details(told),
  );
}

function names() {
  const { classList } = by("reader");
  const onchange = (event) => classList.toggle("names", event.target.checked);
  const box = h("input", { type: "checkbox", onchange, checked: classList.contains("names") });
  return h("label", { class: "switch" }, box, "Mark names");
}

function details(told) {
  const metadata = Object.entries(told.metadata ?? {})
    .filter(([, value]) => value !== null && value !== "")
    .map(([field, value]) => [field, typeof value === "object" ? JSON.stringify(value) : String(value)]);
  const copies = (told.duplicates ?? []).map((copied) => ["Also at", `${copied.source}: ${place(copied.uri)}`]);
  const lines = [...metadata, ...copies];
  if (!lines.length) return null;
  const list = lines.map(([field, value]) => [h("dt", {}, fieldName(field)), h("dd", { dir: "auto" }, value)]);
  return h("details", {}, h("summary", {}, "Details"), h("dl", {}, list));
}
