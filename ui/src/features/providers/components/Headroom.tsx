import { IconAlertTriangle } from "@tabler/icons-react";
import type { RateHeadroom } from "@/bindings";
import { RelativeTime } from "@/components/RelativeTime";
import { HEADROOM_LOW, headroomParts } from "../health";
import classes from "./health.module.css";

/** What the provider last said is left of its limits, and when they start anew. */
export function Headroom({ headroom }: { headroom: RateHeadroom }) {
  const parts = headroomParts(headroom);
  if (parts.length === 0) return <span className="muted">not told by the provider</span>;
  return (
    <span className={classes.headroom}>
      {parts.map(({ words, share }) => (
        <span
          key={words}
          className={classes.room}
          data-low={share !== undefined && share < HEADROOM_LOW}
        >
          {share === undefined ? null : (
            <span className={classes.gauge} aria-hidden>
              <span style={{ width: `${share * 100}%` }} />
            </span>
          )}
          {words} left
          {share !== undefined && share < HEADROOM_LOW ? (
            <IconAlertTriangle size={12} role="img" aria-label="almost used up" />
          ) : null}
        </span>
      ))}
      {headroom.resets_at === null ? null : (
        <span className="muted">
          resets at <RelativeTime value={headroom.resets_at} format="clock" />
        </span>
      )}
    </span>
  );
}
