import { Link } from "@tanstack/react-router";
import type { BudgetGlance, Overview } from "@/bindings";
import { Duration } from "@/components/Duration";
import { FigureCard } from "@/components/FigureCard";
import { Money } from "@/components/Money";
import { formatCompact, formatCount, formatPercent, plural } from "@/lib/numbers";
import type { RangeSearch } from "@/lib/timeRange";
import { countComparison, spendComparison } from "../comparison";
import classes from "../OverviewPage.module.css";
import { BudgetLine } from "./BudgetLine";

type Props = { overview: Overview; range: RangeSearch; budget: BudgetGlance | null };

/** The figures a person looks for first. */
export function FigureRow({ overview, range, budget }: Props) {
  const { figures, previous } = overview;
  const notSucceeded = figures.failed + figures.cancelled;
  return (
    <div className={classes.figures}>
      <FigureCard
        label="Spend"
        value={<Money value={figures.spend} format="total" />}
        note={spendComparison(figures.spend, previous.spend)}
        data-testid="figure-spend"
      >
        {budget ? <BudgetLine budget={budget} /> : null}
      </FigureCard>
      <FigureCard
        label="Requests"
        value={formatCount(figures.requests)}
        note={countComparison(figures.requests, previous.requests)}
        data-testid="figure-requests"
      />
      <FigureCard
        label="Success"
        value={figures.requests === 0 ? "–" : formatPercent(figures.succeeded / figures.requests)}
        note={
          notSucceeded === 0 ? (
            "none failed"
          ) : (
            <Link
              to="/logs"
              search={{ ...range, status: "failed" }}
              title={`${plural(figures.failed, "failure")}, ${formatCount(figures.cancelled)} cancelled`}
            >
              {formatCount(figures.failed)} failed
            </Link>
          )
        }
        data-testid="figure-success"
      />
      <FigureCard
        label="Latency p95"
        value={<Duration ms={figures.latency_ms_p95} />}
        note={<Median ms={figures.latency_ms_p50} />}
        data-testid="figure-latency"
      />
      <FigureCard
        label="First token p95"
        value={<Duration ms={figures.first_token_ms_p95} />}
        note={<Median ms={figures.first_token_ms_p50} />}
        data-testid="figure-first-token"
      />
      <FigureCard
        label="Tokens in"
        value={
          <span title={formatCount(figures.tokens_in)}>{formatCompact(figures.tokens_in)}</span>
        }
        note={
          <span title={formatCount(figures.tokens_out)}>
            {formatCompact(figures.tokens_out)} out
          </span>
        }
        data-testid="figure-tokens"
      />
    </div>
  );
}

function Median({ ms }: { ms: number | null }) {
  if (ms === null) return "no answers yet";
  return (
    <>
      half within <Duration ms={ms} />
    </>
  );
}
