import { useTimeout } from "@mantine/hooks";
import { useState } from "react";
import classes from "./Skeletons.module.css";

/** A wait shorter than this shows nothing at all. */
const SHOW_AFTER_MS = 150;
/** From here on a person wants to know what takes so long. */
const EXPLAIN_AFTER_MS = 2_000;

type Props = {
  /** What is being read, for the text after two seconds and for screen readers. */
  label: string;
  /** The shape of what will be here, so that nothing jumps. */
  shape: "figures" | "chart" | "rows" | "text";
  rows?: number;
  height?: number;
};

/** The place of data that is on its way. */
export function Skeleton({ label, shape, rows = 8, height }: Props) {
  const [stage, setStage] = useState<"nothing" | "shape" | "explained">("nothing");
  useTimeout(() => setStage("shape"), SHOW_AFTER_MS, { autoInvoke: true });
  useTimeout(() => setStage("explained"), EXPLAIN_AFTER_MS, { autoInvoke: true });
  return (
    <div
      className={classes.skeleton}
      data-shape={shape}
      data-visible={stage !== "nothing"}
      style={height === undefined ? undefined : { height }}
      role="status"
      aria-label={`Reading ${label}`}
    >
      {Array.from({ length: shape === "figures" ? 6 : rows }, (_, index) => (
        <span key={index} className={classes.block} />
      ))}
      {stage === "explained" ? <span className={classes.label}>Still reading {label}…</span> : null}
    </div>
  );
}
