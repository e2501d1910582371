import type { AlertChannel, AlertRule } from "@/bindings";
import { type Column, DataTable } from "@/components/DataTable";
import { StatusBadge } from "@/components/StatusBadge";
import { severityWord, spanWords, toldWords } from "../model";

/** Below this the table scrolls sideways in its own frame. */
const MIN_WIDTH = 900;

function columns(channels: readonly AlertChannel[]): readonly Column<AlertRule>[] {
  return [
    {
      id: "title",
      header: "Alert",
      width: "minmax(190px, 1.3fr)",
      cell: (rule) => <span title={rule.title}>{rule.title}</span>,
    },
    {
      id: "severity",
      header: "Severity",
      width: "104px",
      cell: (rule) => (
        <StatusBadge
          tone={
            rule.severity === "critical"
              ? "critical"
              : rule.severity === "warning"
                ? "warn"
                : "info"
          }
        >
          {severityWord(rule.severity)}
        </StatusBadge>
      ),
    },
    {
      id: "told",
      header: "Told on",
      width: "minmax(180px, 1.6fr)",
      cell: (rule) => <span title={toldWords(rule, channels)}>{toldWords(rule, channels)}</span>,
    },
    {
      id: "window",
      header: "Once per",
      width: "104px",
      hint: "How long one state is told once, however often it comes up",
      cell: (rule) => spanWords(rule.window_s),
    },
    {
      id: "quiet",
      header: "Quiet hours",
      width: "120px",
      cell: (rule) =>
        rule.quiet === null ? (
          <span className="muted">None</span>
        ) : (
          <span className="tabular" title={rule.quiet.zone}>
            {rule.quiet.from}–{rule.quiet.until}
          </span>
        ),
    },
    {
      id: "escalation",
      header: "Second round",
      width: "120px",
      hint: "Who is told if nobody acknowledges",
      cell: (rule) =>
        rule.escalation === null ? (
          <span className="muted">None</span>
        ) : (
          `After ${rule.escalation.after_min} min`
        ),
    },
    {
      id: "usual",
      header: "Rule",
      width: "96px",
      cell: (rule) => (rule.is_usual ? <span className="muted">Usual</span> : "Changed"),
    },
  ];
}

type Props = {
  rules: AlertRule[];
  channels: readonly AlertChannel[];
  openKind: string | undefined;
  onOpen: (kind: string) => void;
};

/** What becomes of alerts of each kind. */
export function RulesView({ rules, channels, openKind, onOpen }: Props) {
  return (
    <DataTable
      label="Rules"
      columns={columns(channels)}
      rows={rules}
      rowId={(rule) => rule.kind}
      minWidth={MIN_WIDTH}
      rowTestId="rule-row"
      openId={openKind}
      onOpen={(rule) => onOpen(rule.kind)}
      isDimmed={(rule) => !rule.enabled}
      pageKeys
      data-testid="rules-table"
    />
  );
}
