import { Tooltip } from "@mantine/core";
import {
  IconCircleCheck,
  IconCircleX,
  IconDatabase,
  IconLoader2,
  IconLock,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { statusQueryOptions } from "@/api/queries";
import type { BudgetGlance, GatewayState, Status } from "@/bindings";
import { BudgetBar } from "@/components/BudgetBar";
import { KillSwitchButton } from "@/components/KillSwitchButton";
import { Money } from "@/components/Money";
import { useNow } from "@/lib/clock";
import { barShares } from "@/lib/budget";
import { notifyFailure, notifySuccess } from "@/lib/notices";
import { formatCount } from "@/lib/numbers";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { formatRelative } from "@/lib/time";
import { platform } from "@/platform";
import classes from "./Shell.module.css";
import { UnsealDialog } from "./UnsealDialog";

const STATES: Record<GatewayState, { word: string; icon: typeof IconCircleCheck; colour: string }> =
  {
    starting: { word: "Starting", icon: IconLoader2, colour: "var(--info)" },
    running: { word: "Running", icon: IconCircleCheck, colour: "var(--ok)" },
    stopped: { word: "Stopped", icon: IconCircleX, colour: "var(--critical)" },
    sealed: { word: "Sealed", icon: IconLock, colour: "var(--warn)" },
  };

/** Money and safety at the first glance, on every screen. */
export function StatusBar() {
  const status = useQuery(statusQueryOptions());
  return (
    <footer className={classes.status} data-testid="status-bar" aria-label="Status">
      {status.data ? (
        <StatusItems
          status={status.data}
          failed={status.isError}
          updatedAt={status.dataUpdatedAt}
        />
      ) : (
        <span className={classes.statusItem}>
          {status.isError ? `No status: ${status.error.message}` : "Connecting…"}
        </span>
      )}
      <ZoneToggle />
      <KillSwitchButton
        isStopped={Boolean(status.data?.stopped)}
        className={`${classes.statusItem} ${classes.killSwitch}`}
        data-testid="kill-switch"
      />
    </footer>
  );
}

type ItemsProps = { status: Status; failed: boolean; updatedAt: number };

function StatusItems({ status, failed, updatedAt }: ItemsProps) {
  const { zone } = usePreferences();
  const now = useNow();
  const updated = formatRelative(new Date(updatedAt).toISOString(), Math.max(now, updatedAt), zone);
  return (
    <>
      <GatewayItem status={status} />
      <Tooltip
        label={`Data directory: ${status.data_dir}\nDurability: ${status.durability}`}
        style={PRE_LINE}
      >
        <span className={`${classes.statusItem} ${classes.hideNarrow}`}>
          <IconDatabase size={13} aria-hidden />
          {status.database}
        </span>
      </Tooltip>
      <span className={classes.spacer} />
      <Link
        to="/overview"
        search={{}}
        className={classes.statusItem}
        data-testid="status-spend"
        title="Open the overview"
      >
        Spend today
        <strong>
          <Money value={status.spend_today} format="total" />
        </strong>
      </Link>
      {status.budget ? <BudgetItem budget={status.budget} /> : null}
      {status.approvals_pending > 0 ? (
        <Link
          to="/approvals"
          search={{}}
          className={classes.statusItem}
          data-testid="status-approvals"
          title="Open the queue"
        >
          Approvals <strong>{formatCount(status.approvals_pending)}</strong>
        </Link>
      ) : null}
      <Link
        to="/logs"
        search={{ status: "in_flight" }}
        className={classes.statusItem}
        data-testid="status-in-flight"
        aria-label={`In flight ${formatCount(status.in_flight)}: open these requests in Logs`}
      >
        In flight <strong>{formatCount(status.in_flight)}</strong>
      </Link>
      <span className={classes.statusItem} title={failed ? "The last update failed." : undefined}>
        {failed ? "Not updating" : `Updated ${updated}`}
      </span>
    </>
  );
}

/** The budget to keep an eye on: how much of it is settled, reserved and left. */
function BudgetItem({ budget }: { budget: BudgetGlance }) {
  const bar = barShares(budget);
  return (
    <Link
      to="/budgets"
      search={{ budget: budget.id }}
      className={classes.statusItem}
      data-testid="status-budget"
      aria-label={`${bar.label}. Open the budgets`}
    >
      <span className={classes.hideNarrow}>of</span>
      <span className={classes.hideNarrow}>
        <Money value={budget.limit} format="total" />
      </span>
      <span className={classes.statusBar}>
        <BudgetBar {...bar} size="s" />
      </span>
    </Link>
  );
}

/** How the gateway stands; where it waits for a passphrase, that is asked for at once. */
function GatewayItem({ status }: { status: Status }) {
  const [asking, setAsking] = useState(true);
  if (!status.awaits_passphrase) return <GatewayAddress status={status} />;
  return (
    <>
      <button
        type="button"
        className={classes.statusItem}
        onClick={() => setAsking(true)}
        data-testid="status-gateway"
        data-state={status.gateway}
      >
        <IconLock size={13} color="var(--warn)" aria-hidden />
        <strong>Sealed</strong> Give the passphrase
      </button>
      <UnsealDialog opened={asking} onClose={() => setAsking(false)} />
    </>
  );
}

function GatewayAddress({ status }: { status: Status }) {
  const state = STATES[status.gateway];
  const copy = async () => {
    try {
      await platform().copyText(status.base_url);
      notifySuccess("Base URL copied", status.base_url);
    } catch (error) {
      notifyFailure(
        "The base URL was not copied",
        error instanceof Error ? error.message : String(error),
      );
    }
  };
  return (
    <Tooltip label={status.problem ?? "Copy the base URL"}>
      <button
        type="button"
        className={classes.statusItem}
        onClick={() => void copy()}
        data-testid="status-gateway"
        data-state={status.gateway}
        aria-label={`${state.word} ${status.listen}, the gateway. Copy the base URL.`}
      >
        <state.icon size={13} color={state.colour} aria-hidden />
        <strong>{state.word}</strong>{" "}
        <span className="mono" style={{ fontSize: 11 }}>
          {status.listen}
        </span>
      </button>
    </Tooltip>
  );
}

function ZoneToggle() {
  const { zone } = usePreferences();
  const next = zone === "utc" ? "local" : "utc";
  return (
    <button
      type="button"
      className={classes.statusItem}
      onClick={() => setPreferences({ zone: next })}
      data-testid="zone-toggle"
      aria-label={`Times are shown in ${zone === "utc" ? "UTC" : "local time"}. Switch to ${next === "utc" ? "UTC" : "local time"}.`}
    >
      {zone === "utc" ? "UTC" : "Local time"}
    </button>
  );
}

const PRE_LINE = { whiteSpace: "pre-line" } as const;
