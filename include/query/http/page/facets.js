// Filters: what the results have in common, with counts, and what was chosen.

import { by, h, icon } from "./dom.js";
import { conditionName, fieldName, valueName } from "./labels.js";
import { current, go } from "./route.js";

const SHOWN = 6;
const unfolded = new Set();

/** Show the facets of a result, with the chosen values among them whatever their count. */
export function showFacets(facets, filters) {
  const focused = document.activeElement?.dataset?.facet;
  const fields = new Set([...Object.keys(facets), ...Object.keys(filters)]);
  const groups = [...fields].map((field) => group(field, facets[field] ?? [], filters[field] ?? [])).filter(Boolean);
  by("facets").replaceChildren(...groups);
  by("filters").hidden = groups.length === 0;
  const count = Object.values(filters).flat().length;
  by("filter-count").textContent = count ? `(${count})` : "";
  if (focused) [...by("facets").querySelectorAll("[data-facet]")].find((box) => box.dataset.facet === focused)?.focus();
}

function group(field, counted, chosen) {
  const values = counted.map(({ value, count }) => ({ value: String(value), count }));
  for (const value of chosen) if (!values.some((known) => known.value === value)) values.unshift({ value, count: null });
  // A single value that all results share narrows nothing.
  if (values.length < 2 && !chosen.length) return null;
  const open = unfolded.has(field);
  const shown = open ? values : values.filter(({ value }, at) => at < SHOWN || chosen.includes(value));
  return h(
    "fieldset",
    { class: "facet" },
    h("legend", {}, fieldName(field)),
    shown.map((entry) => box(field, entry, chosen)),
    values.length > shown.length && more(field, values.length - shown.length, () => showAll(field, counted, chosen)),
  );
}

function box(field, { value, count }, chosen) {
  return h(
    "label",
    { class: "value" },
    h("input", {
      type: "checkbox",
      checked: chosen.includes(value),
      "data-facet": `${field}=${value}`,
      onchange: (event) => choose(field, value, event.target.checked),
    }),
    h("span", { class: "value-name", dir: "auto" }, valueName(field, value)),
    count !== null && h("span", { class: "count" }, String(count)),
  );
}

function more(field, count, onclick) {
  const label = `Show ${count} more of ${fieldName(field)}`;
  return h("button", { class: "plain", type: "button", onclick, "aria-label": label }, `${count} more`);
}

function showAll(field, counted, chosen) {
  unfolded.add(field);
  const old = [...by("facets").children].find((element) => element.querySelector("legend").textContent === fieldName(field));
  const full = group(field, counted, chosen);
  old.replaceWith(full);
  full.querySelectorAll("input")[SHOWN]?.focus();
}

/** Add a value to the filters of the address, or take it out. */
export function choose(field, value, on) {
  const { filters } = current();
  const left = (filters[field] ?? []).filter((other) => other !== value);
  const values = on ? [...left, value] : left;
  const { [field]: _, ...others } = filters;
  go({ filters: values.length ? { ...others, [field]: values } : others });
}

/** Chips of all that narrows the results: chosen filters, and what was read out of the words. */
export function filterChips(route, read) {
  const chips = Object.entries(route.filters).flatMap(([field, values]) =>
    values.map((value) => chip(fieldName(field), valueName(field, value), () => choose(field, value, false))),
  );
  for (const [field, given] of Object.entries(read)) {
    if (field in route.filters) continue;
    chips.push(chip(`${fieldName(field)} (from your words)`, conditionName(field, given), () => go({ typed: true }), "read"));
  }
  if (!chips.length) return null;
  const removeAll = () => go({ filters: {}, typed: Object.keys(read).length > 0 });
  const clear = chips.length > 1 && h("button", { class: "plain", type: "button", onclick: removeAll }, "Remove all");
  return h("div", { class: "chosen", role: "group", "aria-label": "Chosen filters" }, chips, clear);
}

function chip(field, value, onclick, kind = "") {
  return h(
    "button",
    { class: `filter-chip ${kind}`, type: "button", onclick, "aria-label": `Remove filter ${field}: ${value}` },
    h("span", { class: "filter-field" }, field),
    h("span", { dir: "auto" }, value),
    icon("close"),
  );
}
