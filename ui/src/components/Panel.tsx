import type { ReactNode } from "react";
import classes from "./Panel.module.css";

type Props = {
  title: ReactNode;
  /** Controls at the right end of the title line. */
  actions?: ReactNode;
  children: ReactNode;
  /** Without inner padding, for a table that goes to the edges. */
  flush?: boolean;
  "data-testid"?: string;
};

/** A titled card. */
export function Panel({ title, actions, children, flush = false, "data-testid": testId }: Props) {
  return (
    <section className={classes.panel} data-testid={testId}>
      <header className={classes.head}>
        <h2 className="ellipsis">{title}</h2>
        {actions ? <div className={classes.actions}>{actions}</div> : null}
      </header>
      <div className={classes.body} data-flush={flush}>
        {children}
      </div>
    </section>
  );
}
