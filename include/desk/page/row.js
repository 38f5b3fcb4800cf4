// One row: its document, what a model made of it, what was found, and the decision about it.
import { h, problemView } from "./dom.js";
import { offsets } from "./text.js";

const words = (name) => name.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());
const when = (time) => new Date(time).toLocaleString();

/** A text with its findings marked; offsets count code points, and marks may overlap. */
function marked(text, marks) {
  const unit = offsets(text);
  const pieces = [];
  let at = 0;
  for (const mark of marks) {
    const start = Math.max(unit(mark.start), at);
    const end = unit(mark.end);
    if (end <= start) continue;
    pieces.push(text.slice(at, start), h("mark", { class: "spot", title: mark.label }, text.slice(start, end)));
    at = end;
  }
  return [...pieces, text.slice(at)];
}

/** Return {element, press(action), stopEditing()}. `send` decides and throws problems. */
export function rowView(row, send) {
  const output = h("div", { class: "fields" });
  const bar = row.may_decide ? decisionBar() : null;
  let editing = false;
  showFields();

  const element = h("article", {},
    h("header", { class: "row-head" },
      h("h2", {}, row.title),
      h("p", { class: "fine" }, `${row.source} · ${row.acl.length ? `seen by ${row.acl.join(", ")}` : "public"} · ${row.task} · ${row.model}${row.grounded_score === null ? "" : ` · supported ${row.grounded_score.toFixed(2)}`}`),
      h("p", { class: "fine" }, row.uri),
      h("ul", { class: "flags", "aria-label": "Why people must decide" }, row.flags.map((flag) => h("li", {}, flag))),
      stands(),
    ),
    h("div", { class: "sides" },
      h("section", { class: "pane", "aria-label": "Document" }, h("h3", {}, "Document"),
        h("div", { class: "document", tabindex: "0", role: "region", "aria-label": "Text of the document", lang: row.language === "und" ? null : row.language }, marked(row.text, row.marks))),
      h("div", {},
        h("section", { class: "pane", "aria-label": "Output" }, h("h3", {}, "What would be published"), output, others()),
        h("section", { class: "pane", "aria-label": "Findings" }, h("h3", {}, "Findings"), findings(), history()),
      ),
    ),
    bar?.element,
  );
  return { element, press: (action) => bar?.press(action), stopEditing: () => editing && edit(false) };

  function stands() {
    if (!row.is_current) return h("p", { class: "problem", role: "status" }, "The document has changed since; this review is void.");
    if (row.state !== "waiting") return h("p", { class: "problem", role: "status" }, `${words(row.state)} by ${row.decided_by ?? "nobody"}.`);
    if (row.refused) return h("div", { class: "problem", role: "status" }, h("p", {}, "The last edit did not pass the filters. Edit it again; what is not masked or blocked passes when you send the same text once more."), h("ul", {}, row.refused.map((one) => h("li", {}, `${one.flag}${one.field ? ` in ${one.field}` : ""}${one.evidence ? `: ${one.evidence}` : ""}`))));
    if (pending()) return h("p", { class: "problem", role: "status" }, `Edited by ${row.decided_by}. The edit is checked, and published if it passes, when somebody answers `, task(), " with “Apply decisions”.");
    if (row.has_newer) return h("p", { class: "problem", role: "status" }, "A newer result about this document is published, made with another prompt or model. Nothing that is decided here replaces it.");
    return null;
  }

  /** Whether an edit waits for its check. */
  function pending() {
    return row.state === "waiting" && row.proposal && !row.refused;
  }

  function task() {
    if (!row.asked_in) return "the next run of summary_review";
    const run = `../../dags/summary_review/runs/${encodeURIComponent(row.asked_in)}/required_actions`;
    return h("a", { href: run, target: "_blank", rel: "noopener" }, "the batch's task in Airflow");
  }

  function showFields() {
    const names = [...new Set(row.parts.map((part) => part.name))];
    output.replaceChildren(...names.map((name) => {
      const parts = row.parts.filter((part) => part.name === name);
      const list = row.lists.includes(name);
      if (editing) return editor(name, parts, list);
      const shown = proposed(name) ?? parts;
      const texts = shown.map((part) => h(list ? "li" : "p", {}, marked(part.text, part.marks)));
      return h("div", { class: "field" }, h("h4", {}, words(name)), list ? h("ul", {}, texts) : texts);
    }));
  }

  /** Return a field of an edit that waits for its check, as parts without marks. */
  function proposed(name) {
    const value = pending() ? row.proposal[name] : undefined;
    return value === undefined ? undefined : [value].flat().map((text) => ({ text, marks: [] }));
  }

  function editor(name, parts, list) {
    const before = row.proposal?.[name];
    const text = list ? (before ?? parts.map((part) => part.text)).join("\n") : (before ?? parts[0].text);
    const attributes = { id: `edit-${name}`, "data-name": name };
    const field = row.choices[name]
      ? h("select", attributes, row.choices[name].map((value) => h("option", { selected: value === text }, value)))
      : h("textarea", { ...attributes, rows: list ? 4 : 5 });
    if (field.tagName === "TEXTAREA") field.value = text;
    return h("div", { class: "field" }, h("label", { for: `edit-${name}` }, words(name) + (list ? " (one a line)" : "")), field);
  }

  function edited() {
    const fields = {};
    for (const field of output.querySelectorAll("[data-name]")) {
      const name = field.dataset.name;
      const parts = row.parts.filter((part) => part.name === name).map((part) => part.text);
      const list = row.lists.includes(name);
      const value = list ? field.value.split("\n").map((line) => line.trim()).filter(Boolean) : field.value.trim();
      if (JSON.stringify(value) !== JSON.stringify(list ? parts : parts[0])) fields[name] = value;
    }
    return fields;
  }

  function edit(on) {
    editing = on;
    showFields();
    bar.editing(on);
    (on ? output.querySelector("textarea, select") : bar.element.querySelector("[data-action=edit]")).focus();
  }

  function others() {
    const names = Object.keys(row.others);
    if (!names.length) return null;
    return h("details", { class: "field" }, h("summary", {}, `Not editable: ${names.map(words).join(", ")}`), h("pre", { class: "document", tabindex: "0", role: "region", "aria-label": "Other fields" }, JSON.stringify(row.others, null, 1)));
  }

  function findings() {
    if (!row.findings.length) return h("p", { class: "fine" }, "The policy found nothing; the reasons above come from the quality filter.");
    return h("ul", { class: "findings" }, row.findings.map((one) => h("li", {},
      h("span", { class: "severity", "data-severity": one.severity }, one.severity), ` · ${one.rule} · ${one.action} · in the ${one.direction === "input" ? "document" : (one.evidence.field ?? "output")}`,
      h("br"), one.evidence.shown ?? "")));
  }

  function history() {
    if (!row.events.length) return null;
    return [h("h3", {}, "Earlier decisions"), h("ul", { class: "findings" }, row.events.map((one) => h("li", {}, `${words(one.action)} by ${one.by}, ${when(one.at)}: ${one.reason}`)))];
  }

  function decisionBar() {
    const reason = h("input", { name: "reason", maxlength: 2000, autocomplete: "off", placeholder: "Stored with your name and the time" });
    const trouble = h("div", {});
    const button = (action, label, look) => h("button", { type: "button", class: look, "data-action": action, onclick: () => press(action) }, label);
    const plain = [button("approve", pending() ? "Approve as it was" : "Approve", "yes"), button("edit", "Edit"), button("reject", "Reject", "danger")];
    const writing = [button("save", "Save the edit", "yes"), button("cancel", "Cancel")];
    for (const one of writing) one.hidden = true;
    const element = h("form", { class: "deciding", "aria-label": "Decision", onsubmit: (event) => { event.preventDefault(); if (editing) press("save"); } }, trouble, h("label", {}, "Reason", reason), plain, writing);
    reason.addEventListener("input", () => reason.removeAttribute("aria-invalid"));

    async function press(action) {
      if (action === "cancel") return edit(false);
      if (editing && action !== "save") return;
      if (action === "edit") return edit(true);
      if (!reason.value.trim()) {
        reason.setAttribute("aria-invalid", "true");
        reason.focus();
        trouble.replaceChildren(h("p", { class: "problem", role: "alert" }, "Say why: the reason is stored with the decision."));
        return;
      }
      const buttons = element.querySelectorAll("button");
      for (const one of buttons) one.disabled = true;
      try {
        const body = { reason: reason.value };
        if (action === "save") await send({ action: "edit", fields: edited(), ...body });
        else await send({ action, ...body });
      } catch (problem) {
        if (problem instanceof Error) throw problem;
        trouble.replaceChildren(problemView(problem));
        for (const one of buttons) one.disabled = false;
      }
    }
    const editingNow = (on) => {
      for (const one of plain) one.hidden = on;
      for (const one of writing) one.hidden = !on;
    };
    return { element, press, editing: editingNow };
  }
}
