import { IconAlertTriangle } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { BudgetEffect } from "@/bindings";
import { BudgetBar } from "@/components/BudgetBar";
import { FactSection } from "@/components/Facts";
import { Money } from "@/components/Money";
import { formatCount } from "@/lib/numbers";
import { effectShares } from "../model";
import classes from "./approvals.module.css";

type Props = {
  effects: readonly BudgetEffect[];
  /** Whether it shall run on another target, of which this says nothing. */
  elsewhere: boolean;
};

/** A mark where the limit is, once the bar is longer than it. */
const AT_LIMIT: readonly number[] = [100];

/** What the request would do to each budget that pays for it, if it came to the most it can. */
export function BudgetEffects({ effects, elsewhere }: Props) {
  if (effects.length === 0) return null;
  return (
    <FactSection title="Budgets that pay for it">
      <ul className={classes.effects} data-testid="approval-budgets">
        {effects.map((effect) => (
          <Effect key={`${effect.budget_id} ${effect.measure}`} effect={effect} />
        ))}
      </ul>
      <p className="muted caption">
        As they stand now, with the most it may cost
        {elsewhere ? " on the target it asked for" : ""}.
      </p>
    </FactSection>
  );
}

function Effect({ effect }: { effect: BudgetEffect }) {
  const { name, member, measure, before, after, limit, passes } = effect;
  const { now, next, limitAt, label } = effectShares(effect);
  return (
    <li>
      <span className={classes.effectName}>
        <Link to="/budgets" search={{ budget: effect.budget_id }}>
          {name}
        </Link>
        {member === "" ? null : <span className="muted"> of {member}</span>}
      </span>
      <BudgetBar
        settled={now}
        used={next}
        limit={limitAt}
        {...(passes ? { thresholds: AT_LIMIT } : {})}
        tone={passes ? "over" : "calm"}
        label={label}
      />
      <span className={classes.effectAmounts}>
        <span>
          <Amount measure={measure} value={before} /> →{" "}
          {after === null ? "not known" : <Amount measure={measure} value={after} />}
          <span className="muted">
            {" "}
            of <Amount measure={measure} value={limit} />
            {measure === "cost" ? "" : ` ${measure}`}
          </span>
        </span>
        {passes ? (
          <span className={classes.passes}>
            <IconAlertTriangle size={14} aria-hidden /> passes the limit
          </span>
        ) : null}
      </span>
    </li>
  );
}

function Amount({ measure, value }: { measure: string; value: string }) {
  return measure === "cost" ? <Money value={value} /> : formatCount(value);
}
