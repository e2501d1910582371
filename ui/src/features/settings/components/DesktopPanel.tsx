import { Switch } from "@mantine/core";
import { IconAppWindow } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useId } from "react";
import type { Desktop } from "@/bindings";
import { CopyButton } from "@/components/CopyButton";
import { ErrorState } from "@/components/ErrorState";
import { Panel } from "@/components/Panel";
import { Skeleton } from "@/components/Skeletons";
import { displayKeys } from "@/lib/shortcuts";
import { setDesktopMutationOptions } from "../mutations";
import { desktopQueryOptions } from "../queries";
import page from "../SettingsPage.module.css";
import classes from "./SettingRow.module.css";

/** Opens the small window from anywhere, also where no program gets keys of its own. */
const COMMAND = "signalbox --quick-approve";

/** What this machine's desktop has to do with the window. Kept for this person here, not for the installation. */
export function DesktopPanel() {
  const desktop = useQuery(desktopQueryOptions());
  return (
    <Panel
      title={
        <span className={page.head}>
          <IconAppWindow size={16} stroke={1.75} aria-hidden />
          This desktop
        </span>
      }
      flush
      data-testid="settings-desktop"
    >
      <p className={classes.lead}>
        These are yours on this machine, so they do not stand in the change history.
      </p>
      {desktop.data ? (
        <>
          <Closing desktop={desktop.data} />
          <QuickApprovals desktop={desktop.data} />
        </>
      ) : desktop.error ? (
        <ErrorState
          title="What this desktop offers could not be read"
          error={desktop.error}
          onRetry={() => void desktop.refetch()}
          compact
        />
      ) : (
        <Skeleton label="what this desktop offers" shape="rows" rows={2} />
      )}
    </Panel>
  );
}

function Closing({ desktop }: { desktop: Desktop }) {
  const set = useMutation(setDesktopMutationOptions());
  if (!desktop.has_tray)
    return (
      <Row
        label="Closing the window"
        text="This desktop shows no tray icons, so closing the window quits Signalbox: programs are no longer served."
      />
    );
  return (
    <Row
      label="Closing the window"
      text="Signalbox keeps running behind its tray icon and programs are still served. Otherwise closing quits it."
    >
      <Switch
        aria-label="Closing the window keeps Signalbox running in the tray"
        label={desktop.close_to_tray ? "Keeps running" : "Quits"}
        checked={set.isPending ? set.variables.close_to_tray : desktop.close_to_tray}
        onChange={(event) => set.mutate({ close_to_tray: event.currentTarget.checked })}
        data-testid="desktop-close-to-tray"
      />
    </Row>
  );
}

function QuickApprovals({ desktop }: { desktop: Desktop }) {
  const label = "Quick approvals from anywhere";
  if (desktop.has_shortcut)
    return (
      <Row label={label} text="Opens the small window for approvals of low risk, in every program.">
        <kbd data-testid="desktop-shortcut">{displayKeys("mod+shift+a")}</kbd>
      </Row>
    );
  return (
    <Row
      label={label}
      text="No key for all programs can be had here. Bind this command to one in the settings of your desktop."
    >
      <span className={classes.command} data-testid="desktop-command">
        <code>{COMMAND}</code>
        <CopyButton text={COMMAND} what="command" />
      </span>
    </Row>
  );
}

function Row({ label, text, children }: { label: string; text: string; children?: ReactNode }) {
  const id = useId();
  return (
    <div className={classes.row} role="group" aria-labelledby={id}>
      <div className={classes.about}>
        <h3 id={id}>{label}</h3>
        <p className={classes.text}>{text}</p>
      </div>
      <div className={classes.control}>{children}</div>
    </div>
  );
}
