import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { CommandError, fieldErrors } from "@/api/call";
import type { KeyInput, KeyLimits, KeyScope } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { parseUsd } from "@/lib/money";
import { NAME_CHARS_MAX, nameProblem } from "../model";
import classes from "./CreateKeyForm.module.css";
import { LimitFields } from "./LimitFields";
import { ScopeFields } from "./ScopeFields";

type Props = {
  pending: boolean;
  error: Error | null;
  onSubmit: (input: KeyInput) => void;
  onCancel: () => void;
};

export function CreateKeyForm({ pending, error, onSubmit, onCancel }: Props) {
  const [name, setName] = useState("");
  const [scope, setScope] = useState<KeyScope>({});
  const [limits, setLimits] = useState<KeyLimits>({});
  const [usd, setUsd] = useState("");
  const [problem, setProblem] = useState<string>();
  const refused = refusals(error);
  const budget = parseUsd(usd);
  const submit = () => {
    const found = nameProblem(name);
    setProblem(found);
    if (found !== undefined || budget === undefined || pending) return;
    const own = budget === null ? {} : { budget_per_day: budget };
    onSubmit({ name: name.trim(), scope, limits, ...own });
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap={16}>
        <TextInput
          label="Name"
          description="The program or machine that will use it. It stands in the logs."
          placeholder="support-desk"
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value);
            setProblem(undefined);
          }}
          error={problem ?? refused.fields.name}
          maxLength={NAME_CHARS_MAX}
          required
          withAsterisk={false}
          autoComplete="off"
          data-autofocus
          data-testid="key-name"
        />
        <ScopeFields scope={scope} onChange={setScope} errors={refused.fields} />
        <fieldset className={classes.limits}>
          <legend>Limits</legend>
          <p className="muted caption">
            Left empty: no limit of its own. They can be changed later.
          </p>
          <LimitFields limits={limits} onChange={setLimits} errors={refused.fields} />
          <TextInput
            mt={12}
            label="Budget per day"
            description="Hard stop: requests that could exceed it are refused until midnight UTC. It is made with the key."
            placeholder="no budget of its own"
            leftSection="$"
            value={usd}
            onChange={(event) => setUsd(event.currentTarget.value)}
            inputMode="decimal"
            autoComplete="off"
            error={
              budget === undefined
                ? "An amount in US dollars, such as 5 or 0.25."
                : refused.fields["budget_per_day"]
            }
            data-testid="key-budget"
          />
        </fieldset>
        <p className="muted">
          Signalbox puts the key on your clipboard once. It keeps a fingerprint of it and cannot
          show the key again.
        </p>
        {refused.other ? (
          <ErrorState title="The key was not created" error={refused.other} compact />
        ) : null}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onCancel} disabled={pending}>
            Cancel
          </Button>
          <Button type="submit" loading={pending} data-testid="key-create-submit">
            Create key
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

type Refusals = { fields: Readonly<Record<string, string>>; other?: Error };

/** Where each part of a refusal belongs: at its field, or above the buttons. */
function refusals(error: Error | null): Refusals {
  if (!error) return { fields: {} };
  const fields = fieldErrors(error);
  if (Object.keys(fields).length > 0) return { fields };
  if (error instanceof CommandError && error.code === "already_exists") {
    return { fields: { name: error.message } };
  }
  return { fields: {}, other: error };
}
