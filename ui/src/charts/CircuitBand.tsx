import type { CircuitEvent } from "@/bindings";
import { circuitWord } from "@/lib/circuits";
import { formatDuration } from "@/lib/duration";
import { usePreferences } from "@/lib/preferences";
import { formatClock } from "@/lib/time";
import classes from "./CircuitBand.module.css";
import { prepareCircuit } from "./prepareCircuit";

type Props = {
  /** Whose circuit, e.g. "openai/gpt-5.2". */
  label: string;
  events: readonly CircuitEvent[];
  fromMs: number;
  toMs: number;
  /** In words at the right end; absent: the clock time. */
  endLabel?: string;
};

/** How a circuit stood over a time, as one band: each state has its own pattern and its word. */
export function CircuitBand({ label, events, fromMs, toMs, endLabel }: Props) {
  const { zone } = usePreferences();
  const segments = prepareCircuit(events, fromMs, toMs);
  const clock = (ms: number) => formatClock(new Date(ms).toISOString(), toMs, zone);
  const words = segments.map(
    ({ state, fromMs: from, toMs: to }) =>
      `${circuitWord(state).toLowerCase()} for ${formatDuration(to - from)}`,
  );
  return (
    <div>
      <div className={classes.band} role="img" aria-label={`${label}: ${words.join(", then ")}`}>
        {segments.map((segment) => (
          <span
            key={segment.fromMs}
            className={classes.segment}
            data-state={segment.state}
            style={{ flexGrow: Math.max(segment.share, 0.004) }}
            title={`${circuitWord(segment.state)} from ${clock(segment.fromMs)} to ${clock(segment.toMs)} (${formatDuration(segment.toMs - segment.fromMs)})`}
          >
            <span className={classes.word}>{circuitWord(segment.state)}</span>
          </span>
        ))}
      </div>
      <div className={classes.axis} aria-hidden>
        <span>{clock(fromMs)}</span>
        <span>{endLabel ?? clock(toMs)}</span>
      </div>
    </div>
  );
}
