import { Link } from "@tanstack/react-router";
import type { BudgetHold } from "@/bindings";
import { Duration } from "@/components/Duration";
import { FactSection } from "@/components/Facts";
import { Money } from "@/components/Money";
import { useNow } from "@/lib/clock";
import { plural } from "@/lib/numbers";
import classes from "../budgets.module.css";

/** What requests that run hold at this moment, the largest first. */
export function HoldsSection({ holds }: { holds: readonly BudgetHold[] }) {
  return (
    <FactSection
      title="Open reservations"
      aside={<span className="muted">{plural(holds.length, "request")}</span>}
    >
      {holds.length === 0 ? (
        <p className={classes.lead}>
          Nothing is held. A request holds what it may cost while it runs.
        </p>
      ) : (
        <>
          <HoldTable holds={holds} />
          <p className={classes.under}>
            Each is let go by itself when its request ends or runs out of time. What a crash left
            behind is settled at the next start, marked as interrupted, and can be corrected below.
          </p>
        </>
      )}
    </FactSection>
  );
}

export function HoldTable({ holds }: { holds: readonly BudgetHold[] }) {
  const now = useNow();
  return (
    <div className={classes.scroll}>
      <table className={classes.table} data-testid="budget-holds">
        <thead>
          <tr>
            <th>Request</th>
            <th>User</th>
            <th className={classes.end}>Holds</th>
            <th className={classes.end}>For</th>
          </tr>
        </thead>
        <tbody>
          {holds.map((hold) => (
            <tr key={hold.request_id}>
              <td>
                <Link to="/logs" search={{ request: hold.request_id }} title={hold.request_id}>
                  {hold.operation}
                </Link>
              </td>
              <td className="muted">{hold.user ?? "–"}</td>
              <td className={classes.end}>
                <Money value={hold.amount} />
              </td>
              <td className={classes.end}>
                <Duration ms={Math.max(now - Date.parse(hold.since), 0)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
