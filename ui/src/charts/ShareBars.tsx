import { formatPercent } from "@/lib/numbers";
import type { Share } from "./prepareShares";
import classes from "./ShareBars.module.css";

type Props = {
  /** Accessible name, e.g. "Share by model". */
  label: string;
  shares: readonly Share[];
  /** How the amount of a share reads, rounded and with every digit. */
  amount: (value: string) => string;
  exact: (value: string) => string;
};

/** Shares of a whole as labelled bars: read without a legend, compared along one edge. */
export function ShareBars({ label, shares, amount, exact }: Props) {
  return (
    <ul className={classes.bars} aria-label={label}>
      {shares.map((share) => (
        <li key={share.key}>
          <div className={classes.line}>
            <span className="ellipsis" title={share.label}>
              {share.label}
            </span>
            <span className={classes.figures} title={exact(share.value)}>
              {amount(share.value)} <span className="muted">{formatPercent(share.share)}</span>
            </span>
          </div>
          <div className={classes.track}>
            <div
              className={classes.fill}
              style={{
                width: `${Math.max(share.share * 100, 0.5)}%`,
                background: `var(--chart-${share.slot === 0 ? "other" : share.slot})`,
              }}
            />
          </div>
        </li>
      ))}
    </ul>
  );
}
