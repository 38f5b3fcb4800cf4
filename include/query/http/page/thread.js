// The conversation on the page: the first answer to a query, and what is asked after it.

import { Problem, events, json, problemOf } from "./api.js";
import { announce, button, by, copy, h, icon, problemView, toast } from "./dom.js";
import { learnTitles } from "./labels.js";
import { address, blank, current, go } from "./route.js";
import { Turn } from "./turn.js";
import { Uploads } from "./uploads.js";
import { voice } from "./voice.js";

const STYLES = { short: "Short", detailed: "Detailed" };

export class Thread {
  #abort = null;
  #asked = null;
  #filters = {};
  #section = by("thread");
  conversation = null;

  /** `seen` tells what was looked at lately; `shown` is called when the thread appears by itself. */
  constructor({ seen, shown }) {
    this.seen = seen;
    this.shown = shown;
    this.uploads = new Uploads({
      conversation: () => this.conversation,
      prepare: () => this.prepare(),
      adopt: (conversation) => this.#belongs(conversation),
    });
    this.heading = h("h2", {}, "Answer");
    this.styles = h("div", { class: "segments", role: "group", "aria-label": "Length of the answer" });
    this.share = button("link", "Copy a link to this question", () => this.#share());
    this.stale = h("p", { class: "note", hidden: true });
    this.turns = h("div", { class: "turns" });
    this.field = h("textarea", {
      id: "follow-up",
      rows: "1",
      maxlength: "2000",
      placeholder: "Ask a follow-up",
      dir: "auto",
      enterkeyhint: "send",
      onkeydown: sendsOnEnter,
    });
    this.composer = this.#makeComposer();
    this.#section.append(
      h("header", {}, this.heading, this.styles, this.share),
      this.stale,
      this.turns,
      this.uploads.list,
      this.composer,
    );
  }

  #makeComposer() {
    const speak = button("mic", "Speak your follow-up", null, { "aria-pressed": "false", hidden: true });
    voice(speak, this.field);
    return h(
      "form",
      { class: "ask follow", onsubmit: (event) => this.#followUp(event) },
      h("label", { class: "unseen", for: "follow-up" }, "Ask a follow-up"),
      this.field,
      speak,
      button("attach", "Ask about a document of yours", () => this.uploads.choose()),
      h("button", { class: "send", type: "submit", "aria-label": "Send" }, icon("send")),
    );
  }

  /** Bring what is shown in line with the address. */
  sync(route) {
    const asked = route.style && route.query ? JSON.stringify([route.query, route.style]) : null;
    const known = route.conversation ? route.conversation === this.conversation : asked !== null && asked === this.#asked;
    if (known) this.#compareFilters(route);
    else if (route.conversation) this.#load(route.conversation, asked ? route : null);
    else if (asked) this.#start(route);
    else this.clear();
  }

  clear() {
    this.#abort?.abort();
    this.#abort = null;
    this.#asked = null;
    this.conversation = null;
    this.turns.replaceChildren();
    this.uploads.show([]);
    this.stale.hidden = true;
    this.#section.hidden = true;
  }

  #open(route) {
    this.clear();
    this.#section.hidden = false;
    this.#filters = route?.filters ?? {};
    this.heading.textContent = route ? "Answer" : "Conversation";
    this.field.placeholder = route ? "Ask a follow-up" : "Ask about it";
    this.#showStyles(route);
  }

  #start(route) {
    this.#open(route);
    this.#asked = JSON.stringify([route.query, route.style]);
    this.#run(route.query, route.style, { first: true });
  }

  async #load(conversation, fallback) {
    this.#open(fallback);
    this.conversation = conversation;
    try {
      const told = await json(`conversations/${encodeURIComponent(conversation)}`);
      if (this.conversation !== conversation) return;
      this.heading.textContent = fallback ? "Answer" : told.title || "Conversation";
      this.turns.replaceChildren(...told.turns.map((turn, at) => past(turn, !fallback || at > 0)));
      this.#asked = fallback ? JSON.stringify([fallback.query, fallback.style]) : null;
      this.uploads.show(told.uploads ?? []);
    } catch (problem) {
      if (this.conversation !== conversation) return;
      // A shared link leads to a conversation that is somebody else's: ask anew.
      if (problem.status === 404 && fallback) go({ conversation: null }, { replace: true });
      else this.turns.replaceChildren(problemView(problem, () => this.#load(conversation, fallback)));
    }
  }

  /** Show an empty conversation where none is shown, for a document that is on its way. */
  prepare() {
    if (!this.#section.hidden) return;
    this.#open(null);
    this.shown();
    this.field.focus();
  }

  #followUp(event) {
    event.preventDefault();
    const query = this.field.value.trim();
    if (!query) return;
    if (this.#abort) {
      toast("One answer at a time: wait for it, or stop it.");
      return;
    }
    this.field.value = "";
    this.#run(query, "chat", { first: false });
  }

  async #run(query, style, { first }) {
    const abort = new AbortController();
    this.#abort = abort;
    const turn = new Turn(query, { asked: !first, stop: () => abort.abort() });
    this.turns.append(turn.element);
    if (!first) turn.element.scrollIntoView({ block: "nearest" });
    announce("Writing an answer.");
    const again = () => {
      turn.element.remove();
      this.#run(query, style, { first });
    };
    const body = { query, style, filters: this.#filters, ...this.seen() };
    if (this.conversation) body.conversation_id = this.conversation;
    try {
      await this.#stream(turn, body, abort.signal);
    } catch (problem) {
      if (!turn.element.isConnected) return;
      if (problem.name === "AbortError") turn.stopped(again);
      else turn.fail(problem instanceof Problem ? problem : new Problem({ title: "The answer broke off." }), again);
    } finally {
      if (this.#abort === abort) this.#abort = null;
    }
  }

  async #stream(turn, body, signal) {
    for await (const [event, data] of events("answer", body, signal)) {
      if (event === "hits") {
        learnTitles(data.hits);
        turn.found(data.hits.length);
      }
      if (event === "token") turn.draft(data.text, data.sentence);
      else if (event === "citation") turn.cite(data, data.sentence);
      else if (event === "retract") turn.retract(data.sentence);
      else if (event === "error") throw problemOf(data);
      else if (event === "done") {
        turn.finish(data);
        this.#belongs(data.conversation_id);
        return;
      }
    }
    throw new Problem({ title: "The answer broke off.", detail: "The connection was closed before it was complete." });
  }

  /** Note which conversation this is, in the address too. */
  #belongs(conversation) {
    if (!conversation || conversation === this.conversation) return;
    this.conversation = conversation;
    go({ conversation }, { replace: true, quiet: true });
  }

  #compareFilters(route) {
    const same = JSON.stringify(route.filters) === JSON.stringify(this.#filters);
    this.stale.hidden = same || !this.#asked;
    if (this.stale.hidden) return;
    this.stale.replaceChildren(
      "This was answered with other filters. ",
      h("button", { class: "plain", type: "button", onclick: () => this.#restart() }, "Answer with these"),
    );
  }

  #restart() {
    go({ conversation: null }, { replace: true, quiet: true });
    this.#start(current());
  }

  #showStyles(route) {
    this.styles.hidden = !route;
    this.share.hidden = !route;
    const choices = Object.entries(STYLES).map(([style, name]) => {
      const onclick = () => style !== route.style && go({ style, conversation: null });
      return h("button", { type: "button", "aria-pressed": String(style === route?.style), onclick }, name);
    });
    this.styles.replaceChildren(...choices);
  }

  #share() {
    const { query, filters, typed, style } = current();
    copy(address(blank({ query, filters, typed, style })), "The link is copied. Others see what they may see.");
  }
}

function past(turn, asked) {
  const shown = new Turn(turn.query, { asked });
  if (turn.withheld) shown.withhold();
  else shown.finish(turn.answer, { quietly: true });
  return shown.element;
}

function sendsOnEnter(event) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  event.target.form.requestSubmit();
}
