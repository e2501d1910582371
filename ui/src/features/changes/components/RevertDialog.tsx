import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { Change } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { notifyUndo } from "@/lib/notices";
import { revertMutationOptions, undoRevertMutationOptions } from "../mutations";

type Props = {
  change: Change | undefined;
  opened: boolean;
  onClose: () => void;
};

/** Says what goes back, asks why, and offers to take the revert back. */
export function RevertDialog({ change, opened, onClose }: Props) {
  const [reason, setReason] = useState("");
  const revert = useMutation(revertMutationOptions());
  const undo = useMutation(undoRevertMutationOptions());
  const close = () => {
    revert.reset();
    setReason("");
    onClose();
  };
  const submit = (seq: number) =>
    revert.mutate(
      { seq, reason: reason.trim() === "" ? null : reason.trim() },
      {
        onSuccess: (made) => {
          close();
          notifyUndo(`Change ${seq} is reverted`, () => undo.mutateAsync(made.seq), made.sentence);
        },
      },
    );
  return (
    <Modal opened={opened} onClose={close} title="Revert a change" size="md">
      {change ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            submit(change.seq);
          }}
        >
          <Stack gap={16}>
            <p>
              No. {change.seq}: {change.sentence}. What it changed goes back to the state before it;
              later changes of the same thing are overwritten.
            </p>
            <TextInput
              label="Reason"
              description="Optional. It stands in the history."
              value={reason}
              onChange={(event) => setReason(event.currentTarget.value)}
              maxLength={500}
              autoComplete="off"
            />
            {revert.error ? (
              <ErrorState title="The change was not reverted" error={revert.error} compact />
            ) : null}
            <Group justify="flex-end" gap={8}>
              <Button variant="default" onClick={close} disabled={revert.isPending} data-autofocus>
                Cancel
              </Button>
              <Button type="submit" loading={revert.isPending} data-testid="change-revert-confirm">
                Revert
              </Button>
            </Group>
          </Stack>
        </form>
      ) : null}
    </Modal>
  );
}
