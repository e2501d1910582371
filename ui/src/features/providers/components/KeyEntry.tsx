import { Button, PasswordInput } from "@mantine/core";
import { IconClipboard } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import type { Provider } from "@/bindings";
import {
  boxSecret,
  pasteCredentialMutationOptions,
  setCredentialMutationOptions,
} from "../mutations";
import classes from "./parts.module.css";

type Props = { provider: string; onSaved: (provider: Provider) => void };

/** Takes a key on its way to the backend: from the clipboard, which the page never reads, or typed into a field that is emptied at once. */
export function KeyEntry({ provider, onSaved }: Props) {
  const paste = useMutation(pasteCredentialMutationOptions());
  const set = useMutation(setCredentialMutationOptions());
  const [missing, setMissing] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const busy = paste.isPending || set.isPending;
  const failure = paste.error ?? set.error;

  const pasteKey = () => {
    set.reset();
    setMissing(false);
    paste.mutate(provider, { onSuccess: onSaved });
  };
  // The field is not part of React's state: its text lives in the element until it is sent, then nowhere.
  const saveTyped = (event: FormEvent) => {
    event.preventDefault();
    const input = field.current;
    if (!input) return;
    const secret = boxSecret(input.value.trim());
    setMissing(input.value.trim() === "");
    const empty = input.value.trim() === "";
    input.value = "";
    paste.reset();
    if (!empty) set.mutate({ name: provider, secret }, { onSuccess: onSaved });
  };
  return (
    <div className={classes.key}>
      <div className={classes.keyLine}>
        <Button
          leftSection={<IconClipboard size={14} aria-hidden />}
          onClick={pasteKey}
          loading={paste.isPending}
          disabled={set.isPending}
          data-autofocus
          data-testid="provider-paste-key"
        >
          Paste key
        </Button>
        <p className={classes.note}>
          Straight from the clipboard into encrypted storage; this page never sees it.
        </p>
      </div>
      <form className={classes.keyForm} onSubmit={saveTyped} autoComplete="off">
        <PasswordInput
          ref={field}
          label="Or type it"
          size="sm"
          disabled={busy}
          autoComplete="off"
          spellCheck={false}
          error={missing ? "Type or paste the key first." : undefined}
          onInput={() => setMissing(false)}
          visibilityToggleButtonProps={{ "aria-label": "Show or hide the key" }}
          data-testid="provider-secret"
        />
        <Button
          type="submit"
          variant="default"
          loading={set.isPending}
          disabled={paste.isPending}
          data-testid="provider-secret-save"
        >
          Save key
        </Button>
      </form>
      {failure ? (
        <p className={classes.problem} role="alert" data-testid="provider-key-problem">
          {failure.message}
        </p>
      ) : null}
    </div>
  );
}
