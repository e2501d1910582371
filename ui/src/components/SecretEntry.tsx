import { Button, PasswordInput } from "@mantine/core";
import { IconClipboard } from "@tabler/icons-react";
import { type FormEvent, useRef, useState } from "react";
import { boxSecret, type SecretBox } from "@/lib/secretBox";
import classes from "./SecretEntry.module.css";

type Props = {
  /** The backend takes it from the clipboard, which the page never reads. */
  onPaste: () => void;
  onTyped: (secret: SecretBox) => void;
  /** Which of the two is under way. */
  pending: "paste" | "typed" | undefined;
  failure: Error | null;
  /** What it is called on the buttons: `key` unless something else. */
  what?: string;
  /** Beginning of the test ids: `provider` for `provider-paste-key`. */
  testId: string;
};

/** Takes a key on its way to the backend: from the clipboard, or typed into a field that is emptied at once. */
export function SecretEntry({ onPaste, onTyped, pending, failure, what = "key", testId }: Props) {
  const [missing, setMissing] = useState(false);
  const field = useRef<HTMLInputElement>(null);

  const paste = () => {
    setMissing(false);
    onPaste();
  };
  // The field is not part of React's state: its text lives in the element until it is sent, then nowhere.
  const saveTyped = (event: FormEvent) => {
    event.preventDefault();
    const input = field.current;
    if (!input) return;
    const secret = boxSecret(input.value.trim());
    const empty = input.value.trim() === "";
    input.value = "";
    setMissing(empty);
    if (!empty) onTyped(secret);
  };
  return (
    <div className={classes.entry}>
      <div className={classes.line}>
        <Button
          leftSection={<IconClipboard size={14} aria-hidden />}
          onClick={paste}
          loading={pending === "paste"}
          disabled={pending === "typed"}
          data-autofocus
          data-testid={`${testId}-paste-key`}
        >
          Paste {what}
        </Button>
        <p>Straight from the clipboard to the backend; this page never sees it.</p>
      </div>
      <form className={classes.form} onSubmit={saveTyped} autoComplete="off">
        <PasswordInput
          ref={field}
          label="Or type it"
          size="sm"
          disabled={pending !== undefined}
          autoComplete="off"
          spellCheck={false}
          error={missing ? `Type or paste the ${what} first.` : undefined}
          onInput={() => setMissing(false)}
          visibilityToggleButtonProps={{ "aria-label": `Show or hide the ${what}` }}
          data-testid={`${testId}-secret`}
        />
        <Button
          type="submit"
          variant="default"
          loading={pending === "typed"}
          disabled={pending === "paste"}
          data-testid={`${testId}-secret-save`}
        >
          {what === "key" ? "Save key" : `Use ${what}`}
        </Button>
      </form>
      {failure ? (
        <p className={classes.problem} role="alert" data-testid={`${testId}-key-problem`}>
          {failure.message}
        </p>
      ) : null}
    </div>
  );
}
