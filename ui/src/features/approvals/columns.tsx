import type { Column } from "@/components/DataTable";
import { RelativeTime } from "@/components/RelativeTime";
import { Cost } from "./components/Cost";
import { StateBadge } from "./components/RiskBadge";
import type { ApprovalRow } from "@/bindings";

/** Below this the table scrolls sideways in its own frame. */
export const DECIDED_MIN_WIDTH = 860;

/** The columns of what has been decided. */
export const decidedColumns: readonly Column<ApprovalRow>[] = [
  {
    id: "time",
    header: "Time",
    width: "108px",
    cell: (row) => <RelativeTime value={row.decided_at ?? row.expires_at} />,
  },
  {
    id: "state",
    header: "State",
    width: "112px",
    cell: (row) => <StateBadge state={row.state} />,
  },
  {
    id: "subject",
    header: "What",
    width: "minmax(200px, 2fr)",
    cell: (row) => <span title={row.sentence}>{row.sentence}</span>,
  },
  {
    id: "submitter",
    header: "Asked by",
    width: "minmax(120px, 1fr)",
    cell: (row) => <span title={row.submitter}>{row.submitter}</span>,
  },
  {
    id: "decided",
    header: "Decided by",
    width: "minmax(100px, 0.7fr)",
    cell: (row) => row.decided_by ?? <span className="muted">nobody</span>,
  },
  {
    id: "reason",
    header: "Why",
    width: "minmax(120px, 1fr)",
    cell: (row) =>
      row.reason === null ? (
        <span className="muted">–</span>
      ) : (
        <span title={row.reason}>{row.reason}</span>
      ),
  },
  {
    id: "cost",
    header: "At most",
    width: "132px",
    align: "end",
    cell: (row) => <Cost row={row} />,
  },
];
