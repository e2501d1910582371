import type { Budget, BudgetPeriodRow } from "@/bindings";
import { BudgetBar } from "@/components/BudgetBar";
import { FactSection } from "@/components/Facts";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { formatMoneyExact } from "@/lib/money";
import { formatCount, formatPercent } from "@/lib/numbers";
import classes from "../budgets.module.css";

/** How earlier periods ended, newest first. */
export function PeriodsSection({
  budget,
  periods,
}: {
  budget: Budget;
  periods: readonly BudgetPeriodRow[];
}) {
  return (
    <FactSection title="Periods">
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
                      <RelativeTime value={period.from} format="clock" />
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
