// Links to documents.

import { h } from "./dom.js";
import { format, merged, open } from "./route.js";

/** A link that opens a document here, and in a tab of its own as any link does. */
export function link(target, attributes, ...children) {
  return h(
    "a",
    {
      ...attributes,
      href: format(merged(target)),
      onclick: (event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        open(target);
      },
    },
    ...children,
  );
}
