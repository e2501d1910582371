import { ActionIcon, SegmentedControl, Tooltip } from "@mantine/core";
import { IconChartBar, IconTable } from "@tabler/icons-react";
import { useMemo } from "react";
import type { BudgetGlance, GroupBy, Overview } from "@/bindings";
import { prepareLimit } from "@/charts/prepareLimit";
import { type Metric, type PreparedChart, prepareSeries } from "@/charts/prepareSeries";
import { StackedChart } from "@/charts/StackedChart";
import { type Column, DataTable } from "@/components/DataTable";
import { Money } from "@/components/Money";
import { Panel } from "@/components/Panel";
import { parseNano } from "@/lib/money";
import { formatCount } from "@/lib/numbers";
import { type Zone, formatBucket } from "@/lib/time";
import { usePreferences } from "@/lib/preferences";

type Props = {
  overview: Overview;
  budget: BudgetGlance | null;
  groupBy: GroupBy;
  metric: Metric;
  asTable: boolean;
  onGroupBy: (groupBy: GroupBy) => void;
  onMetric: (metric: Metric) => void;
  onAsTable: (asTable: boolean) => void;
  onPickBucket: (index: number) => void;
};

const HEIGHT_PX = 260;

const GROUPS: { value: GroupBy; label: string }[] = [
  { value: "operation", label: "Operation" },
  { value: "provider", label: "Provider" },
  { value: "model", label: "Model" },
];
const METRICS: { value: Metric; label: string }[] = [
  { value: "spend", label: "Spend" },
  { value: "requests", label: "Requests" },
];

/** Spend (or requests) over time, stacked; the same as a table on request. */
export function SpendPanel({ overview, budget, groupBy, metric, asTable, ...on }: Props) {
  const chart = useMemo(() => prepareSeries(overview, metric), [overview, metric]);
  const limit = useMemo(
    () => (metric === "spend" ? prepareLimit(budget, overview, chart.peak?.value) : undefined),
    [budget, overview, metric, chart],
  );
  const { zone } = usePreferences();
  return (
    <Panel
      title={metric === "spend" ? "Spend over time" : "Requests over time"}
      flush={asTable}
      actions={
        <>
          <SegmentedControl
            size="xs"
            data={METRICS}
            value={metric}
            onChange={on.onMetric}
            aria-label="Show"
            data-testid="overview-metric"
          />
          <SegmentedControl
            size="xs"
            data={GROUPS}
            value={groupBy}
            onChange={on.onGroupBy}
            aria-label="Split by"
            data-testid="overview-group"
          />
          <Tooltip label={asTable ? "Show as chart" : "Show as table"}>
            <ActionIcon
              variant="default"
              aria-label={asTable ? "Show as chart" : "Show as table"}
              onClick={() => on.onAsTable(!asTable)}
              data-testid="overview-as-table"
            >
              {asTable ? (
                <IconChartBar size={16} aria-hidden />
              ) : (
                <IconTable size={16} aria-hidden />
              )}
            </ActionIcon>
          </Tooltip>
        </>
      }
      data-testid="overview-spend"
    >
      {asTable ? (
        <SeriesTable overview={overview} chart={chart} metric={metric} zone={zone} />
      ) : (
        <StackedChart
          chart={chart}
          metric={metric}
          bucket={overview.bucket}
          buckets={overview.buckets}
          height={HEIGHT_PX}
          limit={limit}
          onPickBucket={on.onPickBucket}
        />
      )}
    </Panel>
  );
}

type BucketRow = { start: string; index: number };

function SeriesTable({
  overview,
  chart,
  metric,
  zone,
}: {
  overview: Overview;
  chart: PreparedChart;
  metric: Metric;
  zone: Zone;
}) {
  const rows = overview.buckets.map((start, index) => ({ start, index }));
  const cell = (value: string | undefined) =>
    metric === "spend" ? <Money value={value ?? "0"} /> : formatCount(value ?? "0");
  const columns: Column<BucketRow>[] = [
    {
      id: "start",
      header: "Start",
      width: "128px",
      cell: (row) => formatBucket(row.start, overview.bucket, zone),
    },
    {
      id: "total",
      header: "Total",
      width: "112px",
      align: "end",
      cell: (row) => cell(chart.totals[row.index]),
      sortValue: (row) => parseNano(chart.totals[row.index] ?? "0"),
    },
    ...chart.series.map(
      (series): Column<BucketRow> => ({
        id: series.key,
        header: series.label,
        width: "minmax(112px, 1fr)",
        align: "end",
        cell: (row) => cell(series.exact[row.index]),
      }),
    ),
  ];
  return (
    <div style={{ height: HEIGHT_PX + 44, display: "flex" }}>
      <DataTable
        label="Values over time"
        columns={columns}
        rows={rows}
        rowId={(row) => row.start}
        density="compact"
        minWidth={260 + chart.series.length * 128}
      />
    </div>
  );
}
