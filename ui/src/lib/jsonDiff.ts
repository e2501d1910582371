/** Line by line difference of two JSON documents, laid out so that one line is one thing a person would name. */

export type DiffKind = "same" | "added" | "removed";

export interface DiffLine {
  kind: DiffKind;
  text: string;
}

/** Longest object or array that stays on one line. */
const INLINE_WIDTH = 88;
/** Beyond this many line pairs the documents are shown one after the other instead. */
const MOST_PAIRS = 1_000_000;

/** Pretty JSON with short objects on one line. Text that is not JSON is split into its own lines. */
export function layoutJson(text: string): string[] {
  try {
    return layout(JSON.parse(text), "");
  } catch {
    return text.split("\n");
  }
}

function layout(value: unknown, indent: string): string[] {
  const inline = inlineJson(value);
  if (
    typeof value !== "object" ||
    value === null ||
    (indent !== "" && inline.length <= INLINE_WIDTH)
  ) {
    return [inline];
  }
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.map((item): [string, unknown] => ["", item])
    : Object.entries(value).map(([key, item]) => [`${JSON.stringify(key)}: `, item]);
  if (entries.length === 0) {
    return [inline];
  }
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const lines = entries.flatMap(([key, item]) => {
    const [first = "", ...rest] = layout(item, inner);
    return [`${inner}${key}${first}`, ...rest];
  });
  return [open, ...lines, `${indent}${close}`];
}

function inlineJson(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map(inlineJson).join(", ")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(
      ([key, item]) => `${JSON.stringify(key)}: ${inlineJson(item)}`,
    );
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
  }
  return JSON.stringify(value) ?? "null";
}

/** What was removed and what was added between two documents; absent means that there was none. */
export function diffJson(before: string | null, after: string | null): DiffLine[] {
  return diffLines(
    before === null ? [] : layoutJson(before),
    after === null ? [] : layoutJson(after),
  );
}

/** Longest common subsequence, removed lines before added ones. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  if (before.length * after.length > MOST_PAIRS) {
    return [
      ...before.map((text): DiffLine => ({ kind: "removed", text })),
      ...after.map((text): DiffLine => ({ kind: "added", text })),
    ];
  }
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] =
        before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, fresh] = [before[i], after[j]];
    if (old !== undefined && old === fresh) {
      lines.push({ kind: "same", text: old });
      i += 1;
      j += 1;
    } else if (old !== undefined && (fresh === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ kind: "removed", text: old });
      i += 1;
    } else {
      lines.push({ kind: "added", text: fresh ?? "" });
      j += 1;
    }
  }
  return lines;
}
