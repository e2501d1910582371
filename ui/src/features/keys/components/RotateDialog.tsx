import { Button, Group, Modal, Select, Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useBlocker } from "@tanstack/react-router";
import { useState } from "react";
import type { ApiKey, KeyCreated } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { maskedKey, OVERLAP_HOURS } from "../model";
import { rotateKeyMutationOptions } from "../mutations";
import { KeyHandover } from "./KeyHandover";

type Props = {
  apiKey: ApiKey | undefined;
  opened: boolean;
  /** Called when the question is given up, and as soon as the new secret exists. */
  onClose: () => void;
};

/** Asks how long both secrets shall open, makes the new one, and hands it over once. */
export function RotateDialog({ apiKey, opened, onClose }: Props) {
  const [made, setMade] = useState<KeyCreated>();
  const rotate = useMutation(rotateKeyMutationOptions());
  // From the click to "I have stored it" nothing closes the dialog, as when a key is created.
  const held = rotate.isPending || made !== undefined;
  useBlocker({ shouldBlockFn: () => made !== undefined, enableBeforeUnload: false });
  const close = () => {
    rotate.reset();
    onClose();
  };
  return (
    <Modal
      opened={(opened && apiKey !== undefined) || made !== undefined}
      onClose={close}
      closeOnEscape={!held}
      closeOnClickOutside={!held}
      withCloseButton={!held}
      title={made ? `New secret for ${made.key.name}` : `Rotate the key ${apiKey?.name ?? ""}`}
      size="md"
      data-testid="key-rotate-dialog"
    >
      {made ? (
        <KeyHandover
          created={made}
          onStored={() => {
            setMade(undefined);
            rotate.reset();
          }}
        />
      ) : apiKey ? (
        <Question
          apiKey={apiKey}
          pending={rotate.isPending}
          error={rotate.error}
          onCancel={close}
          onSubmit={(overlap_hours) =>
            rotate.mutate(
              { id: apiKey.id, overlap_hours },
              {
                onSuccess: (created) => {
                  setMade(created);
                  onClose();
                },
              },
            )
          }
        />
      ) : null}
    </Modal>
  );
}

const OVERLAPS = [
  { value: "0", label: "None: it stops at once" },
  { value: "1", label: "1 hour" },
  { value: String(OVERLAP_HOURS), label: "24 hours" },
  { value: String(3 * 24), label: "3 days" },
  { value: String(7 * 24), label: "7 days" },
  { value: String(30 * 24), label: "30 days" },
];

type QuestionProps = {
  apiKey: ApiKey;
  pending: boolean;
  error: Error | null;
  onCancel: () => void;
  onSubmit: (overlapHours: number) => void;
};

function Question({ apiKey, pending, error, onCancel, onSubmit }: QuestionProps) {
  const [overlap, setOverlap] = useState(String(OVERLAP_HOURS));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!pending) onSubmit(Number(overlap));
      }}
    >
      <Stack gap={16}>
        <p>
          The key gets a new secret and keeps everything else: its scope, limits, budgets and
          history. Signalbox puts the new secret on your clipboard once.
        </p>
        <Select
          label={
            <>
              How long <span className="mono">{maskedKey(apiKey)}</span> opens as well
            </>
          }
          description="Until the last program has the new secret. None, if somebody else has seen it."
          data={OVERLAPS}
          value={overlap}
          onChange={(value) => setOverlap(value ?? String(OVERLAP_HOURS))}
          allowDeselect={false}
          data-autofocus
          data-testid="key-overlap"
        />
        {apiKey.former === null ? null : (
          <p className="muted">
            The secret before that, <span className="mono">…{apiKey.former.last4}</span>, is still
            in an earlier overlap and stops at once: two secrets open, never three.
          </p>
        )}
        {error ? <ErrorState title="The key was not rotated" error={error} compact /> : null}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onCancel} disabled={pending}>
            Cancel
          </Button>
          <Button type="submit" loading={pending} data-testid="key-rotate-confirm">
            Make a new secret
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
