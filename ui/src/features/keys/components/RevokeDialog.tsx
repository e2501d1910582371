import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { ApiKey } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import { useNow } from "@/lib/clock";
import { isInUse, maskedKey } from "../model";
import { revokeKeyMutationOptions } from "../mutations";

type Props = { apiKey: ApiKey | undefined; opened: boolean; onClose: () => void };

/** Asks for the name first: a revoked key never comes back. */
export function RevokeDialog({ apiKey, opened, onClose }: Props) {
  return (
    <Modal
      opened={opened && apiKey !== undefined}
      onClose={onClose}
      title={`Revoke the key ${apiKey?.name ?? ""}?`}
      size="md"
    >
      {apiKey ? <Question apiKey={apiKey} onClose={onClose} /> : null}
    </Modal>
  );
}

function Question({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const now = useNow();
  const [typed, setTyped] = useState("");
  const revoke = useMutation(revokeKeyMutationOptions());
  const matches = typed === apiKey.name;
  const submit = () => {
    if (matches && !revoke.isPending) revoke.mutate(apiKey.id, { onSuccess: onClose });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap={16}>
        <div>
          <p>
            Every program that uses <span className="mono">{maskedKey(apiKey)}</span> is refused
            (401) from its next request on. Requests that are running now are answered to their end.
          </p>
          <p className="muted">This cannot be undone. What it was used for stays in the logs.</p>
        </div>
        {isInUse(apiKey, now) ? (
          <div>
            <StatusBadge tone="warn" boxed>
              In use: last request <RelativeTime value={apiKey.last_used_at} />
            </StatusBadge>
          </div>
        ) : null}
        <TextInput
          label={
            <>
              Type <strong>{apiKey.name}</strong> to confirm
            </>
          }
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
          data-testid="key-revoke-name"
        />
        {revoke.error ? (
          <ErrorState title="The key was not revoked" error={revoke.error} compact />
        ) : null}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            type="submit"
            color="critical"
            disabled={!matches}
            loading={revoke.isPending}
            data-testid="key-revoke-confirm"
          >
            Revoke key
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
