// The page: binds what is typed, what the address says, and the parts that show it.

import { Conversations } from "./conversations.js";
import { by, problemView } from "./dom.js";
import { Reader } from "./reader.js";
import { Results } from "./results.js";
import { blank, close, current, go, isLive, onRoute, tell } from "./route.js";
import { begin } from "./session.js";
import { Thread } from "./thread.js";
import { voice } from "./voice.js";

const PAUSE_MS = 160;
const MOST_RECENT = 10;
const LONGEST_RECENT = 200;

const field = by("query");
const recent = [];
const reader = new Reader();
const results = new Results();
const thread = new Thread({ seen, shown: () => arrange(current()) });
const conversations = new Conversations();
let typing = 0;

function seen() {
  return { profile: { locale: navigator.language }, history: { documents: reader.recent, queries: recent.slice(1) } };
}

/** Home, or results: by what the address asks for. */
function arrange(route) {
  const found = Boolean(route.query || route.conversation) || !by("thread").hidden;
  document.body.dataset.view = found ? "results" : "home";
  by("found").hidden = !found;
  by("start").hidden = found;
  document.title = route.query ? `${route.query} – Tidemark` : "Tidemark";
}

onRoute((route) => {
  clearTimeout(typing);
  if (document.activeElement !== field || !isLive()) field.value = route.query;
  results.sync(route);
  thread.sync(route);
  reader.sync(route);
  arrange(route);
});

function search({ live }) {
  const query = field.value.trim();
  const route = current();
  const replace = isLive() || query === route.query;
  if (!query) {
    if (route.query) go(blank(), { replace: isLive() });
    return;
  }
  if (live && query === route.query) return;
  // Other words make another question: what was chosen for the last one still narrows.
  const typed = query === route.query && route.typed;
  const style = live ? null : (route.style ?? "short");
  const conversation = !live && query === route.query ? route.conversation : null;
  go({ query, typed, style, conversation, doc: null, at: null }, { live, replace });
}

field.addEventListener("input", (event) => {
  clearTimeout(typing);
  if (event.isComposing) return;
  typing = setTimeout(() => search({ live: true }), PAUSE_MS);
});
field.addEventListener("compositionend", () => {
  typing = setTimeout(() => search({ live: true }), PAUSE_MS);
});

by("search").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  if (field.value.trim()) {
    recent.unshift(field.value.trim().slice(0, LONGEST_RECENT));
    recent.length = Math.min(recent.length, MOST_RECENT);
  }
  search({ live: false });
  // A phone's keyboard would cover what was asked for.
  if (matchMedia("(pointer: coarse)").matches) field.blur();
});

by("home-link").addEventListener("click", (event) => {
  event.preventDefault();
  field.value = "";
  go(blank());
  field.focus();
});

by("skip").addEventListener("click", (event) => {
  event.preventDefault();
  by("main").focus();
});

by("clear").addEventListener("click", () => {
  field.value = "";
  search({ live: true });
  field.focus();
});

by("attach").addEventListener("click", () => thread.uploads.choose());
voice(by("voice"), field);

addEventListener("keydown", (event) => {
  const editing = event.target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select");
  const modal = document.querySelector("dialog:modal");
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || modal) return;
  if (event.key === "/" && !editing) {
    event.preventDefault();
    field.focus();
    field.select();
  } else if (event.key === "Escape" && reader.isOpen) {
    event.preventDefault();
    close();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const steers = event.target === field || event.target.classList?.contains("hit-link");
    if (steers && !event.isComposing && results.move(event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
  }
});

const filters = by("filters");
const wide = matchMedia("(min-width: 860px)");
const unfold = () => (filters.open = wide.matches);
wide.addEventListener("change", unfold);
unfold();

for (const choice of document.querySelectorAll("input[name=theme]")) {
  choice.checked = choice.value === (document.documentElement.dataset.theme ?? "system");
  choice.addEventListener("change", () => {
    if (choice.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice.value;
    try {
      localStorage.setItem("tidemark.theme", choice.value);
    } catch {
      // Storage may be forbidden; the choice then holds for this visit.
    }
  });
}

// What was seen must not come back with the "back" button after signing out.
addEventListener("pageshow", (event) => event.persisted && location.reload());

try {
  await begin();
  conversations.close();
  tell();
  if (!current().query && matchMedia("(pointer: fine)").matches) field.focus();
} catch (problem) {
  by("start").replaceChildren(problemView(problem, () => location.reload()));
}
