import type { Alert } from "@/bindings";
import type { Column } from "@/components/DataTable";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import { formatCount } from "@/lib/numbers";
import { isOpen, severityOf, stateWords } from "./model";

/** Below this the table scrolls sideways in its own frame. */
export const ALERT_MIN_WIDTH = 860;

export const ALERT_COLUMNS: readonly Column<Alert>[] = [
  {
    id: "time",
    header: "Since",
    width: "108px",
    cell: (alert) => <RelativeTime value={alert.first_at} />,
  },
  {
    id: "severity",
    header: "Severity",
    width: "104px",
    cell: (alert) => <SeverityBadge severity={alert.severity} />,
  },
  {
    id: "title",
    header: "What",
    width: "minmax(170px, 1fr)",
    cell: (alert) => <span title={alert.title}>{alert.title}</span>,
  },
  {
    id: "sentence",
    header: "In a sentence",
    width: "minmax(220px, 2.4fr)",
    cell: (alert) => <span title={alert.sentence}>{alert.sentence}</span>,
  },
  {
    id: "times",
    header: "Times",
    width: "72px",
    align: "end",
    hint: "How often it came up",
    cell: (alert) => <span className="tabular">{formatCount(alert.times)}</span>,
  },
  {
    id: "state",
    header: "State",
    width: "140px",
    cell: (alert) => (
      <StatusBadge tone={isOpen(alert) ? severityOf(alert.severity).tone : "ok"}>
        {stateWords(alert)}
      </StatusBadge>
    ),
  },
];

/** How much it matters: icon, word and colour. */
export function SeverityBadge({ severity }: { severity: Alert["severity"] }) {
  const { tone, word } = severityOf(severity);
  return <StatusBadge tone={tone}>{word}</StatusBadge>;
}
