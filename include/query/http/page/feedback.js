// Was this useful? Thumbs, and a word about why not.

import { call } from "./api.js";
import { button, h, toast } from "./dom.js";

/** Buttons that rate what `about` names: {answer_id} or {query_id}. */
export function feedback(about, what = "answer") {
  const up = button("up", `This ${what} is useful`, () => rate("up"), { "aria-pressed": "false" });
  const down = button("down", `This ${what} is not useful`, () => rate("down"), { "aria-pressed": "false" });
  const asks = { placeholder: "What was wrong? (optional)", "aria-label": "What was wrong?" };
  const comment = h("input", { type: "text", maxlength: "1000", ...asks });
  const send = h("button", { class: "plain", type: "submit" }, "Send");
  const form = h("form", { class: "why", hidden: true, onsubmit: explain }, comment, send);
  const element = h("div", { class: "feedback", role: "group", "aria-label": `Rate this ${what}` }, up, down, form);

  async function rate(rating, text) {
    mark(rating);
    form.hidden = rating !== "down" || text !== undefined;
    if (!form.hidden) comment.focus();
    try {
      await call("feedback", { method: "POST", body: { ...about, rating, ...(text ? { comment: text } : {}) } });
      toast(text === undefined ? "Thank you." : "Thank you for telling us.");
    } catch (problem) {
      mark(null);
      toast(problem.message);
    }
  }

  function mark(rating) {
    up.setAttribute("aria-pressed", String(rating === "up"));
    down.setAttribute("aria-pressed", String(rating === "down"));
  }

  function explain(event) {
    event.preventDefault();
    rate("down", comment.value.trim());
    down.focus();
  }

  return element;
}
