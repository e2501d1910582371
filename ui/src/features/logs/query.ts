/**
 * The language of the query bar: `status:failed cost:>0.1 model:claude* operation:email_analysis`.
 *
 * Text and filter are two views of the same thing: {@link parseQuery} reads the text, {@link formatFilter} writes it back, and
 * the filter is what the URL carries. Nothing here throws; what cannot be understood comes back as a problem with its place.
 */

import type { CostStatus, RequestFilter, RequestStatus } from "@/bindings";
import { nanoFromUsd, usdFromNano } from "./amount";
import type { LogsSearch } from "./search";

/** What the Logs screen is narrowed to, next to the time range. Every condition must hold; absent means "any". */
export type LogFilter = Pick<
  LogsSearch,
  | "operation"
  | "provider"
  | "model"
  | "status"
  | "cost_status"
  | "key_id"
  | "user"
  | "simulated"
  | "cost_min"
  | "id"
>;

/** A part of the text that could not be understood. Offsets are into the text. */
export interface QueryProblem {
  start: number;
  end: number;
  message: string;
}

export interface ParsedQuery {
  filter: LogFilter;
  problems: QueryProblem[];
}

export const STATUSES: readonly RequestStatus[] = [
  "in_flight",
  "succeeded",
  "failed",
  "cancelled",
  "interrupted",
];
export const PRICINGS: readonly CostStatus[] = [
  "exact",
  "provider_charged",
  "estimated",
  "unpriced",
];

const STATUS_ALIASES: Readonly<Record<string, RequestStatus>> = {
  error: "failed",
  ok: "succeeded",
  success: "succeeded",
  running: "in_flight",
  "in-flight": "in_flight",
  canceled: "cancelled",
};

/** One word of the language, in the order completion offers them. */
export interface QueryField {
  name: string;
  hint: string;
  example: string;
}

export const FIELDS: readonly QueryField[] = [
  { name: "status", hint: "How it ended", example: "status:failed" },
  { name: "operation", hint: "What the request was for", example: "operation:email_analysis" },
  { name: "provider", hint: "Who answered", example: "provider:deepseek" },
  { name: "model", hint: "Which model; * at the end matches any ending", example: "model:claude*" },
  {
    name: "cost",
    hint: "At least this many dollars, or how the cost is known",
    example: "cost:>0.1",
  },
  { name: "key", hint: "API key by name", example: "key:laptop" },
  { name: "user", hint: "The x-signalbox-user header", example: "user:ada" },
  { name: "simulated", hint: "Answered by the simulator", example: "simulated:no" },
  { name: "id", hint: "A request id or its beginning", example: "id:req_" },
];

interface Token {
  start: number;
  end: number;
  /** Absent for a bare word. */
  field?: string;
  value: string;
}

/** Splits at spaces outside double quotes. A quote that is never closed runs to the end. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at] ?? "")) {
      at += 1;
      continue;
    }
    const start = at;
    let raw = "";
    let colon = -1;
    let quoted = false;
    while (at < text.length && (quoted || !/\s/.test(text[at] ?? ""))) {
      const char = text[at] ?? "";
      if (char === '"') {
        quoted = !quoted;
      } else {
        if (char === ":" && colon < 0 && !quoted) {
          colon = raw.length;
        }
        raw += char;
      }
      at += 1;
    }
    tokens.push(
      colon < 0
        ? { start, end: at, value: raw }
        : { start, end: at, field: raw.slice(0, colon).toLowerCase(), value: raw.slice(colon + 1) },
    );
  }
  return tokens;
}

/** Keys by name, because people type names and the filter needs ids. */
export interface KeyName {
  id: string;
  name: string;
}

type Field = (value: string, filter: LogFilter, keys: readonly KeyName[]) => string | undefined;

/** Each reader sets its part of the filter, or says what is wrong. */
const READERS: Readonly<Record<string, Field>> = {
  status: (value, filter) => {
    const word = value.toLowerCase();
    const status = STATUSES.find((known) => known === word) ?? STATUS_ALIASES[word];
    if (!status) {
      return `There is no status “${value}”. Use ${STATUSES.join(", ")}.`;
    }
    filter.status = status;
    return undefined;
  },
  operation: (value, filter) => {
    filter.operation = value.replace(/^op:/, "");
    return undefined;
  },
  provider: (value, filter) => {
    filter.provider = value;
    return undefined;
  },
  model: (value, filter) => {
    if (value.slice(0, -1).includes("*")) {
      return "The * is only understood at the end, e.g. model:claude*.";
    }
    filter.model = value;
    return undefined;
  },
  cost: (value, filter) => {
    const word = value.toLowerCase();
    const pricing = PRICINGS.find((known) => known === word);
    if (pricing) {
      filter.cost_status = pricing;
      return undefined;
    }
    const amount = value.replace(/^(>=|>)/, "").replace(/^\$/, "");
    const nano = nanoFromUsd(amount);
    if (nano === undefined || value.startsWith("<")) {
      return `“${value}” is not a cost. Use cost:>0.1 for at least $0.10, or cost:${PRICINGS.join(", cost:")}.`;
    }
    filter.cost_min = nano;
    return undefined;
  },
  key: (value, filter, keys) => {
    const found = keys.find(
      (key) => key.id === value || key.name.toLowerCase() === value.toLowerCase(),
    );
    if (!found) {
      return keys.length === 0
        ? "There are no API keys yet."
        : `There is no API key called “${value}”.`;
    }
    filter.key_id = found.id;
    return undefined;
  },
  user: (value, filter) => {
    filter.user = value;
    return undefined;
  },
  simulated: (value, filter) => {
    const word = value.toLowerCase();
    if (!["yes", "no", "true", "false"].includes(word)) {
      return "simulated: takes yes or no.";
    }
    filter.simulated = word === "yes" || word === "true";
    return undefined;
  },
  id: (value, filter) => {
    filter.id = value;
    return undefined;
  },
};

/** Words people try for time, which has its own place on every screen. */
const TIME_WORDS: ReadonlySet<string> = new Set([
  "since",
  "from",
  "to",
  "before",
  "after",
  "time",
  "date",
]);

const FIELD_ALIASES: Readonly<Record<string, string>> = {
  op: "operation",
  request: "id",
  pricing: "cost",
};

/** Reads the text of the query bar. */
export function parseQuery(text: string, keys: readonly KeyName[] = []): ParsedQuery {
  const filter: LogFilter = {};
  const problems: QueryProblem[] = [];
  const seen = new Set<string>();
  for (const token of tokenize(text)) {
    const problem = readToken(token, filter, keys, seen);
    if (problem) {
      problems.push({ start: token.start, end: token.end, message: problem });
    }
  }
  return { filter, problems };
}

function readToken(
  token: Token,
  filter: LogFilter,
  keys: readonly KeyName[],
  seen: Set<string>,
): string | undefined {
  if (token.field === undefined) {
    if (token.value.startsWith("req_")) {
      filter.id = token.value;
      return undefined;
    }
    return `“${token.value}” needs a field in front, e.g. model:${token.value} or operation:${token.value}.`;
  }
  const name = FIELD_ALIASES[token.field] ?? token.field;
  const reader = READERS[name];
  if (TIME_WORDS.has(name)) {
    return "The time range is set at the top right (key T), not here.";
  }
  if (!reader) {
    const near = closest(name);
    const names = FIELDS.map((field) => field.name).join(", ");
    return `There is no field “${token.field}”. ${near ? `Did you mean ${near}:?` : `Use ${names}.`}`;
  }
  if (token.value === "") {
    return `${name}: needs a value, e.g. ${FIELDS.find((field) => field.name === name)?.example ?? name}.`;
  }
  const part =
    name === "cost" && PRICINGS.some((known) => known === token.value.toLowerCase())
      ? "pricing"
      : name;
  if (seen.has(part)) {
    return `${name}: is there twice; a request has only one.`;
  }
  seen.add(part);
  return reader(token.value, filter, keys);
}

/** The field whose name is at most two edits away. */
function closest(name: string): string | undefined {
  const ranked = FIELDS.map((field) => ({
    name: field.name,
    distance: editDistance(name, field.name),
  }))
    .filter((candidate) => candidate.distance <= 2)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.name;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function quote(value: string): string {
  return /\s/.test(value) ? `"${value}"` : value;
}

/** Writes a filter as the text a person would have typed. */
export function formatFilter(filter: LogFilter, keys: readonly KeyName[] = []): string {
  const words: string[] = [];
  const say = (field: string, value: string | undefined) => {
    if (value !== undefined && value !== "") {
      words.push(`${field}:${quote(value)}`);
    }
  };
  say("status", filter.status);
  say("operation", filter.operation);
  say("provider", filter.provider);
  say("model", filter.model);
  say("cost", filter.cost_min === undefined ? undefined : `>${usdFromNano(filter.cost_min)}`);
  say("cost", filter.cost_status);
  const key = keys.find((candidate) => candidate.id === filter.key_id);
  say("key", key?.name ?? filter.key_id);
  say("user", filter.user);
  say("simulated", filter.simulated === undefined ? undefined : filter.simulated ? "yes" : "no");
  say("id", filter.id);
  return words.join(" ");
}

/** The filter part of a search, without what cannot be meant. */
export function pickFilter(search: LogsSearch): LogFilter {
  const { operation, provider, model, status, cost_status, key_id, user, simulated, cost_min, id } =
    search;
  const filter: LogFilter = {
    operation,
    provider,
    model,
    status,
    cost_status,
    key_id,
    user,
    simulated,
    cost_min: cost_min !== undefined && /^\d{1,18}$/.test(cost_min) ? cost_min : undefined,
    id,
  };
  return Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== undefined && value !== ""),
  );
}

/** True when nothing narrows the list. */
export function isUnfiltered(filter: LogFilter): boolean {
  return Object.values(filter).every((value) => value === undefined);
}

/** A search with this filter instead of its own; the range and the open request stay. */
export function withFilter(search: LogsSearch, filter: LogFilter): LogsSearch {
  const { range, from, to, request } = search;
  return { range, from, to, request, ...filter };
}

/** What is asked of the backend. */
export function toRequestFilter(
  filter: LogFilter,
  span: { from?: string; to?: string },
): RequestFilter {
  const { id, ...rest } = filter;
  return { ...rest, ...span, id_prefix: id ?? null };
}

/** What completion can offer as values. */
export interface Vocabulary {
  operations: readonly { value: string; count: number }[];
  providers: readonly { value: string; count: number }[];
  models: readonly { value: string; count: number }[];
  statuses: readonly { value: string; count: number }[];
  keys: readonly KeyName[];
}

export interface Completion {
  /** Text that replaces `[start, end)`. A field ends with its colon, a value with a space. */
  insert: string;
  label: string;
  hint?: string;
  count?: number;
  start: number;
  end: number;
}

const MOST_COMPLETIONS = 12;

/** What may stand at the caret. */
export function complete(text: string, caret: number, words: Vocabulary): Completion[] {
  const token = tokenize(text).find(
    (candidate) => candidate.start <= caret && caret <= candidate.end,
  );
  const start = token?.start ?? caret;
  const end = token?.end ?? caret;
  const typed = text.slice(start, caret);
  const colon = typed.indexOf(":");
  if (colon < 0) {
    const prefix = typed.toLowerCase();
    return FIELDS.filter((field) => field.name.startsWith(prefix)).map((field) => ({
      insert: `${field.name}:`,
      label: `${field.name}:`,
      hint: field.hint,
      start,
      end,
    }));
  }
  const name = typed.slice(0, colon).toLowerCase();
  const field = FIELD_ALIASES[name] ?? name;
  const prefix = typed
    .slice(colon + 1)
    .replaceAll('"', "")
    .toLowerCase();
  return values(field, words)
    .filter((value) => value.label.toLowerCase().includes(prefix))
    .sort(
      (a, b) =>
        Number(b.label.toLowerCase().startsWith(prefix)) -
        Number(a.label.toLowerCase().startsWith(prefix)),
    )
    .slice(0, MOST_COMPLETIONS)
    .map(({ label, hint, count }) => ({
      label,
      hint,
      count,
      insert: `${field}:${quote(label)} `,
      start,
      end,
    }));
}

function values(field: string, words: Vocabulary): Pick<Completion, "label" | "hint" | "count">[] {
  const counted = (facets: Vocabulary["operations"]) =>
    facets.map((facet) => ({ label: facet.value, count: facet.count }));
  switch (field) {
    case "status":
      return STATUSES.map((status) => ({
        label: status,
        count: words.statuses.find((facet) => facet.value === status)?.count ?? 0,
      }));
    case "operation":
      return counted(words.operations);
    case "provider":
      return counted(words.providers);
    case "model":
      return counted(words.models);
    case "cost":
      return [
        { label: ">0.001", hint: "at least $0.001" },
        { label: ">0.01", hint: "at least $0.01" },
        { label: ">0.1", hint: "at least $0.10" },
        { label: "exact", hint: "reported usage × price" },
        { label: "provider_charged", hint: "the provider stated the amount" },
        { label: "estimated", hint: "usage was counted by Signalbox" },
        { label: "unpriced", hint: "no price is known" },
      ];
    case "key":
      return words.keys.map((key) => ({ label: key.name }));
    case "simulated":
      return [
        { label: "yes", hint: "only simulated" },
        { label: "no", hint: "only real" },
      ];
    default:
      return [];
  }
}
