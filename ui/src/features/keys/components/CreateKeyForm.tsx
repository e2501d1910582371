import { Button, Group, MultiSelect, Stack, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { CommandError, fieldErrors } from "@/api/call";
import { operationsQueryOptions } from "@/api/queries";
import type { KeyInput, KeyLimits } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { NAME_CHARS_MAX, nameProblem } from "../model";
import classes from "./CreateKeyForm.module.css";
import { LimitFields } from "./LimitFields";

type Props = {
  pending: boolean;
  error: Error | null;
  onSubmit: (input: KeyInput) => void;
  onCancel: () => void;
};

export function CreateKeyForm({ pending, error, onSubmit, onCancel }: Props) {
  const operations = useQuery(operationsQueryOptions());
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string[]>([]);
  const [limits, setLimits] = useState<KeyLimits>({});
  const [problem, setProblem] = useState<string>();
  const refused = refusals(error);
  const submit = () => {
    const found = nameProblem(name);
    setProblem(found);
    if (found === undefined && !pending)
      onSubmit({ name: name.trim(), operations: chosen, limits });
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
          error={problem ?? refused.name}
          maxLength={NAME_CHARS_MAX}
          required
          withAsterisk={false}
          autoComplete="off"
          data-autofocus
          data-testid="key-name"
        />
        <MultiSelect
          label="Operations it may use"
          description="None chosen: all of them, also ones added later."
          placeholder={chosen.length === 0 ? "All operations" : ""}
          data={(operations.data ?? []).map((operation) => operation.id)}
          value={chosen}
          onChange={setChosen}
          error={
            operations.error
              ? "The operations could not be read. The key can be made for all of them."
              : refused.operations
          }
          searchable
          clearable
          maxDropdownHeight={220}
          nothingFoundMessage="No operation has that name"
          // The frame around the chosen ones shows the focus.
          styles={{ inputField: { outline: "none" } }}
          clearButtonProps={{ "aria-label": "All operations" }}
          data-testid="key-operations"
        />
        <fieldset className={classes.limits}>
          <legend>Limits</legend>
          <p className="muted caption">
            Left empty: no limit of its own. They can be changed later.
          </p>
          <LimitFields limits={limits} onChange={setLimits} errors={refused.limits} />
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

type Refusals = {
  name?: string;
  operations?: string;
  limits: Readonly<Record<string, string>>;
  other?: Error;
};

/** Where each part of a refusal belongs: at its field, or above the buttons. */
function refusals(error: Error | null): Refusals {
  if (!error) return { limits: {} };
  const fields = fieldErrors(error);
  const { name, operations } = fields;
  if (Object.keys(fields).length > 0) {
    return {
      ...(name ? { name } : {}),
      ...(operations ? { operations } : {}),
      limits: fields,
    };
  }
  if (error instanceof CommandError && error.code === "already_exists") {
    return { name: error.message, limits: {} };
  }
  return { other: error, limits: {} };
}
