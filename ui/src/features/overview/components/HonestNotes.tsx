import { IconAlertTriangle, IconCalculator, IconFlask } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { Figures } from "@/bindings";
import { plural } from "@/lib/numbers";
import type { RangeSearch } from "@/lib/timeRange";
import classes from "../OverviewPage.module.css";

type Props = { figures: Figures; range: RangeSearch };

/** What the spend does not, or not surely, contain; each opens its requests. Nothing when all is exact. */
export function HonestNotes({ figures, range }: Props) {
  if (figures.simulated + figures.unpriced + figures.estimated === 0) return null;
  return (
    <div className={classes.notes}>
      {figures.unpriced > 0 ? (
        <Link
          className={classes.note}
          to="/logs"
          search={{ ...range, cost_status: "unpriced" }}
          data-testid="note-unpriced"
        >
          <IconAlertTriangle size={14} aria-hidden color="var(--warn)" />
          {plural(figures.unpriced, "request")} without a price, not in the spend
        </Link>
      ) : null}
      {figures.estimated > 0 ? (
        <Link
          className={classes.note}
          to="/logs"
          search={{ ...range, cost_status: "estimated" }}
          data-testid="note-estimated"
        >
          <IconCalculator size={14} aria-hidden color="var(--info)" />
          {plural(figures.estimated, "request")} with estimated usage
        </Link>
      ) : null}
      {figures.simulated > 0 ? (
        <Link
          className={classes.note}
          to="/logs"
          search={{ ...range, simulated: true }}
          data-testid="note-simulated"
        >
          <IconFlask size={14} aria-hidden color="var(--info)" />
          {plural(figures.simulated, "request")} answered by the simulator, at no cost
        </Link>
      ) : null}
    </div>
  );
}
