import { IconActivityHeartbeat } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { SpendAnomaly } from "@/bindings";
import classes from "../budgets.module.css";

const DAY_MS = 86_400_000;

/** What is far above the usual today, each with the requests behind it. */
export function AnomalyNotes({ anomalies }: { anomalies: readonly SpendAnomaly[] }) {
  if (anomalies.length === 0) return null;
  return (
    <ul className={classes.anomalies} data-testid="budget-anomalies">
      {anomalies.map((anomaly) => (
        <li key={`${anomaly.measure} ${anomaly.operation ?? ""} ${anomaly.user ?? ""}`}>
          <IconActivityHeartbeat size={16} aria-hidden />
          <span>{anomaly.sentence}</span>
          <Link
            to="/logs"
            search={{
              range: "custom",
              from: anomaly.since,
              to: new Date(Date.parse(anomaly.since) + DAY_MS).toISOString(),
              ...(anomaly.operation === null ? {} : { operation: anomaly.operation }),
              ...(anomaly.user === null ? {} : { user: anomaly.user }),
            }}
          >
            The requests behind it
          </Link>
        </li>
      ))}
    </ul>
  );
}
