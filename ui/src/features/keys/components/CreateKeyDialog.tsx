import { Modal } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useBlocker } from "@tanstack/react-router";
import { useState } from "react";
import { createKeyMutationOptions } from "@/api/mutations";
import type { KeyCreated, KeyInput } from "@/bindings";
import { CreateKeyForm } from "./CreateKeyForm";
import { KeyHandover } from "./KeyHandover";

type Props = {
  opened: boolean;
  /** Called when the form is given up, and as soon as the key exists. */
  onClose: () => void;
};

/** Asks for a name and a scope, makes the key, and hands it over once. */
export function CreateKeyDialog({ opened, onClose }: Props) {
  const [created, setCreated] = useState<KeyCreated>();
  const create = useMutation(createKeyMutationOptions());
  // Between the click and "I have stored it" nothing closes the dialog: neither Escape, nor a click, nor a way out by link.
  const held = create.isPending || created !== undefined;
  useBlocker({ shouldBlockFn: () => created !== undefined, enableBeforeUnload: false });

  const submit = (input: KeyInput) =>
    create.mutate(input, {
      onSuccess: (made) => {
        setCreated(made);
        onClose();
      },
    });
  return (
    <Modal
      opened={opened || created !== undefined}
      onClose={() => {
        create.reset();
        onClose();
      }}
      closeOnEscape={!held}
      closeOnClickOutside={!held}
      withCloseButton={!held}
      title={created ? "Key created" : "Create an API key"}
      size="md"
      data-testid="key-dialog"
    >
      {created ? (
        <KeyHandover
          created={created}
          onStored={() => {
            setCreated(undefined);
            create.reset();
          }}
        />
      ) : (
        <CreateKeyForm
          pending={create.isPending}
          error={create.error}
          onSubmit={submit}
          onCancel={onClose}
        />
      )}
    </Modal>
  );
}
