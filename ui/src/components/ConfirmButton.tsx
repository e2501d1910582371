import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";

type Props = {
  /** The button that opens the question, e.g. "Revoke". */
  label: string;
  /** Names the object: "Revoke the key ci-runner?" */
  title: string;
  /** What follows from it, in words. */
  consequence: ReactNode;
  /** The verb on the confirming button, e.g. "Revoke key". */
  verb: string;
  /** When set, it must be typed first: for what cannot be undone. */
  typedName?: string;
  onConfirm: () => void;
  disabled?: boolean;
  "data-testid"?: string;
};

/** Asks before what is costly or cannot be undone. The focus starts on Cancel. */
export function ConfirmButton(props: Props) {
  const [opened, setOpened] = useState(false);
  const testId = props["data-testid"];
  return (
    <>
      <Button
        variant="subtle"
        color="critical"
        size="compact-sm"
        disabled={props.disabled ?? false}
        onClick={() => setOpened(true)}
        data-testid={testId}
      >
        {props.label}
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title={props.title} size="md">
        <Question {...props} onClose={() => setOpened(false)} />
      </Modal>
    </>
  );
}

function Question({
  consequence,
  verb,
  typedName,
  onConfirm,
  onClose,
  "data-testid": testId,
}: Props & { onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const allowed = typedName === undefined || typed === typedName;
  return (
    <Stack gap={16}>
      <div>{consequence}</div>
      {typedName === undefined ? null : (
        <TextInput
          label={`Type ${typedName} to confirm`}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          data-testid={testId ? `${testId}-name` : undefined}
        />
      )}
      <Group justify="flex-end" gap={8}>
        <Button variant="default" onClick={onClose} data-autofocus>
          Cancel
        </Button>
        <Button
          color="critical"
          disabled={!allowed}
          onClick={() => {
            onClose();
            onConfirm();
          }}
          data-testid={testId ? `${testId}-confirm` : undefined}
        >
          {verb}
        </Button>
      </Group>
    </Stack>
  );
}
