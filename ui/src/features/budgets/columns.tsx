import { ActionIcon } from "@mantine/core";
import {
  IconChevronDown,
  IconChevronRight,
  IconPlayerPause,
  IconTargetArrow,
} from "@tabler/icons-react";
import type { Column } from "@/components/DataTable";
import { BudgetBar } from "@/components/BudgetBar";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import { barOf, forecastWords, limitWords, periodWords, purseWords } from "@/lib/budget";
import { formatCount, formatPercent, plural } from "@/lib/numbers";
import classes from "./budgets.module.css";
import { type BudgetRow, willBePassed } from "./model";

/** Below this the table scrolls sideways in its own frame. */
export const BUDGET_MIN_WIDTH = 800;
/** A bar and the plain line under it. */
export const BUDGET_ROW_PX = 72;

type Options = { onFold: (row: BudgetRow) => void };

export function budgetColumns({ onFold }: Options): readonly Column<BudgetRow>[] {
  return [
    {
      id: "name",
      header: "Budget",
      width: "minmax(236px, 1fr)",
      cell: (row) => <Name row={row} onFold={onFold} />,
    },
    {
      id: "bar",
      header: "Settled, reserved, left",
      width: "minmax(236px, 1.5fr)",
      hint: "Solid is settled, hatched is reserved by requests that run; the tick is the forecast, the marks are thresholds",
      cell: (row) => <Standing row={row} />,
    },
    {
      id: "left",
      header: "Left",
      width: "104px",
      align: "end",
      cell: (row) => <Left row={row} />,
    },
    {
      id: "forecast",
      header: "At the end",
      width: "112px",
      align: "end",
      hint: "What will have been spent when the period ends, if it goes on like this",
      cell: (row) => <Expected row={row} />,
    },
    {
      id: "resets",
      header: "Resets",
      width: "96px",
      align: "end",
      cell: (row) => <Resets row={row} />,
    },
  ];
}

function Name({ row, onFold }: { row: BudgetRow; onFold: (row: BudgetRow) => void }) {
  const { budget, member, folded, purse } = row;
  return (
    <div className={classes.name} style={{ paddingLeft: row.depth * 16 }}>
      {folded === undefined ? (
        <span className={classes.stem} aria-hidden />
      ) : (
        <ActionIcon
          size={24}
          aria-label={`${folded ? "Show" : "Hide"} the ${budget.members} of ${budget.name}`}
          aria-expanded={!folded}
          onClick={(event) => {
            event.stopPropagation();
            onFold(row);
          }}
          data-testid="budget-fold"
        >
          {folded ? (
            <IconChevronRight size={14} aria-hidden />
          ) : (
            <IconChevronDown size={14} aria-hidden />
          )}
        </ActionIcon>
      )}
      <div className={classes.names}>
        <span className={classes.title}>
          <span className="ellipsis" title={member ?? budget.name}>
            {member ?? budget.name}
          </span>
          {!budget.enabled && member === undefined ? (
            <StatusBadge tone="neutral" icon={IconPlayerPause}>
              Off
            </StatusBadge>
          ) : null}
          {purse?.binding ? (
            <StatusBadge
              tone="info"
              icon={IconTargetArrow}
              title="Of all budgets that stop spending this one has the least left: it refuses first."
            >
              Binds first
            </StatusBadge>
          ) : null}
        </span>
        <span className={classes.caption}>
          {member === undefined
            ? `${budget.scope_words} · ${besideLeft(row)}${periodWords(budget.period)}`
            : purse?.bound_by
              ? `${purse.bound_by} has less left and refuses first`
              : `${besideLeft(row)}${periodWords(budget.period)}`}
        </span>
      </div>
    </div>
  );
}

/** The limits that do not stand in the column of what is left. */
function besideLeft({ budget: { limits }, purse }: BudgetRow): string {
  const words = limitWords(purse ? { ...limits, cost: null } : limits);
  return words === "" ? "" : `${words} `;
}

function Standing({ row }: { row: BudgetRow }) {
  const { budget, purse } = row;
  return (
    <div className={classes.standing}>
      {purse ? (
        <BudgetBar
          {...barOf(purse, budget.limits.cost)}
          thresholds={budget.thresholds.map(({ percent }) => percent)}
          label={purseWords(budget, purse)}
        />
      ) : (
        <span className={classes.each}>
          {plural(budget.members, budget.scope.kind === "each_user" ? "user" : "operation")} in this
          period
          {budget.members === 0
            ? ""
            : `, the fullest at ${formatPercent(budget.used_permille / 1000)}`}
        </span>
      )}
      <span className={`${classes.caption} ${classes.promise}`} title={budget.promise}>
        {row.member === undefined ? budget.promise : usedWords(row)}
      </span>
    </div>
  );
}

function usedWords({ purse }: BudgetRow): string {
  return purse ? `${formatPercent(purse.used_permille / 1000)} used or held` : "";
}

function Left({ row }: { row: BudgetRow }) {
  const { budget, purse } = row;
  if (!purse) return <span className="muted">–</span>;
  if (budget.limits.cost)
    return (
      <span className={classes.figures}>
        <strong>
          <Money value={purse.left} format="total" />
        </strong>
        <span className="muted">
          of <Money value={budget.limits.cost} format="total" />
        </span>
      </span>
    );
  const [used, limit, what] = budget.limits.tokens
    ? [purse.tokens, budget.limits.tokens, "tokens"]
    : [purse.requests, budget.limits.requests ?? "0", "requests"];
  return (
    <span className={classes.figures}>
      <strong className="tabular">{formatCount(leftOf(limit, used))}</strong>
      <span className="muted">
        of {formatCount(limit)} {what}
      </span>
    </span>
  );
}

function leftOf(limit: string, used: string): string {
  const left = BigInt(limit) - BigInt(used);
  return (left > 0n ? left : 0n).toString();
}

function Expected({ row: { budget, purse } }: { row: BudgetRow }) {
  if (!purse?.forecast) return <span className="muted">–</span>;
  const { expected, low, high } = purse.forecast;
  return (
    <span className={classes.figures} title={forecastWords(purse.forecast)}>
      <strong data-over={willBePassed(purse, budget.limits.cost)}>
        <Money value={expected} format="total" />
      </strong>
      <span className="muted">
        <Money value={low} format="total" />–<Money value={high} format="total" />
      </span>
    </span>
  );
}

function Resets({ row: { budget, purse } }: { row: BudgetRow }) {
  if (!purse || purse.to === null)
    return <span className="muted">{budget.period === "total" ? "never" : "–"}</span>;
  return <RelativeTime value={purse.to} />;
}
