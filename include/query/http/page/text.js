// Offsets, highlights and snippets. Offsets of the service count Unicode code points; strings
// here count UTF-16 units.

/** Return a function from code-point offsets to UTF-16 offsets of a text. */
export function offsets(text) {
  if (!/[\u{10000}-\u{10ffff}]/u.test(text)) {
    return (offset) => Math.min(Math.max(offset, 0), text.length);
  }
  const starts = [];
  for (let index = 0; index < text.length; index += text.codePointAt(index) > 0xffff ? 2 : 1) starts.push(index);
  starts.push(text.length);
  return (offset) => starts[Math.min(Math.max(offset, 0), starts.length - 1)];
}

// Words too common to be worth a highlight.
const COMMON = new Set(
  ("a an and are as at be but by can could did do does for from had has have how i if in into is it its me my no not " +
    "of on or our should so than that the their them then there these they this those to was we were what when where " +
    "which who whom why will with would you your").split(" "),
);
const WORD = /\p{Script=Han}+|[\p{Script=Hiragana}\p{Script=Katakana}]+|[\p{L}\p{M}\p{N}]+/gu;
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+$/u;

const fold = (word) => word.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** The part of a word that its inflections share; a guess for showing, not for finding. */
const stem = (word) => (word.length < 5 ? word : word.replace(/(?:ing|ies|ed|es|s|y|e)$/u, ""));

/** What of a query is worth highlighting: {stems: Set, pairs: Set} of words and of CJK bigrams. */
export function wanted(query) {
  const stems = new Set();
  const pairs = new Set();
  for (const [word] of query.matchAll(WORD)) {
    if (UNSPACED.test(word)) {
      const letters = [...word];
      if (letters.length === 1) pairs.add(word);
      for (let at = 0; at + 1 < letters.length; at += 1) pairs.add(letters[at] + letters[at + 1]);
    } else if (!COMMON.has(fold(word))) {
      stems.add(stem(fold(word)));
    }
  }
  return { stems, pairs };
}

/** Where wanted words stand in a text: [start, end, what] in UTF-16 units, in order, not overlapping. */
export function matches(text, { stems, pairs }) {
  const found = [];
  for (const match of text.matchAll(WORD)) {
    if (UNSPACED.test(match[0])) found.push(...pairsIn(match[0], match.index, pairs));
    else if (stems.has(stem(fold(match[0])))) found.push([match.index, match.index + match[0].length, stem(fold(match[0]))]);
  }
  return found;
}

function pairsIn(run, start, pairs) {
  const found = [];
  for (const pair of pairs) {
    for (let at = run.indexOf(pair); at >= 0; at = run.indexOf(pair, at + 1)) {
      found.push([start + at, start + at + pair.length, pair]);
    }
  }
  found.sort((one, other) => one[0] - other[0]);
  const merged = [];
  for (const next of found) {
    const last = merged.at(-1);
    if (last && next[0] <= last[1]) last[1] = Math.max(last[1], next[1]);
    else merged.push(next);
  }
  return merged;
}

/** A text with its wanted words in <mark>; a list of nodes and strings. */
export function highlighted(text, want) {
  const parts = [];
  let done = 0;
  for (const [start, end] of matches(text, want)) {
    const mark = document.createElement("mark");
    mark.textContent = text.slice(start, end);
    parts.push(text.slice(done, start), mark);
    done = end;
  }
  parts.push(text.slice(done));
  return parts;
}

/** The stretch of a passage that says most about the query, about `length` characters, on one line. */
export function snippet(passage, want, length = 320) {
  const text = passage.replace(/\s+/gu, " ").trim();
  if (text.length <= length) return text;
  const found = matches(text, want);
  let best = 0;
  let most = 0;
  for (const [start] of found) {
    const inside = new Set(found.filter((match) => match[0] >= start && match[1] <= start + length).map((match) => match[2]));
    if (inside.size > most) [best, most] = [start, inside.size];
  }
  return cut(text, best, length);
}

function cut(text, from, length) {
  let start = Math.max(0, Math.min(from - 60, text.length - length));
  if (start > 0) {
    const sentence = text.slice(start, from).search(/[.!?。！？] ?\S/u);
    const space = text.indexOf(" ", start);
    if (sentence >= 0) start += sentence + 1;
    else if (space >= 0 && space < start + 30) start = space + 1;
  }
  let end = Math.min(text.length, start + length);
  if (end < text.length) {
    const space = text.lastIndexOf(" ", end);
    if (space > end - 30) end = space;
  }
  // Never cut a surrogate pair in two.
  if (/[\udc00-\udfff]/.test(text[start] ?? "")) start += 1;
  if (/[\ud800-\udbff]/.test(text[end - 1] ?? "")) end -= 1;
  return `${start > 0 ? "… " : ""}${text.slice(start, end).trim()}${end < text.length ? " …" : ""}`;
}
