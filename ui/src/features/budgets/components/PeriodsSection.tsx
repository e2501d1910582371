import { useMemo } from "react";
import type { Budget, BudgetPeriodRow } from "@/bindings";
import { BudgetBar } from "@/components/BudgetBar";
import { FactSection } from "@/components/Facts";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { prepareSeries } from "@/charts/prepareSeries";
import { StackedChart } from "@/charts/StackedChart";
import { formatMoneyExact } from "@/lib/money";
import { formatCount, formatPercent } from "@/lib/numbers";
import classes from "../budgets.module.css";
import { periodsWords } from "../words";

const CHART_PX = 140;

type Props = {
  budget: Budget;
  periods: readonly BudgetPeriodRow[];
  /** Whether they are drawn as well, because nothing else tells the history of this budget. */
  charted: boolean;
};

/** How earlier periods ended, newest first. */
export function PeriodsSection({ budget, periods, charted }: Props) {
  return (
    <FactSection title="Periods">
      {charted && periods.length > 1 ? <PeriodsChart budget={budget} periods={periods} /> : null}
      {periods.length === 0 ? (
        <p className={classes.lead}>Nothing was counted yet.</p>
      ) : (
        <div className={classes.scroll}>
          <table className={classes.table} data-testid="budget-periods">
            <thead>
              <tr>
                <th>From</th>
                <th className={classes.end}>Settled</th>
                <th className={classes.end}>Requests</th>
                <th className={classes.share}>Of the limit</th>
              </tr>
            </thead>
            <tbody>
              {periods.map((period) => (
                <tr key={`${period.from} ${period.member}`}>
                  <td>
                    {budget.period === "total" ? (
                      "the beginning"
                    ) : (
                      <RelativeTime value={period.from} format="date" />
                    )}
                  </td>
                  <td className={classes.end}>
                    <Money value={period.settled} format="total" />
                  </td>
                  <td className={classes.end}>{formatCount(period.requests)}</td>
                  <td className={classes.share}>
                    <BudgetBar
                      settled={Math.min(period.used_permille / 1000, 1)}
                      used={Math.min(period.used_permille / 1000, 1)}
                      tone={period.used_permille >= 1000 ? "over" : "calm"}
                      size="s"
                      label={`${formatMoneyExact(period.settled)}, ${formatPercent(period.used_permille / 1000)} of the limit of today`}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </FactSection>
  );
}

/** What each period came to, oldest first. */
function PeriodsChart({ budget, periods }: Pick<Props, "budget" | "periods">) {
  const { chart, buckets } = useMemo(() => {
    const oldest = periods.toReversed();
    const source = {
      buckets: oldest.map(({ from }) => from),
      groups: [
        {
          key: budget.name,
          spend: oldest.map(({ settled }) => settled),
          requests: oldest.map(() => 0),
        },
      ],
    };
    return { chart: prepareSeries(source, "spend"), buckets: source.buckets };
  }, [budget.name, periods]);
  return (
    <>
      <StackedChart chart={chart} metric="spend" bucket="day" buckets={buckets} height={CHART_PX} />
      <p className={classes.under}>{periodsWords(budget)}</p>
    </>
  );
}
