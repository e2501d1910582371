import { Button } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";
import { CommandError } from "@/api/call";
import type { Code } from "@/bindings";
import classes from "./State.module.css";

type Props = {
  /** What failed: "The overview could not be read". */
  title: string;
  error: Error;
  onRetry?: () => void;
  /** A line inside a panel instead of a whole screen. */
  compact?: boolean;
  "data-testid"?: string;
};

const ADVICE: Record<Code, string> = {
  invalid: "Check what was entered and try again.",
  not_found: "It may have been removed meanwhile.",
  already_exists: "Choose another name.",
  conflict: "It has changed since it was read. Read it again, then repeat the change.",
  refused: "The present state does not allow it.",
  forbidden: "Your role does not allow it.",
  sealed:
    "Stored credentials cannot be opened on this machine now. Reading still works; calls to providers do not.",
  unavailable: "The gateway is not running. Requests by your programs are refused until it is.",
  internal: "Nothing was changed. The log has the cause under the same text.",
};

/** What failed, what it means, what to do, and a way to try again. */
export function ErrorState({
  title,
  error,
  onRetry,
  compact = false,
  "data-testid": testId,
}: Props) {
  const code = error instanceof CommandError ? error.code : undefined;
  return (
    <div
      className={classes.state}
      data-compact={compact}
      role="alert"
      data-testid={testId ?? "error-state"}
    >
      <span className={classes.errorIcon}>
        <IconAlertTriangle size={compact ? 20 : 40} stroke={1.5} aria-hidden />
      </span>
      <h2>{title}</h2>
      <div className={classes.text}>
        <p>{error.message}</p>
        {code ? <p>{ADVICE[code]}</p> : null}
      </div>
      {onRetry ? (
        <div className={classes.action}>
          <Button
            variant="default"
            size={compact ? "compact-sm" : "sm"}
            leftSection={<IconRefresh size={14} aria-hidden />}
            onClick={onRetry}
            data-testid="retry"
          >
            Try again
          </Button>
        </div>
      ) : null}
    </div>
  );
}
