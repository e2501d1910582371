import type { Change } from "@/bindings";
import type { Column } from "@/components/DataTable";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import classes from "./columns.module.css";
import { kindOf, sourceShort, sourceWords } from "./model";

/** Below this the table scrolls sideways in its own frame. */
export const CHANGE_MIN_WIDTH = 800;

/** The columns of the history; `firstBad` is the entry from which on the chain does not fit. */
export function changeColumns(firstBad: number | null): readonly Column<Change>[] {
  return [
    {
      id: "time",
      header: "Time",
      width: "108px",
      cell: (change) => <RelativeTime value={change.at} />,
    },
    {
      id: "seq",
      header: "Entry",
      width: firstBad === null ? "64px" : "132px",
      hint: "Its place in the chain",
      cell: (change) => <Entry seq={change.seq} firstBad={firstBad} />,
    },
    {
      id: "kind",
      header: "Kind",
      width: "112px",
      cell: (change) => <KindLabel kind={change.kind} />,
    },
    {
      id: "subject",
      header: "Subject",
      width: "minmax(124px, 1fr)",
      cell: (change) => <span title={change.subject}>{change.subject}</span>,
    },
    {
      id: "sentence",
      header: "What changed",
      width: "minmax(210px, 3fr)",
      cell: (change) => <span title={change.sentence}>{change.sentence}</span>,
    },
    {
      id: "actor",
      header: "Who",
      width: "minmax(160px, 0.8fr)",
      cell: (change) => (
        <span title={`${change.actor}, ${sourceWords(change.source)}`}>
          {change.actor} <span className="muted">· {sourceShort(change.source)}</span>
        </span>
      ),
    },
  ];
}

/** What kind of thing changed: icon and word. */
export function KindLabel({ kind }: { kind: string }) {
  const { icon: Icon, word } = kindOf(kind);
  return (
    <span className={classes.kind}>
      <Icon size={14} stroke={1.75} aria-hidden />
      <span className="ellipsis">{word}</span>
    </span>
  );
}

function Entry({ seq, firstBad }: { seq: number; firstBad: number | null }) {
  if (seq !== firstBad) return <span className="tabular muted">{seq}</span>;
  return (
    <StatusBadge tone="critical" title="From this entry on the chain does not fit">
      {seq} does not fit
    </StatusBadge>
  );
}
