// A document of one's own, dropped on the page: its conversation alone sees it.

import { json, pause } from "./api.js";
import { announce, by, h, icon } from "./dom.js";
import { link } from "./links.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;
const STATES = {
  sending: "Sending …",
  queued: "Waiting to be read …",
  running: "Being read …",
  ready: "Ready: ask about it",
  failed: "Could not be read",
};

export class Uploads {
  #watching = new AbortController();
  list = h("ul", { class: "files", "aria-label": "Documents of this conversation" });

  /**
   * `conversation` tells where a document goes (null begins a conversation), `prepare` makes room
   * to show it, `adopt` is told the conversation that it went to.
   */
  constructor({ conversation, prepare, adopt }) {
    Object.assign(this, { conversation, prepare, adopt });
    by("file").addEventListener("change", (event) => {
      this.#sendAll([...event.target.files]);
      event.target.value = "";
    });
    this.#catchDrops();
  }

  choose() {
    by("file").click();
  }

  /** Show the documents of a conversation, and no other's. */
  show(uploads) {
    this.#watching.abort();
    this.#watching = new AbortController();
    this.list.replaceChildren();
    for (const upload of uploads) this.#follow(this.#row(upload.name ?? "Document"), upload, this.#watching.signal);
  }

  async #sendAll(files) {
    // One after another: the first decides the conversation of the others.
    for (const file of files) await this.#send(file);
  }

  async #send(file) {
    this.prepare();
    const { signal } = this.#watching;
    const row = this.#row(file.name);
    row.say("sending");
    const form = new FormData();
    form.set("file", file);
    if (this.conversation()) form.set("conversation_id", this.conversation());
    try {
      const upload = await json("uploads", { method: "POST", form });
      if (signal.aborted) return;
      this.adopt(upload.conversation_id);
      this.#follow(row, upload, signal);
    } catch (problem) {
      row.say("failed", [problem.message, problem.detail].filter(Boolean).join(" "));
    }
  }

  async #follow(row, upload, signal) {
    let wait = FIRST_WAIT_MS;
    try {
      for (;;) {
        row.say(upload.state, upload.reason, upload.state === "ready" ? upload.doc_id : null);
        if (upload.state === "ready" || upload.state === "failed") return;
        await pause(wait, signal);
        wait = Math.min(wait * 1.5, LONGEST_WAIT_MS);
        upload = await json(`uploads/${encodeURIComponent(upload.upload_id)}`, { signal, patient: true });
      }
    } catch (problem) {
      if (!signal.aborted) row.say("failed", problem.message);
    }
  }

  #row(name) {
    const state = h("span", { class: "state" });
    const element = h("li", { class: "file" }, icon("file"), h("span", { class: "name", dir: "auto" }, name), state);
    this.list.append(element);
    return {
      say(told, reason, doc) {
        element.dataset.state = told;
        if (doc) element.querySelector(".name").replaceChildren(link({ doc, at: null }, {}, name));
        state.textContent = told === "failed" && reason ? reason : (STATES[told] ?? told);
        if (told === "ready" || told === "failed") announce(`${name}: ${state.textContent}`);
      },
    };
  }

  #catchDrops() {
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
    addEventListener("dragenter", (event) => (by("drop").hidden = !carriesFiles(event)));
    addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
    addEventListener("dragleave", (event) => event.relatedTarget === null && (by("drop").hidden = true));
    addEventListener("drop", (event) => {
      by("drop").hidden = true;
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.#sendAll([...event.dataTransfer.files]);
    });
  }
}
