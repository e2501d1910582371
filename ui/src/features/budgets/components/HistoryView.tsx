import { SegmentedControl } from "@mantine/core";
import { IconCalendarOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { SpendHistory, SpendSeries, SpendSplit } from "@/bindings";
import { prepareSeries } from "@/charts/prepareSeries";
import { StackedChart } from "@/charts/StackedChart";
import { type Column, DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { ErrorState } from "@/components/ErrorState";
import { FactSection } from "@/components/Facts";
import { Money } from "@/components/Money";
import { Panel } from "@/components/Panel";
import { Skeleton } from "@/components/Skeletons";
import { isZeroNano, parseNano, shareOf } from "@/lib/money";
import { formatCount, formatPercent } from "@/lib/numbers";
import { spendHistoryQueryOptions } from "../queries";

export type Days = 7 | 30 | 90;

const DAYS = [
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
];

const SPLITS: readonly { value: SpendSplit; label: string }[] = [
  { value: "user", label: "User" },
  { value: "operation", label: "Operation" },
  { value: "provider", label: "Provider" },
  { value: "model", label: "Model" },
];

const CHART_PX = 260;
const SMALL_CHART_PX = 160;

type ViewProps = {
  split: SpendSplit;
  days: Days;
  onSplit: (split: SpendSplit) => void;
  onDays: (days: Days) => void;
};

/** Who spent what, day by day: a chart of those who spent most, and all of them below. */
export function HistoryView({ split, days, onSplit, onDays }: ViewProps) {
  const query = useQuery(spendHistoryQueryOptions({ split, only: null, days }));
  const navigate = useNavigate();
  const open = (row: SpendSeries) => {
    const filter = logFilter(split, row.key);
    const first = query.data?.days[0];
    const last = query.data?.days.at(-1);
    if (!filter || first === undefined || last === undefined) return;
    const to = new Date(Date.parse(last) + 86_400_000).toISOString();
    void navigate({ to: "/logs", search: { range: "custom", from: first, to, ...filter } });
  };
  return (
    <>
      <Panel
        title="Spend by day"
        actions={
          <>
            <SegmentedControl
              size="xs"
              data={[...SPLITS]}
              value={split}
              onChange={onSplit}
              aria-label="Split by"
              data-testid="history-split"
            />
            <DaysControl days={days} onDays={onDays} />
          </>
        }
        data-testid="spend-history"
      >
        <Chart query={query} split={split} height={CHART_PX} />
      </Panel>
      {query.data && query.data.series.length > 0 ? (
        <Panel title={`By ${split}`} flush>
          <DataTable
            label={`Spend by ${split}`}
            columns={columnsOf(query.data, split)}
            rows={query.data.series}
            rowId={(row) => row.key}
            height="content"
            density="compact"
            minWidth={520}
            onOpen={open}
            rowTestId="history-row"
          />
        </Panel>
      ) : null}
    </>
  );
}

/** The history of one budget, in its sheet. */
export function HistoryPanel({ split, only }: { split: SpendSplit; only: string | null }) {
  const [days, setDays] = useState<Days>(30);
  const query = useQuery(spendHistoryQueryOptions({ split, only, days }));
  return (
    <FactSection title="Spend by day" aside={<DaysControl days={days} onDays={setDays} />}>
      <Chart query={query} split={split} height={SMALL_CHART_PX} />
    </FactSection>
  );
}

function DaysControl({ days, onDays }: { days: Days; onDays: (days: Days) => void }) {
  return (
    <SegmentedControl
      size="xs"
      data={DAYS}
      value={String(days)}
      onChange={(value) => onDays(value === "7" ? 7 : value === "90" ? 90 : 30)}
      aria-label="How far back"
      data-testid="history-days"
    />
  );
}

type ChartProps = {
  query: {
    data: SpendHistory | undefined;
    error: Error | null;
    refetch: () => Promise<unknown>;
  };
  split: SpendSplit;
  height: number;
};

function Chart({ query, split, height }: ChartProps) {
  const { data, error } = query;
  const chart = useMemo(
    () =>
      data &&
      prepareSeries(
        {
          buckets: data.days,
          groups: data.series.map((row) => ({ ...row, key: keyWords(split, row.key) })),
        },
        "spend",
      ),
    [data, split],
  );
  if (error && !data)
    return (
      <ErrorState
        title="The history of spend could not be read"
        error={error}
        onRetry={() => void query.refetch()}
        compact
      />
    );
  if (!data || !chart) return <Skeleton label="the chart" shape="chart" height={height} />;
  if (isZeroNano(data.total))
    return (
      <EmptyState
        icon={IconCalendarOff}
        title="Nothing was spent in this time"
        data-testid="history-empty"
      />
    );
  return (
    <StackedChart chart={chart} metric="spend" bucket="day" buckets={data.days} height={height} />
  );
}

function columnsOf(history: SpendHistory, split: SpendSplit): readonly Column<SpendSeries>[] {
  const words = SPLITS.find(({ value }) => value === split)?.label ?? split;
  return [
    {
      id: "key",
      header: words,
      width: "minmax(160px, 1.4fr)",
      cell: (row) => <span title={row.key}>{keyWords(split, row.key)}</span>,
      sortValue: (row) => row.key,
    },
    {
      id: "total",
      header: "Spend",
      width: "112px",
      align: "end",
      cell: (row) => <Money value={row.total} format="total" />,
      sortValue: (row) => parseNano(row.total),
    },
    {
      id: "share",
      header: "Share",
      width: "88px",
      align: "end",
      cell: (row) => formatPercent(shareOf(row.total, history.total)),
    },
    {
      id: "today",
      header: "Today",
      width: "112px",
      align: "end",
      cell: (row) => <Money value={row.spend.at(-1) ?? "0"} format="total" />,
      sortValue: (row) => parseNano(row.spend.at(-1) ?? "0"),
    },
    {
      id: "requests",
      header: "Requests",
      width: "104px",
      align: "end",
      cell: (row) => formatCount(row.total_requests),
      sortValue: (row) => BigInt(row.total_requests),
    },
  ];
}

/** Requests that name no user, or reached no target, have an empty key. */
function keyWords(split: SpendSplit, key: string): string {
  if (key !== "") return key;
  return split === "user" ? "no user named" : "no target reached";
}

function logFilter(split: SpendSplit, key: string): Record<string, string> | undefined {
  if (key === "") return undefined;
  const slash = key.indexOf("/");
  switch (split) {
    case "user":
      return { user: key };
    case "operation":
      return { operation: key };
    case "provider":
      return { provider: key };
    case "model":
      return { provider: key.slice(0, slash), model: key.slice(slash + 1) };
  }
}
