import { Link } from "@tanstack/react-router";
import type { BudgetGlance } from "@/bindings";
import { BudgetBar } from "@/components/BudgetBar";
import { Money } from "@/components/Money";
import { barShares } from "@/lib/budget";
import classes from "../OverviewPage.module.css";

const PER = { day: "today", week: "this week", month: "this month", total: "in total" } as const;

/** What is left of the budget to keep an eye on, and where it leads at this pace. */
export function BudgetLine({ budget }: { budget: BudgetGlance }) {
  const bar = barShares(budget);
  return (
    <Link
      to="/budgets"
      search={{ budget: budget.id }}
      className={classes.budget}
      data-testid="figure-budget"
    >
      <BudgetBar {...bar} size="s" />
      <span>
        <Money value={bar.left} format="total" /> left of{" "}
        <Money value={budget.limit} format="total" /> {PER[budget.period]}
        {budget.expected === null ? null : (
          <>
            , <Money value={budget.expected} format="total" /> expected
          </>
        )}
      </span>
    </Link>
  );
}
