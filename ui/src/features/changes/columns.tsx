import type { Change } from "@/bindings";
import type { Column } from "@/components/DataTable";
import { RelativeTime } from "@/components/RelativeTime";
import classes from "./ChangesPage.module.css";
import { kindOf, sourceWords } from "./kinds";

/** The columns of the history. */
export const CHANGE_COLUMNS: readonly Column<Change>[] = [
  {
    id: "seq",
    header: "No.",
    width: "56px",
    align: "end",
    cell: (row) => <span className="muted tabular">{row.seq}</span>,
  },
  {
    id: "time",
    header: "Time",
    width: "116px",
    cell: (row) => <RelativeTime value={row.at} />,
  },
  {
    id: "kind",
    header: "Kind",
    width: "128px",
    cell: (row) => <Kind kind={row.kind} />,
  },
  {
    id: "sentence",
    header: "What",
    width: "minmax(260px, 1fr)",
    cell: (row) => (
      <span className="ellipsis" title={row.sentence}>
        {row.sentence}
      </span>
    ),
  },
  {
    id: "who",
    header: "Who",
    width: "190px",
    cell: (row) => (
      <span className="ellipsis">
        {row.actor} <span className="muted">{sourceWords(row.source)}</span>
      </span>
    ),
  },
];

export const CHANGES_MIN_WIDTH = 780;

function Kind({ kind }: { kind: string }) {
  const { word, icon: Icon } = kindOf(kind);
  return (
    <span className={classes.kind}>
      <Icon size={14} stroke={1.75} aria-hidden />
      {word}
    </span>
  );
}
