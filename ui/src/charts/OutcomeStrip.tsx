import type { HealthMinute } from "@/bindings";
import { formatCount, plural } from "@/lib/numbers";
import { usePreferences } from "@/lib/preferences";
import { formatBucket } from "@/lib/time";
import classes from "./OutcomeStrip.module.css";
import { prepareStrip } from "./prepareStrip";

type Props = {
  /** What the calls went to, e.g. "deepseek". */
  label: string;
  /** Oldest first. */
  minutes: readonly HealthMinute[];
  /** Lower, and without its caption, for a line of a list. */
  small?: boolean;
};

/** The calls of the last hour, minute by minute: what failed hangs from the top and is ticked below. */
export function OutcomeStrip({ label, minutes, small = false }: Props) {
  const { zone } = usePreferences();
  const strip = prepareStrip(minutes);
  const clock = (at: string) => formatBucket(at, "minute", zone);
  const summary = `${label}, last ${plural(minutes.length, "minute")}: ${formatCount(strip.succeeded)} answered, ${formatCount(strip.failed)} failed`;
  const used = strip.bars.filter((bar) => bar.failedShare !== undefined);
  return (
    <div className={classes.strip} data-small={small}>
      <div className={classes.bars} role="img" aria-label={summary}>
        {strip.bars.map((bar) => (
          <span
            key={bar.at}
            className={classes.bar}
            data-empty={bar.failedShare === undefined}
            data-failed={bar.failed > 0}
            title={
              bar.failedShare === undefined
                ? `${clock(bar.at)}  no calls`
                : `${clock(bar.at)}  ${formatCount(bar.succeeded)} answered, ${formatCount(bar.failed)} failed`
            }
          >
            {bar.failed > 0 ? (
              <span
                className={classes.bad}
                // A failure among a thousand calls is still to be seen.
                style={{ height: `${Math.max((bar.failedShare ?? 0) * 100, 14)}%` }}
              />
            ) : null}
          </span>
        ))}
      </div>
      {small ? null : (
        <div className={classes.caption} aria-hidden>
          <span>{minutes[0] ? clock(minutes[0].at) : ""}</span>
          <span>
            {formatCount(strip.succeeded + strip.failed)} calls, {formatCount(strip.failed)} failed
          </span>
          <span>now</span>
        </div>
      )}
      {used.length === 0 ? null : (
        <table className="visually-hidden">
          <caption>{summary}</caption>
          <thead>
            <tr>
              <th scope="col">Minute</th>
              <th scope="col">Answered</th>
              <th scope="col">Failed</th>
            </tr>
          </thead>
          <tbody>
            {used.map((bar) => (
              <tr key={bar.at}>
                <td>{clock(bar.at)}</td>
                <td>{bar.succeeded}</td>
                <td>{bar.failed}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
