// The visitor's conversations: to go back to, and to delete.

import { call, json } from "./api.js";
import { announce, button, by, h, icon, problemView, skeleton, toast } from "./dom.js";
import { ago } from "./labels.js";
import { blank, current, format, go } from "./route.js";

export class Conversations {
  #dialog = by("conversations");

  constructor() {
    by("chats").addEventListener("click", () => this.#open());
    this.#dialog.addEventListener("click", (event) => event.target === this.#dialog && this.#dialog.close());
  }

  close() {
    this.#dialog.close();
  }

  async #open() {
    const list = h("div", { class: "body" }, skeleton("Loading"));
    this.#dialog.replaceChildren(
      h(
        "div",
        { class: "side-head" },
        h("h2", { id: "conversations-title" }, "Conversations"),
        button("close", "Close", () => this.#dialog.close(), { autofocus: true }),
      ),
      list,
    );
    if (!this.#dialog.open) this.#dialog.showModal();
    try {
      const { conversations } = await json("conversations", { patient: true });
      list.replaceChildren(conversations.length ? h("ul", { class: "chats" }, conversations.map((one) => this.#row(one))) : none());
    } catch (problem) {
      list.replaceChildren(problemView(problem, () => this.#open()));
    }
  }

  #row(conversation) {
    const id = conversation.conversation_id;
    const title = conversation.title || "Untitled";
    const target = blank({ conversation: id });
    const shown = current().conversation === id ? "page" : null;
    const row = h(
      "li",
      {},
      h(
        "a",
        { href: format(target), "aria-current": shown, onclick: (event) => this.#choose(event, target) },
        h("span", { class: "chat-title", dir: "auto" }, title),
        h("span", { class: "fine" }, ago(conversation.updated_at)),
      ),
      button("bin", `Delete ${title}`, () => this.#ask(row, conversation)),
    );
    return row;
  }

  #choose(event, target) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    this.#dialog.close();
    go(target);
  }

  #ask(row, conversation) {
    const keep = h("button", { class: "plain", type: "button" }, "Keep");
    const remove = h("button", { class: "plain danger", type: "button" }, "Delete");
    const question = h("span", {}, "Delete this conversation and its documents for good?");
    const asking = h("li", { class: "asking" }, question, remove, keep);
    keep.addEventListener("click", () => this.#put(asking, this.#row(conversation)));
    remove.addEventListener("click", () => this.#delete(asking, conversation));
    this.#put(row, asking);
    keep.focus();
  }

  #put(old, fresh) {
    old.replaceWith(fresh);
    fresh.querySelector("a, button").focus();
  }

  async #delete(row, conversation) {
    const id = conversation.conversation_id;
    try {
      await call(`conversations/${encodeURIComponent(id)}`, { method: "DELETE" });
    } catch (problem) {
      if (problem.status !== 404) {
        toast(problem.message);
        this.#put(row, this.#row(conversation));
        return;
      }
    }
    announce("The conversation is deleted.");
    const list = row.parentElement;
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    if (neighbour) neighbour.querySelector("a, button").focus();
    else {
      list.replaceWith(none());
      this.#dialog.querySelector("button").focus();
    }
    if (current().conversation === id) go(blank(), { replace: true });
  }
}

function none() {
  const what = h("p", { class: "fine" }, "Ask a question, and it appears here. Nobody else sees it.");
  return h("div", { class: "nothing" }, icon("chats"), h("p", {}, "No conversations yet."), what);
}
