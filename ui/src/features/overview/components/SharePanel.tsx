import { useQuery } from "@tanstack/react-query";
import type { Metric } from "@/charts/prepareSeries";
import { prepareShares } from "@/charts/prepareShares";
import { ShareBars } from "@/charts/ShareBars";
import { Panel } from "@/components/Panel";
import { Skeleton } from "@/components/Skeletons";
import { formatMoneyExact, formatMoneyTotal } from "@/lib/money";
import { formatCount } from "@/lib/numbers";
import type { RangeSearch } from "@/lib/timeRange";
import { overviewQueryOptions } from "../queries";

type Props = { range: RangeSearch; metric: Metric };

/** Which models the spend (or the requests) went to, whatever the chart is split by. */
export function SharePanel({ range, metric }: Props) {
  const overview = useQuery(overviewQueryOptions(range, "model"));
  const shares = overview.data ? prepareShares(overview.data, metric) : [];
  return (
    <Panel
      title={metric === "spend" ? "Spend by model" : "Requests by model"}
      data-testid="overview-share"
    >
      {overview.data ? (
        <ShareBars
          label="Share by model"
          shares={shares}
          amount={metric === "spend" ? formatMoneyTotal : formatCount}
          exact={metric === "spend" ? formatMoneyExact : formatCount}
        />
      ) : (
        <Skeleton label="the shares" shape="rows" rows={4} />
      )}
    </Panel>
  );
}
