import { indentJson } from "./json";

export type DiffLine = { kind: "same" | "added" | "removed"; text: string };

/** A stretch of unchanged lines that is not worth reading. */
export type Folded = { kind: "folded"; lines: number };

/** Folding fewer lines than this would save nothing. */
const FOLD_MIN = 3;

/** Lines beyond this are compared as blocks: a settings value is tens of lines, and the table below is quadratic. */
const LINES_MAX = 600;

/** JSON text as indented lines; text that is not JSON as it is; null as no lines. */
export function prettyJson(text: string | null): string[] {
  return text === null ? [] : indentJson(text).split("\n");
}

/** The shortest list of removed and added lines that turns `before` into `after`. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  if (before.length > LINES_MAX || after.length > LINES_MAX) {
    return [...mark(before, "removed"), ...mark(after, "added")];
  }
  const common = commonLengths(before, after);
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const old = before[i];
    const now = after[j];
    if (old !== undefined && old === now) {
      lines.push({ kind: "same", text: old });
      i += 1;
      j += 1;
    } else if (
      old !== undefined &&
      (now === undefined || at(common, i + 1, j) >= at(common, i, j + 1))
    ) {
      lines.push({ kind: "removed", text: old });
      i += 1;
    } else if (now !== undefined) {
      lines.push({ kind: "added", text: now });
      j += 1;
    }
  }
  return lines;
}

/** Replaces unchanged lines further than `context` from any change by one mark per stretch. */
export function foldSame(lines: readonly DiffLine[], context: number): (DiffLine | Folded)[] {
  const changed = lines.flatMap((line, index) => (line.kind === "same" ? [] : [index]));
  const isNear = (index: number) => changed.some((at) => Math.abs(at - index) <= context);
  const parts: (DiffLine | Folded)[] = [];
  let hidden: DiffLine[] = [];
  const flush = () => {
    if (hidden.length >= FOLD_MIN) parts.push({ kind: "folded", lines: hidden.length });
    else parts.push(...hidden);
    hidden = [];
  };
  for (const [index, line] of lines.entries()) {
    if (line.kind === "same" && !isNear(index)) {
      hidden.push(line);
    } else {
      flush();
      parts.push(line);
    }
  }
  flush();
  return parts;
}

/** `table[i][j]`: length of the longest common run of lines from `before[i]` and `after[j]` on. */
function commonLengths(before: readonly string[], after: readonly string[]): number[][] {
  const table = Array.from({ length: before.length + 1 }, () =>
    Array.from({ length: after.length + 1 }, () => 0),
  );
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      const row = table[i];
      if (!row) continue;
      row[j] =
        before[i] === after[j]
          ? at(table, i + 1, j + 1) + 1
          : Math.max(at(table, i + 1, j), at(table, i, j + 1));
    }
  }
  return table;
}

function at(table: number[][], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}

function mark(lines: readonly string[], kind: DiffLine["kind"]): DiffLine[] {
  return lines.map((text) => ({ kind, text }));
}
