import type { ComponentType, ReactNode } from "react";
import classes from "./State.module.css";

type Props = {
  icon: ComponentType<{ size?: number; stroke?: number; "aria-hidden"?: boolean }>;
  /** One sentence that says what would be here. */
  title: string;
  children?: ReactNode;
  /** One action that fills it. */
  action?: ReactNode;
  "data-testid"?: string;
};

/** Nothing here yet (or nothing matches): one sentence, one action. */
export function EmptyState({ icon: Icon, title, children, action, "data-testid": testId }: Props) {
  return (
    <div className={classes.state} data-testid={testId}>
      <span className={classes.icon}>
        <Icon size={64} stroke={1} aria-hidden />
      </span>
      <h2>{title}</h2>
      {children ? <div className={classes.text}>{children}</div> : null}
      {action ? <div className={classes.action}>{action}</div> : null}
    </div>
  );
}
