import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { engageKillSwitchMutationOptions, releaseKillSwitchMutationOptions } from "@/api/mutations";
import { statusQueryOptions } from "@/api/queries";
import type { TrafficStop } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { StopSentence } from "@/components/StopSentence";
import { TypedWordForm } from "@/components/TypedWordForm";
import {
  closeKillSwitch,
  type Opening,
  RELEASE_WORD,
  useKillSwitchOpening,
} from "@/lib/killSwitch";
import { plural } from "@/lib/numbers";

/** Asks before all AI traffic stops, and has a word typed before it runs again. */
export function KillSwitchDialog() {
  const opening = useKillSwitchOpening();
  const status = useQuery(statusQueryOptions()).data;
  const stop = status?.stopped ?? undefined;
  // A question belongs to its window.
  useEffect(() => closeKillSwitch, []);
  return (
    <Modal
      opened={opening !== undefined}
      onClose={closeKillSwitch}
      title={stop ? "Let AI traffic run again?" : "Stop all AI traffic?"}
      size="md"
    >
      {opening === undefined ? null : stop ? (
        <ReleaseQuestion stop={stop} />
      ) : (
        <StopQuestion running={status?.in_flight} opening={opening} />
      )}
    </Modal>
  );
}

type StopProps = { running: number | undefined; opening: Opening };

function StopQuestion({ running, opening }: StopProps) {
  const [reason, setReason] = useState("");
  const engage = useMutation(engageKillSwitchMutationOptions());
  return (
    <form
      data-testid="kill-switch-dialog"
      onSubmit={(event) => {
        event.preventDefault();
        engage.mutate({ reason: reason.trim() || null }, { onSuccess: closeKillSwitch });
      }}
    >
      <Stack gap={16}>
        <p>
          {underWay(running)} New requests are refused, also after a restart, until somebody types{" "}
          <strong>{RELEASE_WORD}</strong>.
        </p>
        <TextInput
          label="Why (optional)"
          description="The change history keeps it, and the programs that are refused are told."
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          maxLength={200}
          data-testid="kill-switch-reason"
        />
        {engage.error ? (
          <ErrorState title="The stop may not outlast this run" error={engage.error} compact />
        ) : null}
        <Group justify="flex-end" gap={8}>
          <Button
            variant="default"
            onClick={closeKillSwitch}
            {...(opening === "mouse" ? { "data-autofocus": true } : {})}
          >
            Cancel
          </Button>
          <Button
            type="submit"
            color="critical"
            loading={engage.isPending}
            {...(opening === "keyboard" ? { "data-autofocus": true } : {})}
            data-testid="kill-switch-confirm"
          >
            Stop all AI traffic
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function underWay(running: number | undefined): string {
  if (running === undefined) return "Requests under way end at once.";
  if (running === 0) return "No request is under way now.";
  const end = running === 1 ? "ends" : "end";
  return `${plural(running, "request")} under way ${end} at once; what was used until then is charged.`;
}

function ReleaseQuestion({ stop }: { stop: TrafficStop }) {
  const release = useMutation(releaseKillSwitchMutationOptions());
  return (
    <TypedWordForm
      word={RELEASE_WORD}
      purpose="let it run"
      verb="Let AI traffic run"
      isPending={release.isPending}
      error={release.error}
      failureTitle="AI traffic is still stopped"
      onConfirm={(typed) => release.mutate({ typed, reason: null }, { onSuccess: closeKillSwitch })}
      onCancel={closeKillSwitch}
      data-testid="kill-switch-dialog"
      wordTestId="kill-switch-typed"
      confirmTestId="kill-switch-release"
    >
      <StopSentence stop={stop} />
      <p>From then on every request is served again, and money is spent.</p>
    </TypedWordForm>
  );
}
