// One question and its answer: a draft while it comes, then the checked text with its sources.

import { announce, button, copy, h, icon, problemView, skeleton } from "./dom.js";
import { feedback } from "./feedback.js";
import { gallery } from "./images.js";
import { knownTitle } from "./labels.js";
import { link } from "./links.js";
import { sanitised } from "./sanitise.js";

export class Turn {
  #sentences = [];
  #retracted = 0;

  /** `asked` shows the question above the answer; `stop` cancels the answer while it comes. */
  constructor(question, { asked = true, stop = null } = {}) {
    this.question = question;
    this.body = h("div", { class: "answer", "aria-busy": "true" }, skeleton("Reading the documents"));
    this.verdict = h("p", { class: "verdict" });
    this.sources = h("ol", { class: "sources", "aria-label": "Sources", hidden: true });
    const stopping = stop && h("button", { class: "plain", type: "button", onclick: stop }, icon("stop"), "Stop");
    this.pictures = h("div", { class: "pictures", role: "group", "aria-label": "Images from the sources", hidden: true });
    this.actions = h("div", { class: "actions" }, stopping);
    this.element = h(
      "article",
      { class: "turn" },
      h("h3", { class: asked ? "question" : "unseen", dir: "auto" }, question),
      this.body,
      this.pictures,
      this.verdict,
      this.sources,
      this.actions,
    );
  }

  /** Say how far it is, until the first words come. */
  found(count) {
    if (!count || this.#sentences.length) return;
    this.verdict.replaceChildren(count === 1 ? "Reading one passage …" : `Reading ${count} passages …`);
  }

  draft(text, sentence) {
    if (!this.#sentences.length) {
      this.body.replaceChildren(h("p", { class: "draft", dir: "auto" }));
      this.verdict.replaceChildren();
    }
    this.#sentence(sentence).firstChild.append(text);
  }

  cite(citation, sentence) {
    this.#sentence(sentence).append(this.#chip(citation));
  }

  /** Take a sentence back that failed its check. */
  retract(sentence) {
    this.#retracted += 1;
    const taken = this.#sentences[sentence];
    if (!taken) return;
    taken.classList.add("retracted");
    taken.setAttribute("aria-hidden", "true");
  }

  #sentence(index) {
    const draft = this.body.querySelector(".draft") ?? this.body.appendChild(h("p", { class: "draft", dir: "auto" }));
    if (!this.#sentences[index]) {
      const before = draft.textContent;
      if (before && !/\s$/u.test(before)) draft.append(" ");
      this.#sentences[index] = h("span", {}, h("span"));
      draft.append(this.#sentences[index]);
    }
    return this.#sentences[index];
  }

  /** Show the final answer in place of the draft. */
  finish(answer, { quietly = false } = {}) {
    this.answer = answer;
    const citations = new Map(answer.citations.map((citation) => [citation.marker, citation]));
    const content = answer.html ? sanitised(answer.html) : paragraphs(answer.answer);
    this.#placeChips(content, citations);
    this.body.replaceChildren(content);
    this.body.removeAttribute("aria-busy");
    this.verdict.replaceChildren(...this.#told(answer));
    this.#list([...citations.values()]);
    const images = (answer.images ?? []).filter((image) => citations.get(image.marker)?.verified);
    this.pictures.hidden = images.length === 0;
    this.pictures.replaceChildren(...gallery(images, citations));
    this.actions.replaceChildren(
      ...(answer.answer_id ? [feedback({ answer_id: answer.answer_id })] : []),
      button("copy", "Copy the answer", () => copy(answer.answer, "The answer is copied.")),
    );
    if (!quietly) announce(`The answer is complete. ${this.body.textContent}`);
  }

  /** Say why there is no answer; what was drafted and not checked goes. */
  fail(problem, retry) {
    this.body.removeAttribute("aria-busy");
    this.body.replaceChildren(problemView(problem, retry));
    this.verdict.replaceChildren();
    this.actions.replaceChildren();
  }

  /** An answer of before that may not be shown any longer. */
  withhold() {
    this.body.removeAttribute("aria-busy");
    const reason = "This answer is not shown any longer: a document behind it is gone, or is no longer shared with you.";
    this.body.replaceChildren(h("p", { class: "fine" }, reason));
  }

  stopped(retry) {
    this.body.removeAttribute("aria-busy");
    if (this.#sentences.length === 0) this.body.replaceChildren();
    this.verdict.replaceChildren("Stopped before the answer was complete and checked.");
    this.actions.replaceChildren(h("button", { class: "plain", type: "button", onclick: retry }, "Ask again"));
  }

  #told(answer) {
    if (answer.refused) return [icon("warn"), "No answer to this stands in the documents that you may see."];
    const all = answer.citations.length;
    const verified = answer.citations.filter((citation) => citation.verified).length;
    const told = [checked(all, verified)];
    if (answer.degraded) told.unshift("Quoted from the documents, without the language model.");
    if (this.#retracted === 1) told.push("One sentence was taken back.");
    if (this.#retracted > 1) told.push(`${this.#retracted} sentences were taken back.`);
    return [icon(all && verified === all ? "check" : "warn"), told.join(" ")];
  }

  #list(citations) {
    this.sources.hidden = citations.length === 0;
    this.sources.replaceChildren(
      ...citations.map((citation) =>
        h(
          "li",
          { class: "source" },
          link(
            citationTarget(citation),
            { class: "source-link" },
            h("span", { class: citation.verified ? "number" : "number doubtful" }, String(citation.marker)),
            h("span", { class: "source-title", dir: "auto" }, knownTitle(citation)),
          ),
          h("span", { class: "quoted", dir: "auto" }, citation.quote),
        ),
      ),
    );
  }

  #chip(citation) {
    const told = citation.verified ? "" : ", not verified";
    return link(
      citationTarget(citation),
      {
        class: citation.verified ? "chip" : "chip doubtful",
        "aria-label": `Source ${citation.marker}: ${knownTitle(citation)}${told}`,
        title: citation.quote,
      },
      String(citation.marker),
    );
  }

  #placeChips(content, citations) {
    const texts = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
    const nodes = [];
    while (texts.nextNode()) nodes.push(texts.currentNode);
    for (const node of nodes) {
      if (node.parentElement?.closest("code, pre, a")) continue;
      const parts = node.data.split(/\s*\[(\d{1,3})\]/u);
      if (parts.length === 1) continue;
      const made = parts.map((part, at) => {
        if (at % 2 === 0) return part;
        return citations.has(Number(part)) ? this.#chip(citations.get(Number(part))) : ` [${part}]`;
      });
      node.replaceWith(...made);
    }
  }
}

function checked(all, verified) {
  if (!all) return "Nothing in this answer is backed by a source.";
  if (verified < all) return `${verified} of ${all} citations hold against their sources; dashed numbers could not be verified.`;
  return all === 1 ? "The citation was checked against its source." : `All ${all} citations were checked against their sources.`;
}

const citationTarget = (citation) => ({ doc: citation.doc_id, at: { start: citation.start_char, end: citation.end_char } });

function paragraphs(text) {
  const fragment = document.createDocumentFragment();
  fragment.append(...text.split(/\n{2,}/u).map((paragraph) => h("p", { dir: "auto" }, paragraph)));
  return fragment;
}
