import { Button } from "@mantine/core";
import { IconActivity, IconCalendarOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { statusQueryOptions } from "@/api/queries";
import type { Bucket, BudgetGlance, GroupBy, Overview } from "@/bindings";
import type { Metric } from "@/charts/prepareSeries";
import { EmptyState } from "@/components/EmptyState";
import { ErrorState } from "@/components/ErrorState";
import { Page } from "@/components/Page";
import { Panel } from "@/components/Panel";
import { Skeleton } from "@/components/Skeletons";
import { isZeroNano } from "@/lib/money";
import { pickRange, type RangeSearch } from "@/lib/timeRange";
import { BreakdownPanel } from "./components/BreakdownPanel";
import { FigureRow } from "./components/FigureRow";
import { HonestNotes } from "./components/HonestNotes";
import { NeedsYou } from "./components/NeedsYou";
import { SharePanel } from "./components/SharePanel";
import { SpendPanel } from "./components/SpendPanel";
import classes from "./OverviewPage.module.css";
import { overviewQueryOptions } from "./queries";

const BUCKET_MS: Record<Bucket, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

export function OverviewPage() {
  const search = useSearch({ from: "/overview" });
  const range = pickRange(search);
  const groupBy = search.group ?? "operation";
  const status = useQuery(statusQueryOptions());
  const overview = useQuery(overviewQueryOptions(range, groupBy));

  if (overview.error && !overview.data) {
    return (
      <Page id="overview">
        <ErrorState
          title="The overview could not be read"
          error={overview.error}
          onRetry={() => void overview.refetch()}
        />
      </Page>
    );
  }
  if (!overview.data) {
    return (
      <Page id="overview">
        <Skeleton label="the figures" shape="figures" />
        <Skeleton label="the chart" shape="chart" height={340} />
      </Page>
    );
  }
  if (status.data?.first_run.first_request === null) {
    return (
      <Page id="overview">
        <EmptyState
          icon={IconActivity}
          title="Spend, latency and failures of your programs will stand here"
          action={
            <Button renderRoot={(props) => <Link {...props} to="/first-run" />}>
              Send the first request
            </Button>
          }
          data-testid="overview-empty"
        >
          The first request fills it; it takes two minutes, and costs nothing with the simulator.
        </EmptyState>
      </Page>
    );
  }
  const budget = status.data?.budget ?? null;
  return (
    <Page id="overview">
      <FigureRow overview={overview.data} range={range} budget={budget} />
      <HonestNotes figures={overview.data.figures} range={range} />
      <Details overview={overview.data} budget={budget} range={range} groupBy={groupBy} />
    </Page>
  );
}

type DetailsProps = {
  overview: Overview;
  budget: BudgetGlance | null;
  range: RangeSearch;
  groupBy: GroupBy;
};

function Details({ overview, budget, range, groupBy }: DetailsProps) {
  const search = useSearch({ from: "/overview" });
  const navigate = useNavigate({ from: "/overview" });
  if (overview.figures.requests === 0)
    return (
      <div className={classes.upper}>
        <NothingInRange />
        <NeedsYou />
      </div>
    );
  // With nothing but free requests a chart of spend would be an empty frame.
  const metric: Metric =
    search.metric ?? (isZeroNano(overview.figures.spend) ? "requests" : "spend");
  const set = (patch: Partial<typeof search>) =>
    void navigate({ search: (previous) => ({ ...previous, ...patch }), replace: true });
  const openBucket = (index: number) => {
    const start = overview.buckets[index];
    if (start === undefined) return;
    const to = new Date(Date.parse(start) + BUCKET_MS[overview.bucket]).toISOString();
    void navigate({ to: "/logs", search: { range: "custom", from: start, to } });
  };
  const openGroup = (key: string) =>
    void navigate({ to: "/logs", search: { ...range, ...groupFilter(groupBy, key) } });
  return (
    <>
      <div className={classes.upper}>
        <SpendPanel
          overview={overview}
          budget={budget}
          groupBy={groupBy}
          metric={metric}
          asTable={search.table ?? false}
          onGroupBy={(group) => set({ group })}
          onMetric={(chosen) => set({ metric: chosen })}
          onAsTable={(table) => set({ table: table || undefined })}
          onPickBucket={openBucket}
        />
        <NeedsYou />
      </div>
      <div className={classes.lower}>
        <BreakdownPanel overview={overview} groupBy={groupBy} onOpen={openGroup} />
        <SharePanel range={range} metric={metric} />
      </div>
    </>
  );
}

function NothingInRange() {
  return (
    <Panel title="Over time">
      <EmptyState
        icon={IconCalendarOff}
        title="No request in this time"
        action={
          <Button
            variant="default"
            renderRoot={(props) => <Link {...props} to="/overview" search={{ range: "7d" }} />}
          >
            Look at the last 7 days
          </Button>
        }
        data-testid="overview-no-results"
      >
        Earlier requests are all still there.
      </EmptyState>
    </Panel>
  );
}

/** The log's filter for one group of the breakdown. */
function groupFilter(groupBy: GroupBy, key: string): Record<string, string> {
  if (key === "") return { status: "failed" };
  switch (groupBy) {
    case "operation":
      return { operation: key };
    case "provider":
      return { provider: key };
    case "model": {
      const slash = key.indexOf("/");
      return { provider: key.slice(0, slash), model: key.slice(slash + 1) };
    }
  }
}
