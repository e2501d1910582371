import { Button, Modal, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { keysQueryOptions } from "@/api/queries";
import { removeProviderMutationOptions } from "../mutations";
import { FormProblem } from "./FormProblem";
import classes from "./parts.module.css";

type Props = { name: string; onRemoved: () => void };

/** Removes a provider after its name was typed; a refusal is explained in the dialog. */
export function RemoveProvider({ name, onRemoved }: Props) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <div className={classes.line}>
        <p className={classes.note}>
          Takes away its models, prices and key. What it served stays in the log.
        </p>
        <Button
          variant="subtle"
          color="critical"
          size="compact-sm"
          onClick={() => setOpened(true)}
          data-testid="provider-remove"
        >
          Remove provider
        </Button>
      </div>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={`Remove ${name}?`}
        padding="lg"
      >
        <Question name={name} onRemoved={onRemoved} onCancel={() => setOpened(false)} />
      </Modal>
    </>
  );
}

function Question({ name, onRemoved, onCancel }: Props & { onCancel: () => void }) {
  const remove = useMutation(removeProviderMutationOptions());
  const keys = useQuery(keysQueryOptions());
  const bringing = (keys.data ?? [])
    .filter((key) => key.own_credentials.some((own) => own.provider === name))
    .map((key) => key.name);
  const [typed, setTyped] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed === name) remove.mutate(name, { onSuccess: onRemoved });
  };
  return (
    <form className={classes.form} onSubmit={submit} autoComplete="off">
      <p>
        Its models, prices and key are deleted. This cannot be undone. The requests it served and
        what they cost stay in the log.
      </p>
      {bringing.length > 0 && (
        <p data-testid="provider-remove-own-credentials">
          The credentials that API keys bring of their own for it are deleted too:{" "}
          {bringing.join(", ")}.
        </p>
      )}
      <TextInput
        label={`Type ${name} to confirm`}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        spellCheck={false}
        data-testid="provider-remove-name"
      />
      <FormProblem error={remove.error} data-testid="provider-remove-problem" />
      <div className={classes.buttons}>
        <Button variant="default" onClick={onCancel} data-autofocus>
          Cancel
        </Button>
        <Button
          type="submit"
          color="critical"
          disabled={typed !== name}
          loading={remove.isPending}
          data-testid="provider-remove-confirm"
        >
          Remove provider
        </Button>
      </div>
    </form>
  );
}
