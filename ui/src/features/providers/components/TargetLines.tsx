import type { TargetHealth } from "@/bindings";
import { Duration } from "@/components/Duration";
import { HealthBadge } from "@/components/HealthBadge";
import { RelativeTime } from "@/components/RelativeTime";
import { formatCount, formatPercent } from "@/lib/numbers";
import classes from "./health.module.css";

type Props = {
  label: string;
  targets: readonly TargetHealth[];
  /** How many are shown at most; the others are counted. */
  most?: number;
  /** The one whose detail is open. */
  openModel?: string | undefined;
  onOpen: (model: string) => void;
};

/** Targets, best first: state, success, median, calls in use, and until when a state lasts. */
export function TargetLines({ label, targets, most = Infinity, openModel, onOpen }: Props) {
  const shown = targets.slice(0, most);
  const rest = targets.length - shown.length;
  return (
    <div className={classes.targetsFrame}>
      <table className={classes.targets} aria-label={label}>
        <thead>
          <tr>
            <th scope="col">Target</th>
            <th scope="col">State</th>
            <th scope="col" className={classes.end}>
              Success
            </th>
            <th scope="col" className={classes.end}>
              p50
            </th>
            <th scope="col" className={classes.end} title="Calls under way now">
              In use
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((target) => (
            <tr key={target.model} data-open={target.model === openModel}>
              <td>
                <span className={classes.rank} title="Its place among all targets called lately">
                  {target.rank ?? "–"}
                </span>
                <button
                  type="button"
                  className={classes.targetName}
                  onClick={() => onOpen(target.model)}
                  title={`${target.provider}/${target.model}: ${target.text}`}
                  data-testid={`target-${target.provider}/${target.model}`}
                >
                  {target.model}
                </button>
              </td>
              <td>
                <HealthBadge state={target.state} title={target.text} />
                {target.until === null ? null : (
                  <span className={classes.until}>
                    until <RelativeTime value={target.until} format="clock" />
                  </span>
                )}
              </td>
              <td className={classes.end}>
                <Success rate={target.window.success_rate} />
              </td>
              <td className={classes.end}>
                <Duration ms={target.window.latency_ms_p50} />
              </td>
              <td className={classes.end}>{formatCount(target.in_use)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rest > 0 ? <p className={classes.rest}>and {formatCount(rest)} more</p> : null}
    </div>
  );
}

export function Success({ rate }: { rate: number | null }) {
  if (rate === null) return <span className="muted">–</span>;
  return (
    <span className="tabular" data-bad={rate < 0.95} title={`${rate * 100} %`}>
      {formatPercent(rate)}
    </span>
  );
}
