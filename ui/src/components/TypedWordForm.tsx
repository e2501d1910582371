import { Button, Group, Stack, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { ErrorState } from "./ErrorState";

type Props = {
  /** What follows, and what speaks against it. */
  children: ReactNode;
  word: string;
  /** Ends "Type the word to …". */
  purpose: string;
  verb: string;
  /** Colours the button: critical where it destroys, none where it lets something go on. */
  color?: "critical";
  isPending: boolean;
  error: Error | null;
  /** Heads the error. */
  failureTitle: string;
  onConfirm: (typed: string) => void;
  onCancel: () => void;
  "data-testid"?: string;
  wordTestId: string;
  confirmTestId: string;
};

/** The question before what cannot be taken back, or must not happen by accident: a word is typed first. */
export function TypedWordForm({ children, word, purpose, verb, color, ...props }: Props) {
  const [typed, setTyped] = useState("");
  const matches = typed.trim() === word;
  return (
    <form
      data-testid={props["data-testid"]}
      onSubmit={(event) => {
        event.preventDefault();
        if (matches && !props.isPending) props.onConfirm(typed);
      }}
    >
      <Stack gap={16}>
        {children}
        <TextInput
          label={
            <>
              Type <strong>{word}</strong> to {purpose}
            </>
          }
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
          data-testid={props.wordTestId}
        />
        {props.error ? <ErrorState title={props.failureTitle} error={props.error} compact /> : null}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={props.onCancel}>
            Cancel
          </Button>
          <Button
            type="submit"
            {...(color ? { color } : {})}
            disabled={!matches}
            loading={props.isPending}
            data-testid={props.confirmTestId}
          >
            {verb}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
