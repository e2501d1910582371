import { Modal, Stack } from "@mantine/core";
import { mutationOptions, useMutation } from "@tanstack/react-query";
import { call } from "@/api/call";
import { SecretEntry } from "@/components/SecretEntry";
import { notifySuccess } from "@/lib/notices";
import type { SecretBox } from "@/lib/secretBox";
import { platform } from "@/platform";

type Props = { opened: boolean; onClose: () => void };

/** Takes the passphrase of the secrets, without which nothing is served. */
export function UnsealDialog({ opened, onClose }: Props) {
  const paste = useMutation(pastePassphraseMutationOptions());
  const unseal = useMutation(unsealMutationOptions());
  const opens = () => {
    notifySuccess("The secrets are open", "Requests are served until Signalbox quits.");
    onClose();
  };
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="The secrets are sealed"
      size="md"
      data-testid="unseal-dialog"
    >
      <Stack gap={12}>
        <p>
          They are under a passphrase that every start needs. Until it is given, requests are
          refused (503, <code>sealed</code>); everything else can be looked at.
        </p>
        <SecretEntry
          what="passphrase"
          onPaste={() => {
            unseal.reset();
            paste.mutate(undefined, { onSuccess: opens });
          }}
          onTyped={(passphrase) => {
            paste.reset();
            unseal.mutate(passphrase, { onSuccess: opens });
          }}
          pending={paste.isPending ? "paste" : unseal.isPending ? "typed" : undefined}
          failure={paste.error ?? unseal.error}
          testId="unseal"
        />
      </Stack>
    </Modal>
  );
}

const META = {
  failureTitle: "The secrets were not opened",
  failure: "inline",
  invalidates: ["status", "providers", "keys"],
} as const;

function pastePassphraseMutationOptions() {
  return mutationOptions({
    mutationFn: () => call(platform().commands.secretsPastePassphrase()),
    meta: META,
  });
}

/** The passphrase comes in a box, because what a mutation is called with stays in its cache. */
function unsealMutationOptions() {
  return mutationOptions({
    mutationFn: (passphrase: SecretBox) =>
      call(platform().commands.secretsUnseal(passphrase.take())),
    meta: META,
  });
}
