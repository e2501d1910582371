import { Tooltip } from "@mantine/core";
import classes from "./BudgetBar.module.css";

type Props = {
  /** Shares of the width, 0..1: where settled ends, and where settled and reserved together end. */
  settled: number;
  used: number;
  /** Where the limit is; 1 unless more is used. */
  limit?: number;
  /** Where spending is expected to end. */
  forecast?: number | undefined;
  /** In per cent of the limit. */
  thresholds?: readonly number[];
  tone?: "calm" | "near" | "over";
  size?: "s" | "m" | "l";
  /** The bar in words, with exact amounts. */
  label: string;
};

/** Settled solid, reserved hatched, left empty; a tick where the forecast is, marks at the thresholds. */
export function BudgetBar(props: Props) {
  const { settled, used, limit = 1, forecast, thresholds = [], tone = "calm", size = "m" } = props;
  return (
    <Tooltip label={props.label} multiline maw={320} style={{ whiteSpace: "pre-line" }}>
      <div
        className={classes.bar}
        data-size={size}
        data-tone={tone}
        role="img"
        aria-label={props.label}
      >
        <div className={classes.track}>
          <div className={classes.reserved} style={{ width: percent(used) }} />
          <div className={classes.settled} style={{ width: percent(settled) }} />
          {thresholds.map((threshold) => (
            <i
              key={threshold}
              className={classes.threshold}
              data-passed={(threshold / 100) * limit <= used}
              style={{ left: percent((threshold / 100) * limit) }}
            />
          ))}
        </div>
        {forecast === undefined || size === "s" ? null : (
          <i className={classes.forecast} style={{ left: percent(forecast) }} />
        )}
      </div>
    </Tooltip>
  );
}

function percent(share: number): string {
  return `${Math.min(Math.max(share, 0), 1) * 100}%`;
}
