import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { setBudgetMutationOptions } from "@/api/mutations";
import { budgetsQueryOptions } from "@/api/queries";
import type { Budget, BudgetDraft } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { Skeleton } from "@/components/Skeletons";
import { formatMoneyTotal, parseUsd } from "@/lib/money";
import classes from "../FirstRunPage.module.css";

/** What a person who only tries things out will not miss. */
const SUGGESTED_USD = "5";

/** How much may go out in a day: held before each request, so that it cannot be passed by accident. */
export function ProtectStep({ onDone }: { onDone: () => void }) {
  const query = useQuery(budgetsQueryOptions());
  if (query.error && !query.data)
    return (
      <ErrorState
        title="The budgets could not be read"
        error={query.error}
        onRetry={() => void query.refetch()}
        compact
      />
    );
  if (!query.data) return <Skeleton label="the budgets" shape="text" rows={3} />;
  const daily = query.data.budgets.find(
    ({ scope, period }) => scope.kind === "global" && period === "day",
  );
  return <DailyLimit key={daily?.version ?? 0} budget={daily} onDone={onDone} />;
}

function DailyLimit({ budget, onDone }: { budget: Budget | undefined; onDone: () => void }) {
  const [usd, setUsd] = useState(SUGGESTED_USD);
  const set = useMutation(setBudgetMutationOptions());
  const cost = parseUsd(usd);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!cost || set.isPending) return;
    set.mutate(dailyDraft(budget, cost), { onSuccess: onDone });
  };
  return (
    <>
      <p className="muted" data-testid="first-run-budget">
        {budget?.limits.cost
          ? `All requests together may cost ${formatMoneyTotal(budget.limits.cost)} a day. ${budget.promise}`
          : "Nothing limits what is spent yet."}
      </p>
      <form className={classes.form} onSubmit={submit}>
        <TextInput
          label="At most a day, in US dollars"
          description="What a request may cost is held before it is sent; what would not fit is refused."
          value={usd}
          onChange={(event) => setUsd(event.currentTarget.value)}
          inputMode="decimal"
          autoComplete="off"
          leftSection="$"
          error={cost === undefined ? "An amount such as 5 or 0.50." : set.error?.message}
          style={{ flex: "1 1 220px" }}
          data-testid="first-run-limit"
        />
        <Button
          type="submit"
          loading={set.isPending}
          disabled={!cost || cost === "0"}
          data-testid="first-run-protect-set"
        >
          {cost ? `Limit to ${formatMoneyTotal(cost)} a day` : "Limit"}
        </Button>
      </form>
      <div className={classes.row}>
        <Button variant="subtle" onClick={onDone} data-testid="first-run-protect-next">
          {budget?.limits.cost
            ? `Keep ${formatMoneyTotal(budget.limits.cost)} a day`
            : "Skip for now"}
        </Button>
        <Button variant="subtle" renderRoot={(props) => <Link {...props} to="/budgets" />}>
          All budgets
        </Button>
      </div>
    </>
  );
}

/** The daily budget of everything with another limit, or a new one. */
function dailyDraft(budget: Budget | undefined, cost: string): BudgetDraft {
  return {
    id: budget?.id ?? null,
    base_version: budget?.version ?? null,
    name: budget?.name ?? "Everything",
    scope: { kind: "global", value: null },
    period: "day",
    zone: budget?.zone ?? null,
    limits: { tokens: null, requests: null, ...budget?.limits, cost },
    thresholds: budget?.thresholds ?? [
      { percent: 50, severity: "warning" },
      { percent: 80, severity: "warning" },
      { percent: 100, severity: "critical" },
    ],
    action: budget?.action ?? "block",
    overrun_percent: budget?.overrun_percent ?? 5,
    enabled: true,
    reason: null,
  };
}
