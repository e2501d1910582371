import { IconHandStop } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { engageKillSwitchMutationOptions } from "@/api/mutations";
import { askKillSwitch } from "@/lib/killSwitch";
import { notifyFailure } from "@/lib/notices";
import { displayKeys } from "@/lib/shortcuts";
import { HoldButton } from "./HoldButton";

type Props = { isStopped: boolean; className?: string | undefined; "data-testid": string };

/** Stops all AI traffic: held for a second at once, pressed after a question. While it is stopped, the way back. */
export function KillSwitchButton({ isStopped, className, "data-testid": testId }: Props) {
  const engage = useMutation(engageKillSwitchMutationOptions());
  const keys = displayKeys("mod+shift+k");
  return (
    <HoldButton
      className={className}
      onPress={askKillSwitch}
      onHold={() => {
        if (isStopped) askKillSwitch("mouse");
        else
          engage.mutate(
            { reason: null },
            {
              onError: (error) => notifyFailure("The stop may not outlast this run", error.message),
            },
          );
      }}
      title={isStopped ? "Let AI traffic run again" : `Stop all AI traffic: hold 1 s, or ${keys}`}
      aria-label={
        isStopped
          ? "Kill switch: AI traffic is stopped. Let it run again."
          : "Kill switch: stop all AI traffic"
      }
      data-testid={testId}
    >
      <IconHandStop size={13} stroke={2} aria-hidden />
      {isStopped ? "Traffic stopped" : "Kill switch"}
    </HoldButton>
  );
}
