// Answers come rendered and sanitised by the service; the page does not rely on it and copies what
// it knows, element by element and without attributes, into nodes of its own.

const TAGS = new Set(
  "p br b strong i em code pre blockquote ul ol li h1 h2 h3 h4 h5 h6 hr table thead tbody tr th td mark".split(" "),
);
const DROPPED = new Set(["script", "style", "template", "iframe", "object", "embed", "svg", "math", "noscript", "textarea", "title"]);
const HEADING = /^h[1-6]$/u;

const policy = globalThis.trustedTypes?.createPolicy("tidemark", { createHTML: (html) => html });

/** Return the known elements and all text of a piece of HTML, as a fragment. */
export function sanitised(html) {
  // A parsed document is inert: it loads nothing and runs nothing.
  const parsed = new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");
  const fragment = document.createDocumentFragment();
  copy(parsed.body, fragment);
  return fragment;
}

function copy(from, to) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) to.append(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || DROPPED.has(node.localName)) continue;
    let target = to;
    if (TAGS.has(node.localName)) {
      // Headings of an answer stand below the page's own.
      target = document.createElement(HEADING.test(node.localName) ? "h4" : node.localName);
      to.append(target);
    }
    copy(node, target);
  }
}
