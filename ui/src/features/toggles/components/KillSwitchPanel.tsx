import { Button } from "@mantine/core";
import { IconHandStop } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { statusQueryOptions } from "@/api/queries";
import { KillSwitchButton } from "@/components/KillSwitchButton";
import { Panel } from "@/components/Panel";
import { StatusBadge } from "@/components/StatusBadge";
import { StopSentence } from "@/components/StopSentence";
import { askKillSwitch } from "@/lib/killSwitch";
import { plural } from "@/lib/numbers";
import { displayKeys } from "@/lib/shortcuts";
import classes from "../toggles.module.css";

/** What stops, what goes on, and the switch itself. */
export function KillSwitchPanel() {
  const status = useQuery(statusQueryOptions());
  const stop = status.data?.stopped;
  return (
    <Panel
      title={
        <span className={classes.head}>
          <IconHandStop size={16} stroke={1.75} aria-hidden />
          Kill switch
        </span>
      }
      actions={
        <Link to="/changes" search={{ kind: "kill_switch" }} className={classes.historyLink}>
          History
        </Link>
      }
      data-testid="kill-switch-panel"
    >
      <div className={classes.switch}>
        <div className={classes.state}>
          {stop ? (
            <>
              <StatusBadge tone="critical" boxed>
                AI traffic is stopped
              </StatusBadge>
              <StopSentence stop={stop} />
            </>
          ) : status.data ? (
            <>
              <StatusBadge tone="ok" boxed>
                AI traffic runs
              </StatusBadge>
              <span data-testid="kill-switch-in-flight">
                {plural(status.data.in_flight, "request")} in flight
              </span>
            </>
          ) : status.error ? (
            <StatusBadge tone="warn" boxed>
              It is not known whether AI traffic runs
            </StatusBadge>
          ) : null}
          <span className={classes.grow} />
          {stop ? (
            <Button onClick={() => askKillSwitch("mouse")} data-testid="kill-switch-panel-resume">
              Let AI traffic run…
            </Button>
          ) : (
            <KillSwitchButton
              isStopped={false}
              className={classes.stopButton}
              data-testid="kill-switch-panel-stop"
            />
          )}
        </div>
        <dl className={classes.facts}>
          <dt>What stops</dt>
          <dd>
            Requests under way end at once and are charged for what they used. New ones are refused.
            Checks of providers and drills stop too.
          </dd>
          <dt>What goes on</dt>
          <dd>
            This window, the ledger, alerts and the change history. No request is lost from them.
          </dd>
          <dt>How</dt>
          <dd>
            Hold the button for a second, or press <kbd>{displayKeys("mod+shift+k")}</kbd> and then{" "}
            <kbd>Enter</kbd>, on any screen. It holds over restarts and on every node of a shared
            database, until somebody types RESUME.
          </dd>
        </dl>
      </div>
    </Panel>
  );
}
