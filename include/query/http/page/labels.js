// Names for people: of fields, values, dates and places.

const FIELDS = {
  source: "Source", type: "Type", language: "Language", entity: "Mentions", topic: "Topic",
  date: "Date", modified_at: "Date", updated_at: "Date",
};
const TYPES = {
  html: "Web page", pdf: "PDF", docx: "Word", pptx: "Slides", xlsx: "Spreadsheet", markdown: "Markdown",
  rst: "reStructuredText", text: "Text", eml: "E-mail", epub: "Book", record: "Record",
};
const languages = new Intl.DisplayNames(undefined, { type: "language", fallback: "code" });
const days = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const months = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });

export const fieldName = (field) => FIELDS[field] ?? field.replace(/^metadata\./u, "").replaceAll("_", " ");

export function valueName(field, value) {
  if (field === "type") return TYPES[value] ?? value;
  if (field === "language") return languageName(value);
  if (field === "date" && /^\d{4}-\d{2}$/u.test(value)) return months.format(new Date(`${value}-01T00:00:00Z`));
  return String(value);
}

function languageName(code) {
  if (code === "und") return "Unknown";
  try {
    return languages.of(code);
  } catch {
    return code;
  }
}

/** A condition read out of the words of a query: "since 2024-01", "PDF". */
export function conditionName(field, given) {
  if (Array.isArray(given)) return given.map((value) => valueName(field, value)).join(" or ");
  if (given === null || typeof given !== "object") return valueName(field, given);
  const told = [];
  const { gte, lte } = given;
  if (gte !== undefined && lte !== undefined) told.push(spanName(String(gte), String(lte)));
  else if (gte !== undefined) told.push(`from ${dayOf(gte)}`);
  else if (lte !== undefined) told.push(`up to ${dayOf(lte)}`);
  if (given.any !== undefined) told.push(conditionName(field, given.any));
  if (given.not !== undefined) told.push(`not ${conditionName(field, given.not)}`);
  return told.join(" ");
}

function spanName(from, to) {
  const year = from.slice(0, 4);
  return from === `${year}-01-01` && to === `${year}-12-31` ? year : `${dayOf(from)} – ${dayOf(to)}`;
}

const dayOf = (value) => (/^\d{4}-\d{2}-\d{2}/u.test(value) ? day(String(value).slice(0, 10)) : String(value));

export function day(moment) {
  const date = new Date(moment);
  return Number.isNaN(date.valueOf()) ? "" : days.format(date);
}

/** The value of `lang` for a document's text; null where its language is not known. */
export const tongue = ({ language }) => (language && language !== "und" ? language : null);

/** How long ago, roughly, for lists of what was done lately. */
export function ago(moment) {
  const minutes = (Date.now() - new Date(moment)) / 60_000;
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${Math.round(minutes)} min ago`;
  if (minutes < 60 * 24) return `${Math.round(minutes / 60)} h ago`;
  return day(moment);
}

/** Where a document lies, as a reader would say it: host and path, or the last folders of a file. */
export function place(uri) {
  const plain = decoded(uri);
  const web = /^https?:\/\/([^/]+)(.*)$/u.exec(plain);
  if (web) return web[1] + web[2].replace(/\/$/u, "").replaceAll("/", " › ");
  return plain.replace(/^[a-z0-9+.-]+:\/\//iu, "").split("/").filter(Boolean).slice(-2).join(" › ");
}

const titles = new Map();

/** Remember what documents are called: citations carry their addresses alone. */
export function learnTitles(hits) {
  for (const hit of hits) titles.set(hit.doc_id, titleOf(hit));
}

export const knownTitle = (citation) => titles.get(citation.doc_id) ?? place(citation.uri);

export const titleOf = (document) => document.title || decoded(document.uri).split("/").pop() || "Untitled";

/** The address of the original where a browser may open it, else null. */
export function original(uri) {
  return /^https?:\/\//iu.test(uri) ? uri : null;
}

function decoded(uri) {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}
