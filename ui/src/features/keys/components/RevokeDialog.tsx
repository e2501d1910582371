import { Modal } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { ApiKey } from "@/bindings";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import { TypedWordForm } from "@/components/TypedWordForm";
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
  const revoke = useMutation(revokeKeyMutationOptions());
  return (
    <TypedWordForm
      word={apiKey.name}
      purpose="confirm"
      verb="Revoke key"
      color="critical"
      isPending={revoke.isPending}
      error={revoke.error}
      failureTitle="The key was not revoked"
      onConfirm={() => revoke.mutate(apiKey.id, { onSuccess: onClose })}
      onCancel={onClose}
      wordTestId="key-revoke-name"
      confirmTestId="key-revoke-confirm"
    >
      <div>
        <p>
          Every program that uses <span className="mono">{maskedKey(apiKey)}</span> is refused (401)
          from its next request on. Requests that are running now are answered to their end.
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
    </TypedWordForm>
  );
}
