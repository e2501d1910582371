import { useState } from "react";
import { type DiffLine, diffLines, foldSame, prettyJson } from "@/lib/diff";
import { revealHidden } from "@/lib/text";
import classes from "./JsonDiff.module.css";

type Props = {
  /** JSON as text; null before it existed. */
  before: string | null;
  /** JSON as text; null when it was removed. */
  after: string | null;
  label?: string;
  /** Lines kept around each change; longer unchanged stretches are folded. Absent: everything is shown. */
  context?: number;
};

const SIGNS = { same: " ", added: "+", removed: "−" } as const;
const WORDS = { same: "", added: "added: ", removed: "removed: " } as const;

/** Before and after as one list of lines; added and removed are marked by sign, word and colour. */
export function JsonDiff({ before, after, label = "What changed", context }: Props) {
  const [unfolded, setUnfolded] = useState(false);
  const lines = diffLines(prettyJson(before), prettyJson(after));
  if (lines.every((line) => line.kind === "same")) {
    return <p className="muted">The values are the same.</p>;
  }
  const parts = foldSame(lines, unfolded || context === undefined ? Infinity : context);
  return (
    <ol className={classes.diff} aria-label={label} data-testid="diff">
      {parts.map((part, index) =>
        part.kind === "folded" ? (
          <li key={index}>
            <button type="button" className={classes.fold} onClick={() => setUnfolded(true)}>
              {part.lines} lines that stay the same
            </button>
          </li>
        ) : (
          <Line key={index} line={part} />
        ),
      )}
    </ol>
  );
}

function Line({ line }: { line: DiffLine }) {
  return (
    <li className={classes.line} data-kind={line.kind}>
      <span className={classes.sign} aria-hidden>
        {SIGNS[line.kind]}
      </span>
      <span className="visually-hidden">{WORDS[line.kind]}</span>
      <span>{plain(line.text)}</span>
    </li>
  );
}

function plain(text: string): string {
  return revealHidden(text)
    .map((piece) => (piece.kind === "text" ? piece.text : piece.glyph))
    .join("");
}
