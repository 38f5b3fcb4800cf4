// The review page: a list of rows that wait, one of them open, and what is decided about it.
import { announce, by, h, problemView, toast } from "./dom.js";
import { rowView } from "./row.js";

const DONE = { approve: "Approved and published", edit: "Edit saved. It is checked, and published if it passes, when the batch's task in Airflow is answered with “Apply decisions”", reject: "Rejected" };
const KEYS = "tidemark.review.keys";
let listed = { rows: [] };
let open = null;
let view = null;

async function call(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw { title: "The server cannot be reached.", detail: "Check the connection, and try again." };
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw { status: answer.status, title: body.title ?? "That did not work.", detail: body.detail };
  return body;
}

const chosen = () => new URLSearchParams(location.hash.slice(1));

function choose(name, value) {
  const parameters = chosen();
  if (name === "batch") {
    const [run, batch] = value ? JSON.parse(value) : [null, null];
    for (const [key, part] of [["run", run], ["batch", batch]]) part === null ? parameters.delete(key) : parameters.set(key, part);
  } else if (value) parameters.set(name, value);
  else parameters.delete(name);
  location.hash = parameters.toString();
}

async function refresh(next = null) {
  try {
    listed = await call(`api/rows?${chosen()}`);
  } catch (problem) {
    by("row").replaceChildren(problemView(problem, () => refresh(next)));
    return;
  }
  by("who").textContent = listed.user;
  const hidden = listed.hidden ? `; ${listed.hidden} more that you may not see (TIDEMARK_AIRFLOW_GROUPS)` : "";
  by("counts").textContent = `${listed.matching} of ${listed.waiting} shown${hidden}`;
  showFilters();
  showList();
  const row = listed.rows.find((one) => one.item_id === next) ?? listed.rows[0];
  if (row) await show(row.item_id);
  else nothing();
}

function nothing() {
  open = view = null;
  document.title = "Review · Tidemark";
  const some = listed.waiting > 0;
  by("row").replaceChildren(
    h("div", { class: "nothing" }, h("h2", {}, some ? "Nothing waits here" : "Nothing waits"),
      h("p", { class: "fine" }, some ? "Other rows wait: choose all batches, sources and reasons." : "What is flagged next will stand here. In Airflow, answer the task with “Apply decisions” to end its batch and to have edits checked.")),
  );
}

function showFilters() {
  const now = chosen();
  const batch = now.get("run") === null ? "" : JSON.stringify([now.get("run"), Number(now.get("batch") ?? 0)]);
  const batches = listed.batches.map((one) => [JSON.stringify(one), `${one[0]} · batch ${one[1] + 1}`]);
  if (batch && !batches.some(([value]) => value === batch)) batches.push([batch, `${now.get("run")} · batch ${Number(now.get("batch") ?? 0) + 1}`]);
  by("filters").replaceChildren(
    select("batch", "Batch", batches, batch),
    select("source", "Source", listed.sources.map((one) => [one, one]), now.get("source") ?? ""),
    select("flag", "Reason", listed.flags.map((one) => [one, one]), now.get("flag") ?? ""),
  );
}

function select(name, label, values, value) {
  const element = h("select", { name, onchange: () => choose(name, element.value) },
    h("option", { value: "" }, "All"),
    values.map(([key, text]) => h("option", { value: key, selected: key === value }, text)));
  return h("label", {}, label, element);
}

function showList() {
  by("list").replaceChildren(
    ...listed.rows.map((row) =>
      h("li", {}, h("button", { type: "button", "data-id": row.item_id, onclick: () => show(row.item_id, true) },
        h("span", { class: "row-title" }, row.title),
        h("span", { class: "fine" }, `${row.source} · ${row.edited ? "edited, to be checked" : row.flags.join(", ")}`)))),
  );
}

async function show(id, focus = false) {
  open = id;
  // A key that comes early must not decide about the row before.
  view = null;
  for (const button of by("list").querySelectorAll("button")) {
    const here = button.dataset.id === id;
    here ? button.setAttribute("aria-current", "true") : button.removeAttribute("aria-current");
    if (here) button.scrollIntoView({ block: "nearest" });
  }
  try {
    const row = await call(`api/rows/${encodeURIComponent(id)}`);
    if (open !== id) return;
    view = rowView(row, (body) => decide(row, body));
    document.title = `${row.title} · Review · Tidemark`;
    by("row").replaceChildren(view.element);
    scrollTo(0, 0);
    if (focus) by("row").focus();
  } catch (problem) {
    if (problem.status === undefined && problem.title === undefined) throw problem;
    view = null;
    by("row").replaceChildren(problemView(problem, () => refresh()));
  }
}

async function decide(row, body) {
  await call(`api/rows/${encodeURIComponent(row.item_id)}/decision`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ seen: row.output_hash, ...body }),
  });
  const done = body.action === "approve" && row.has_newer ? "Approved; the newer result stays published" : DONE[body.action];
  toast(`${done}.`);
  announce(`${done}: ${row.title}`);
  const at = listed.rows.findIndex((one) => one.item_id === row.item_id);
  const next = listed.rows[at + 1] ?? listed.rows[at - 1];
  await refresh(next?.item_id);
  by("row").focus();
}

function step(by_) {
  const at = listed.rows.findIndex((one) => one.item_id === open);
  const next = listed.rows[at + by_];
  if (next) show(next.item_id, true);
}

function remembered() {
  try {
    return localStorage.getItem(KEYS) !== "off";
  } catch {
    return true;
  }
}

by("keys").checked = remembered();
by("keys").addEventListener("change", () => {
  try {
    localStorage.setItem(KEYS, by("keys").checked ? "on" : "off");
  } catch {
    // Storage may be forbidden; the choice holds for this visit.
  }
});
by("filters").addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", () => refresh(open));
addEventListener("keydown", (event) => {
  if (event.key === "Escape") view?.stopEditing();
  const writing = event.target instanceof Element && event.target.closest("input:not([type=checkbox]), textarea, select");
  if (writing || !by("keys").checked || event.ctrlKey || event.metaKey || event.altKey) return;
  const action = { j: () => step(1), k: () => step(-1), a: () => view?.press("approve"), e: () => view?.press("edit"), r: () => view?.press("reject") }[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
});
refresh();
