import { Loader } from "@mantine/core";
import type { ReactNode } from "react";
import type { CheckResult } from "@/bindings";
import { Duration } from "@/components/Duration";
import { MonoBox } from "@/components/MonoBox";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import { plural } from "@/lib/numbers";
import { checkAdvice, checkWord } from "../model";
import classes from "./parts.module.css";

type Props = {
  check: CheckResult | null;
  /** A check is running now. */
  running: boolean;
  /** Why no check could be made at all. */
  error: Error | null;
  /** A button at the end of its first line. */
  action?: ReactNode;
};

/** What the free check found: works, or what is wrong, what to do, and the provider's own words. */
export function CheckOutcome({ check, running, error, action }: Props) {
  if (running) {
    return (
      <p className={classes.checking} role="status">
        <Loader size={14} color="accent" /> Asking for the list of models…
        {action}
      </p>
    );
  }
  if (error) {
    return (
      <p className={classes.problem} role="alert" data-testid="provider-check-result">
        <span>{error.message}</span>
        {action}
      </p>
    );
  }
  if (!check) {
    return (
      <p className={classes.checking}>
        Not checked since the start.
        {action}
      </p>
    );
  }
  const advice = checkAdvice(check.code);
  return (
    <div
      className={classes.check}
      role="status"
      data-testid="provider-check-result"
      data-ok={check.ok}
    >
      <p>
        <StatusBadge tone={check.ok ? "ok" : "critical"}>
          {check.ok ? "Works" : checkWord(check.code)}
        </StatusBadge>
        <span className="muted">
          {check.ok ? `${plural(check.models_found, "model")} found in ` : "after "}
          <Duration ms={check.latency_ms} />, <RelativeTime value={check.at} />
        </span>
        {action}
      </p>
      {check.ok ? null : (
        <>
          {advice ? <p>{advice}</p> : null}
          <MonoBox label="What the check said" text={check.message} maxHeight={96} />
        </>
      )}
    </div>
  );
}
