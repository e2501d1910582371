import { useNow } from "@/lib/clock";
import type { ApprovalRow } from "@/bindings";
import { expiresSoon, leftShare, spanWords } from "../model";
import classes from "./approvals.module.css";

const RADIUS = 6;
const LENGTH = 2 * Math.PI * RADIUS;

/** How long an approval still waits: a ring that empties, and the words for it. */
export function ExpiryRing({ row }: { row: ApprovalRow }) {
  const now = useNow();
  const left = Date.parse(row.expires_at) - now;
  const words = left <= 0 ? "expired" : `${spanWords(left)} left`;
  return (
    <span
      className={classes.expiry}
      data-soon={expiresSoon(row, now)}
      title={`Until ${row.expires_at}`}
    >
      <svg width={16} height={16} viewBox="0 0 16 16" aria-hidden>
        <circle cx={8} cy={8} r={RADIUS} className={classes.ringTrack} />
        <circle
          cx={8}
          cy={8}
          r={RADIUS}
          className={classes.ring}
          strokeDasharray={`${leftShare(row, now) * LENGTH} ${LENGTH}`}
          transform="rotate(-90 8 8)"
        />
      </svg>
      {words}
    </span>
  );
}
