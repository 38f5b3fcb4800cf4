// The images of documents.

import { serviceAddress } from "./api.js";
import { h } from "./dom.js";
import { knownTitle } from "./labels.js";
import { link } from "./links.js";
import { current } from "./route.js";

/** Where an image lies; what was dropped on a conversation is seen within it alone. */
function addressOf(image) {
  const { conversation } = current();
  return serviceAddress(conversation ? `${image.url}?conversation_id=${encodeURIComponent(conversation)}` : image.url);
}

/** An image with its size, so that nothing moves when it comes; one that cannot be had goes. */
function shown(image, label) {
  const { width, height } = image;
  const gone = (event) => event.target.closest("figure").remove();
  return h("img", { src: addressOf(image), alt: label, width, height, loading: "lazy", decoding: "async", onerror: gone });
}

const told = (image) => image.alt || image.caption || "Image without a description";

/** An image in the text of its document. */
export function figure(image) {
  return h(
    "figure",
    { class: "picture" },
    shown(image, told(image)),
    image.caption && h("figcaption", { dir: "auto" }, image.caption),
  );
}

/** The images of an answer: each opens the passage that it belongs to. */
export function gallery(images, citations) {
  return images.map((image) => {
    const citation = citations.get(image.marker);
    const at = { start: citation.start_char, end: citation.end_char };
    const label = `Source ${citation.marker}, ${knownTitle(citation)}: ${told(image)}`;
    return h(
      "figure",
      { class: "picture" },
      link({ doc: image.doc_id, at }, { class: "picture-link" }, shown(image, label)),
      h(
        "figcaption",
        { dir: "auto" },
        h("span", { class: "number", "aria-hidden": "true" }, String(citation.marker)),
        h("span", {}, image.caption || image.alt || knownTitle(citation)),
      ),
    );
  });
}
