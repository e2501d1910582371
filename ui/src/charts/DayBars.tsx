import classes from "./DayBars.module.css";
import { prepareDays } from "./prepareDays";

type Props = {
  /** What is counted, e.g. "flip". */
  one: string;
  /** One count a day (UTC), oldest first; the last is today's. */
  counts: readonly number[];
};

/** How often something happened on each of the last days: a line of small bars, and the sum in words. */
export function DayBars({ one, counts }: Props) {
  const { bars, words } = prepareDays(one, counts);
  return (
    <span className={classes.bars} role="img" aria-label={words} title={words}>
      {bars.map((bar) => (
        <span
          key={bar.daysAgo}
          className={classes.bar}
          data-empty={bar.percent === 0}
          style={{ height: `${bar.percent}%` }}
        />
      ))}
    </span>
  );
}
