// The text of a document with what is to be seen in it.

import { h } from "./dom.js";
import { figure } from "./images.js";
import { offsets } from "./text.js";

// From the outermost in: a passage holds flagged spans, which hold names.
const TAGS = { cited: "mark", flagged: "span", name: "span" };

/** The text of a document in paragraphs and images, with a passage, flagged spans and names marked. */
export function marked(told, at) {
  const { text } = told;
  const spans = spansOf(told, at);
  const headings = new Set((told.passages ?? []).flatMap((passage) => passage.heading_path ?? []));
  const place = offsets(text);
  const images = [...(told.images ?? [])];
  const paragraphs = [];
  let next = 0;
  let active = [];
  for (const line of text.matchAll(/[^\n]+/gu)) {
    const end = line.index + line[0].length;
    while (next < spans.length && spans[next].start < end) active.push(spans[next++]);
    active = active.filter((span) => span.end > line.index);
    const words = line[0].trim();
    if (!words) continue;
    while (images.length && place(images[0].start_char) <= line.index) paragraphs.push(figure(images.shift()));
    const content = layered(text, line.index, end, active, Object.keys(TAGS));
    paragraphs.push(h(headings.has(words) ? "h3" : "p", {}, content));
  }
  return [...paragraphs, ...images.map(figure)];
}

/** All that is marked, with offsets in UTF-16 units, by where it starts. */
function spansOf({ text, mentions = [], flags = [] }, at) {
  const place = offsets(text);
  const mark = (kind, title, { start_char, end_char }) => ({ kind, title, start: place(start_char), end: place(end_char) });
  const spans = [
    ...mentions.map((span) => mark("name", span.label, span)),
    ...flags.map((span) => mark("flagged", "Tries to give instructions", span)),
  ];
  if (at) spans.push(mark("cited", null, { start_char: at.start, end_char: at.end }));
  return spans.sort((one, other) => one.start - other.start);
}

/** A stretch of the text, its marks of one kind around those of the kinds within it. */
function layered(text, from, to, spans, [kind, ...within]) {
  if (from >= to) return [];
  if (!kind) return [text.slice(from, to)];
  const parts = [];
  let done = from;
  for (const span of spans) {
    const start = Math.max(span.start, done);
    const end = Math.min(span.end, to);
    if (span.kind !== kind || start >= end) continue;
    const inner = layered(text, start, end, spans, within);
    parts.push(...layered(text, done, start, spans, within), h(TAGS[kind], { class: kind, title: span.title }, inner));
    done = end;
  }
  return [...parts, ...layered(text, done, to, spans, within)];
}
