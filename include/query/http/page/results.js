// The list of passages, as it is typed and after.

import { json } from "./api.js";
import { announce, by, h, icon, problemView, skeleton } from "./dom.js";
import { filterChips, showFacets } from "./facets.js";
import { feedback } from "./feedback.js";
import { day, learnTitles, place, titleOf, tongue, valueName } from "./labels.js";
import { link } from "./links.js";
import { go } from "./route.js";
import { highlighted, snippet, wanted } from "./text.js";

const SLOW_MS = 200;
const seconds = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const WARNING = "Contains text that tries to give instructions; it is kept out of answers.";

export class Results {
  #abort = null;
  #shown = null;
  #section = by("results");

  /** Bring the list in line with the address. */
  sync(route) {
    const key = JSON.stringify([route.query, route.filters, route.typed]);
    if (key === this.#shown) return;
    this.#shown = key;
    this.#abort?.abort();
    const searches = Boolean(route.query.trim());
    this.#section.hidden = !searches;
    if (searches) this.#search(route);
    else this.#empty();
  }

  /** Move the focus to the result `step` away from the one that has it, or to the first. */
  move(step) {
    const links = [...this.#section.querySelectorAll(".hit-link")];
    const at = links.indexOf(document.activeElement);
    const next = links[at + step];
    if (next) next.focus();
    else if (at === 0 && step < 0) by("query").focus();
    return Boolean(next);
  }

  #empty() {
    this.#section.replaceChildren();
    showFacets({}, {});
  }

  async #search(route) {
    const abort = new AbortController();
    this.#abort = abort;
    const slow = setTimeout(() => this.#wait(), SLOW_MS);
    try {
      const result = await json("search", { method: "POST", body: request(route), signal: abort.signal, patient: true });
      this.#show(route, result);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      this.#section.replaceChildren(heading(), problemView(problem, () => this.#search(route)));
    } finally {
      clearTimeout(slow);
      if (this.#abort === abort) this.#section.removeAttribute("aria-busy");
    }
  }

  #wait() {
    this.#section.setAttribute("aria-busy", "true");
    if (this.#section.childElementCount === 0) this.#section.append(heading(), skeleton("Searching"));
  }

  #show(route, result) {
    learnTitles(result.hits);
    const understood = result.understood ?? {};
    const read = route.typed ? {} : (understood.filters ?? {});
    const want = wanted(understood.corrected || route.query);
    showFacets(result.facets ?? {}, route.filters);
    this.#section.replaceChildren(
      heading(told(result)),
      ...[spelling(route, understood), filterChips(route, read)].filter(Boolean),
      result.hits.length ? h("ol", { class: "hits" }, result.hits.map((hit) => card(hit, want))) : nothing(route, read),
      ...[result.next && this.#more(route, result.next, want)].filter(Boolean),
      ...[result.hits.length && result.query_id && judge(result.query_id)].filter(Boolean),
    );
    announce(told(result));
  }

  #more(route, cursor, want) {
    const element = h("button", { class: "plain more", type: "button" }, "More results");
    element.addEventListener("click", () => this.#continue(route, cursor, want, element));
    return element;
  }

  async #continue(route, cursor, want, element) {
    element.disabled = true;
    try {
      const body = { ...request(route), cursor };
      const result = await json("search", { method: "POST", body, signal: this.#abort?.signal, patient: true });
      const cards = result.hits.map((hit) => card(hit, want));
      this.#section.querySelector(".hits").append(...cards);
      cards[0]?.querySelector(".hit-link").focus();
      announce(`${cards.length} more results.`);
      if (result.next && cards.length) element.replaceWith(this.#more(route, result.next, want));
      else element.remove();
    } catch (problem) {
      if (problem.name !== "AbortError") element.replaceWith(problemView(problem, () => this.#search(route)));
    }
  }
}

function request(route) {
  const body = { query: route.query, filters: route.filters, facets: true };
  if (route.typed) body.as_typed = true;
  return body;
}

function heading(text) {
  return h("header", {}, h("h2", { id: "results-heading" }, "Results"), text && h("p", { class: "fine" }, text));
}

function told(result) {
  const amount = result.hits.length;
  if (!amount) return "No results";
  const count = result.next ? `The first ${amount}` : `${amount} ${amount === 1 ? "passage" : "passages"}`;
  const total = result.timings_ms?.total;
  return total === undefined ? count : `${count}, in ${seconds.format(Math.max(total / 1000, 0.01))} s`;
}

function spelling(route, { corrected, suggestion }) {
  if (corrected && !route.typed) {
    const instead = plain(`Search for “${route.query}” instead`, () => go({ typed: true }));
    return h("p", { class: "note" }, "Showing results for ", h("strong", { dir: "auto" }, corrected), ". ", instead);
  }
  if (!suggestion) return null;
  const meant = plain(suggestion, () => go({ query: suggestion, typed: false, style: null, conversation: null }));
  return h("p", { class: "note" }, "Did you mean ", meant, "?");
}

function nothing(route, read) {
  const narrowed = Object.keys(route.filters).length > 0 || Object.keys(read).length > 0;
  const where = narrowed ? " with these filters." : " in the documents that you may see.";
  return h(
    "div",
    { class: "nothing" },
    h("p", {}, "Nothing was found for ", h("strong", { dir: "auto" }, route.query), where),
    narrowed
      ? plain("Search without filters", () => go({ filters: {}, typed: Object.keys(read).length > 0 }))
      : h("p", { class: "fine" }, "Try other or fewer words. Documents that are not shared with you are not searched."),
  );
}

const plain = (text, onclick) => h("button", { class: "plain", type: "button", onclick, dir: "auto" }, text);

function judge(query) {
  const asks = h("span", { class: "fine" }, "Are these results useful?");
  return h("div", { class: "judge" }, asks, feedback({ query_id: query }, "list of results"));
}

function card(hit, want) {
  const at = Number.isInteger(hit.start_char) ? { start: hit.start_char, end: hit.end_char } : null;
  return h(
    "li",
    { class: "hit" },
    h("h3", {}, link({ doc: hit.doc_id, at }, { class: "hit-link", dir: "auto" }, highlighted(titleOf(hit), want))),
    h("p", { class: "hit-place" }, details(hit).map((part) => h("span", { dir: "auto" }, part))),
    h("p", { class: "hit-text", dir: "auto", lang: tongue(hit) }, highlighted(snippet(hit.text, want), want)),
    hit.flags?.length > 0 && h("p", { class: "flag" }, icon("warn"), WARNING),
  );
}

function details(hit) {
  const told = [hit.source, place(hit.uri)];
  if (hit.type) told.push(valueName("type", hit.type));
  if (hit.page) told.push(`page ${hit.page}`);
  if (hit.modified_at) told.push(day(hit.modified_at));
  return told.filter(Boolean);
}
