import type { GroupBy, GroupSeries, Overview } from "@/bindings";
import { groupLabel } from "@/charts/prepareSeries";
import { type Column, DataTable } from "@/components/DataTable";
import { Duration } from "@/components/Duration";
import { Money } from "@/components/Money";
import { Panel } from "@/components/Panel";
import { parseNano } from "@/lib/money";
import { formatCompact, formatCount } from "@/lib/numbers";

type Props = { overview: Overview; groupBy: GroupBy; onOpen: (key: string) => void };

const TITLES: Record<GroupBy, string> = {
  operation: "By operation",
  provider: "By provider",
  model: "By model",
};

/** Every group with its figures; a row opens its requests. */
export function BreakdownPanel({ overview, groupBy, onOpen }: Props) {
  return (
    <Panel title={TITLES[groupBy]} flush data-testid="overview-breakdown">
      <DataTable
        label={TITLES[groupBy]}
        columns={COLUMNS}
        rows={overview.groups}
        rowId={(row) => `${row.key}${row.simulated ? "/simulated" : ""}`}
        height="content"
        density="compact"
        minWidth={600}
        onOpen={(row) => onOpen(row.key)}
        rowTestId="breakdown-row"
      />
    </Panel>
  );
}

const COLUMNS: Column<GroupSeries>[] = [
  {
    id: "key",
    header: "Name",
    width: "minmax(160px, 1fr)",
    cell: (row) => (
      <span className="ellipsis" title={groupLabel(row.key)}>
        {groupLabel(row.key)}
        {row.simulated ? <span className="muted"> simulated</span> : null}
      </span>
    ),
    sortValue: (row) => row.key,
  },
  {
    id: "requests",
    header: "Requests",
    width: "88px",
    align: "end",
    cell: (row) => formatCount(row.total.requests),
    sortValue: (row) => row.total.requests,
  },
  {
    id: "failed",
    header: "Failed",
    width: "72px",
    align: "end",
    cell: (row) =>
      row.total.failed === 0 ? <span className="muted">0</span> : formatCount(row.total.failed),
    sortValue: (row) => row.total.failed,
  },
  {
    id: "tokens",
    header: "Tokens in / out",
    width: "120px",
    align: "end",
    cell: (row) => (
      <span
        title={`${formatCount(row.total.tokens_in)} in, ${formatCount(row.total.tokens_out)} out`}
      >
        {formatCompact(row.total.tokens_in)} <span className="muted">/</span>{" "}
        {formatCompact(row.total.tokens_out)}
      </span>
    ),
  },
  {
    id: "latency",
    header: "p95",
    width: "72px",
    align: "end",
    cell: (row) => <Duration ms={row.total.latency_ms_p95} />,
    sortValue: (row) => row.total.latency_ms_p95,
  },
  {
    id: "spend",
    header: "Spend",
    width: "96px",
    align: "end",
    cell: (row) => <Money value={row.total.spend} format="total" />,
    sortValue: (row) => parseNano(row.total.spend),
  },
];
