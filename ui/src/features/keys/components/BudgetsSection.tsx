import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { budgetsQueryOptions } from "@/api/queries";
import type { ApiKey, Budget } from "@/bindings";
import { BudgetBar } from "@/components/BudgetBar";
import { ErrorState } from "@/components/ErrorState";
import { FactSection } from "@/components/Facts";
import { Money } from "@/components/Money";
import { Skeleton } from "@/components/Skeletons";
import { barOf, limitWords, periodWords, purseWords } from "@/lib/budget";
import { bindingBudgets } from "../model";
import classes from "./BudgetsSection.module.css";

/** The budgets that bind a key: its own first, then the wider ones in which its requests count as well. */
export function BudgetsSection({ apiKey }: { apiKey: ApiKey }) {
  const query = useQuery(budgetsQueryOptions());
  const binding = query.data && bindingBudgets(apiKey, query.data.budgets);
  return (
    <FactSection
      title="Budgets that bind it"
      aside={
        apiKey.state === "active" && binding?.own.length === 0 ? (
          <Link
            to="/budgets"
            search={{ create: true, for_key: apiKey.id }}
            data-testid="key-add-budget"
          >
            Give it a budget
          </Link>
        ) : null
      }
    >
      {binding ? (
        <div className={classes.groups} data-testid="key-budgets">
          {binding.own.length === 0 ? (
            <p className="muted">It has no budget of its own.</p>
          ) : (
            <Group title="Its own" budgets={binding.own} />
          )}
          <Group title="Of every request" budgets={binding.all} />
          <Group title="Of some of its requests" budgets={binding.some} />
          <p className={classes.note}>
            Budgets of a user or a label count as well where a request names them.
          </p>
        </div>
      ) : query.error ? (
        <ErrorState
          title="The budgets could not be read"
          error={query.error}
          onRetry={() => void query.refetch()}
          compact
        />
      ) : (
        <Skeleton label="the budgets" shape="text" rows={3} />
      )}
    </FactSection>
  );
}

function Group({ title, budgets }: { title: string; budgets: readonly Budget[] }) {
  if (budgets.length === 0) return null;
  return (
    <section aria-label={title}>
      <h4 className={classes.title}>{title}</h4>
      <ul className={classes.list}>
        {budgets.map((budget) => (
          <Line key={budget.id} budget={budget} />
        ))}
      </ul>
    </section>
  );
}

function Line({ budget }: { budget: Budget }) {
  const { limits, period, purse } = budget;
  return (
    <li>
      <span className={classes.head}>
        <Link to="/budgets" search={{ budget: budget.id }} className="ellipsis">
          {budget.name}
        </Link>
        <span className={classes.left}>
          {purse && limits.cost ? (
            <>
              <Money value={purse.left} format="total" /> left of{" "}
            </>
          ) : null}
          {limitWords(limits)} {periodWords(period)}
          {purse ? null : ` for ${budget.scope_words}`}
        </span>
      </span>
      {purse ? (
        <BudgetBar {...barOf(purse, limits.cost)} size="s" label={purseWords(budget, purse)} />
      ) : null}
    </li>
  );
}
