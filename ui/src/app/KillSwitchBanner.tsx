import { Button } from "@mantine/core";
import { IconHandStop } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { statusQueryOptions } from "@/api/queries";
import { StopSentence } from "@/components/StopSentence";
import { askKillSwitch } from "@/lib/killSwitch";
import classes from "./Shell.module.css";

/** Above every screen, for as long as all AI traffic is stopped. */
export function KillSwitchBanner() {
  const stop = useQuery(statusQueryOptions()).data?.stopped;
  if (!stop) return null;
  return (
    <div className={classes.stopBanner} role="alert" data-testid="kill-switch-banner">
      <IconHandStop size={16} stroke={2} aria-hidden />
      <strong>All AI traffic is stopped.</strong>
      <StopSentence stop={stop} />
      <span className={classes.spacer} />
      <Button
        size="compact-sm"
        variant="default"
        onClick={() => askKillSwitch("mouse")}
        data-testid="kill-switch-resume"
      >
        Resume…
      </Button>
    </div>
  );
}
