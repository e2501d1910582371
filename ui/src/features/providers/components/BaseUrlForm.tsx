import { Button, TextInput } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { fieldErrors } from "@/api/call";
import type { Provider } from "@/bindings";
import { focusFirst } from "../focusFirst";
import { updateProviderMutationOptions } from "../mutations";
import { baseUrlProblem, hostOf, originChanges } from "../model";
import { FormProblem } from "./FormProblem";
import classes from "./parts.module.css";

type Props = {
  provider: Provider;
  onSaved: (provider: Provider) => void;
  onCancel: () => void;
};

/** Changes where a provider is. Says beforehand when that costs the stored key. */
export function BaseUrlForm({ provider, onSaved, onCancel }: Props) {
  const update = useMutation(updateProviderMutationOptions());
  const [text, setText] = useState(provider.base_url);
  const [version, setVersion] = useState(provider.version);
  const [problem, setProblem] = useState<string>();
  const losesKey =
    originChanges(provider.base_url, text.trim()) &&
    (provider.credential.hint !== null || provider.credential.env_var !== null);

  const save = (event: FormEvent) => {
    event.preventDefault();
    const wrong = baseUrlProblem(text.trim());
    setProblem(wrong);
    if (wrong) return;
    update.mutate(
      { name: provider.name, base_version: version, base_url: text.trim(), enabled: null },
      {
        onSuccess: onSaved,
        onError: (error) => setProblem(fieldErrors(error)["base_url"]),
      },
    );
  };
  return (
    <form className={classes.form} onSubmit={save} ref={focusFirst}>
      <TextInput
        label="Base URL"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setProblem(undefined);
        }}
        error={problem}
        spellCheck={false}
        data-autofocus
        data-testid="provider-base-url"
      />
      {losesKey ? (
        <p className={classes.warning} role="status" data-testid="base-url-warning">
          <IconAlertTriangle size={14} aria-hidden />
          The stored key will be removed: it belongs to {hostOf(provider.base_url)} and is never
          sent to {hostOf(text.trim())}.
        </p>
      ) : null}
      {problem ? null : (
        <FormProblem
          error={update.error}
          onReload={() => {
            setVersion(provider.version);
            update.reset();
          }}
        />
      )}
      <div className={classes.buttons}>
        <Button variant="default" size="compact-sm" onClick={onCancel}>
          Cancel
        </Button>
        <Button
          type="submit"
          size="compact-sm"
          loading={update.isPending}
          disabled={text.trim() === provider.base_url}
          data-testid="provider-base-url-save"
        >
          {losesKey ? "Move and remove the key" : "Move"}
        </Button>
      </div>
    </form>
  );
}
