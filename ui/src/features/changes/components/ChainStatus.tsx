import { Button } from "@mantine/core";
import { IconAlertTriangle, IconLink, IconLinkOff, IconShieldCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { ChainReport } from "@/bindings";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import { plural } from "@/lib/numbers";
import classes from "./ChainStatus.module.css";

type BadgeProps = {
  report: ChainReport | undefined;
  checking: boolean;
  onVerify: () => void;
  /** What else stands in the line. */
  children: ReactNode;
};

/** Whether every entry still carries the fingerprint of the one before it. */
export function ChainStatus({ report, checking, onVerify, children }: BadgeProps) {
  return (
    <div className={classes.status}>
      <span
        className={classes.badge}
        data-testid="chain-badge"
        data-intact={report?.intact ?? "unknown"}
      >
        <Badge report={report} />
      </span>
      {children}
      <Button
        variant="default"
        h={32}
        leftSection={<IconShieldCheck size={14} aria-hidden />}
        loading={checking}
        title="Walk the whole chain again (V)"
        onClick={onVerify}
        data-testid="chain-verify"
      >
        Verify now
      </Button>
    </div>
  );
}

function Badge({ report }: Pick<BadgeProps, "report">) {
  if (report === undefined) {
    return (
      <StatusBadge tone="neutral" icon={IconLink} boxed>
        Chain not checked
      </StatusBadge>
    );
  }
  if (!report.intact) {
    return (
      <StatusBadge tone="critical" icon={IconLinkOff} boxed>
        Chain broken
      </StatusBadge>
    );
  }
  return (
    <>
      <StatusBadge
        tone="ok"
        icon={IconLink}
        boxed
        title="Each entry carries the SHA-256 of the one before it; all of them fit."
      >
        Chain verified · {plural(report.entries, "entry", "entries")}
      </StatusBadge>
      <span className={classes.checked}>
        checked <RelativeTime value={report.checked_at} />
      </span>
    </>
  );
}

type BrokenProps = { report: ChainReport; onShow: (seq: number) => void };

/** What a broken chain means and where it broke; it stays until the chain fits again. */
export function ChainBroken({ report, onShow }: BrokenProps) {
  const { first_bad: firstBad } = report;
  return (
    <div className={classes.broken} role="alert" data-testid="chain-broken">
      <IconAlertTriangle size={20} aria-hidden />
      <div className={classes.words}>
        <strong>
          {firstBad === null
            ? "The history was changed outside Signalbox"
            : `Entry no. ${firstBad} does not fit the one before it`}
        </strong>
        <span>
          The history was altered outside Signalbox, or its file is damaged.{" "}
          {firstBad === null || firstBad <= 1
            ? "What it says is not proven."
            : `What stands before no. ${firstBad} is proven; what stands from there on is not.`}{" "}
          Requests are served as before. Compare with a backup.
        </span>
      </div>
      {firstBad === null ? null : (
        <Button
          variant="outline"
          color="critical"
          h={32}
          onClick={() => onShow(firstBad)}
          data-testid="chain-show"
        >
          Show entry {firstBad}
        </Button>
      )}
    </div>
  );
}
