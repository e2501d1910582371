import type { ReactNode } from "react";
import classes from "./FigureCard.module.css";

type Props = {
  label: string;
  /** The hero number, already formatted. */
  value: ReactNode;
  /** Change against the period before, or a second figure. */
  note?: ReactNode;
  /** More lines of the same kind, each with its own link perhaps. */
  children?: ReactNode;
  "data-testid"?: string;
};

/** One figure a person looks for first. */
export function FigureCard({ label, value, note, children, "data-testid": testId }: Props) {
  return (
    <section className={classes.card} data-testid={testId} aria-label={label}>
      <h2 className={classes.label}>{label}</h2>
      <div className={classes.value}>{value}</div>
      {note ? <div className={classes.note}>{note}</div> : null}
      {children}
    </section>
  );
}
