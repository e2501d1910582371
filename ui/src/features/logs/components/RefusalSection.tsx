import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { BudgetRefusal } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { Fact, Facts } from "@/components/Facts";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { Skeleton } from "@/components/Skeletons";
import { formatCount } from "@/lib/numbers";
import { budgetRefusalQueryOptions } from "../queries";
import classes from "./RequestSheet.module.css";

/** "Why was I refused?": which budget, what was left, what was needed, and who held the rest. */
export function RefusalSection({ id }: { id: string }) {
  const query = useQuery(budgetRefusalQueryOptions(id));
  return (
    <section className={classes.section} data-testid="refusal">
      <h3>Why was it refused?</h3>
      {query.data ? (
        <Refusal refusal={query.data} />
      ) : query.error ? (
        <ErrorState
          title="The budget's answer could not be read"
          error={query.error}
          onRetry={() => void query.refetch()}
          compact
        />
      ) : query.isPending ? (
        <Skeleton label="the budget's answer" shape="text" rows={4} />
      ) : (
        <p className="muted">What the budget had left at that moment was not kept.</p>
      )}
    </section>
  );
}

function Refusal({ refusal }: { refusal: BudgetRefusal }) {
  const { measure, member, holders } = refusal;
  const name = member === "" ? refusal.budget_name : `${refusal.budget_name} (${member})`;
  return (
    <Facts>
      <Fact name="Budget">
        {refusal.budget_id === null ? (
          <>
            {name} <span className="muted">(removed since)</span>
          </>
        ) : (
          <Link
            to="/budgets"
            search={{
              budget: refusal.budget_id,
              ...(member === "" ? {} : { member }),
            }}
            data-testid="refusal-budget"
          >
            {name}
          </Link>
        )}
      </Fact>
      <Fact name="Limit">
        <Amount value={refusal.limit} measure={measure} />
      </Fact>
      <Fact name="Left then">
        <Amount value={refusal.left} measure={measure} />
      </Fact>
      <Fact name="Needed">
        <Amount value={refusal.needed} measure={measure} />
      </Fact>
      <Fact name="Resets">
        <RelativeTime value={refusal.resets_at} format="clock" absent="never" />
      </Fact>
      <Fact name="Held by">
        {holders.length === 0
          ? "nobody: it was spent"
          : holders.map((holder) => (
              <div key={holder.request_id}>
                <Link to="/logs" search={{ request: holder.request_id }}>
                  {holder.operation}
                </Link>{" "}
                <Money value={holder.amount} />{" "}
                <span className="muted">
                  {holder.user === null ? "" : `${holder.user}, `}since{" "}
                  <RelativeTime value={holder.since} format="clock" />
                </span>
              </div>
            ))}
      </Fact>
    </Facts>
  );
}

/** An amount of what there was not enough of. */
function Amount({ value, measure }: { value: string; measure: string }) {
  if (measure === "cost") return <Money value={value} />;
  return (
    <span className="tabular">
      {formatCount(value)} {measure}
    </span>
  );
}
