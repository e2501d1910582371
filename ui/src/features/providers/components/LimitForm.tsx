import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { fieldErrors } from "@/api/call";
import type { Provider, ProviderPatch } from "@/bindings";
import { NumberField } from "@/components/NumberField";
import { notifyUndo } from "@/lib/notices";
import { switchProviderMutationOptions, updateProviderMutationOptions } from "../mutations";
import { FormProblem } from "./FormProblem";
import classes from "./parts.module.css";

/** How many calls may be under way at once; a request that finds no room goes on to the next target. */
export function LimitForm({ provider }: { provider: Provider }) {
  const update = useMutation(updateProviderMutationOptions());
  const undo = useMutation(switchProviderMutationOptions());
  const [limit, setLimit] = useState(provider.max_concurrent);
  const save = (event: FormEvent) => {
    event.preventDefault();
    update.mutate(limitPatch(provider, limit), {
      onSuccess: (changed) =>
        notifyUndo(
          changed.max_concurrent === null
            ? `${changed.name} has no limit of calls`
            : `${changed.name} gets at most ${changed.max_concurrent} calls at once`,
          () =>
            undo.mutateAsync(limitPatch(changed, provider.max_concurrent)).catch(() => undefined),
        ),
    });
  };
  const problem = fieldErrors(update.error)["max_concurrent"];
  return (
    <form onSubmit={save}>
      <span className={classes.line}>
        <NumberField
          label="At most"
          aria-label={`Calls of ${provider.name} at once`}
          inline
          value={limit}
          onChange={setLimit}
          placeholder="no limit"
          width={96}
          error={problem}
          data-testid="provider-limit"
        />
        {limit === provider.max_concurrent ? null : (
          <Button
            type="submit"
            variant="default"
            size="compact-sm"
            loading={update.isPending}
            data-testid="provider-limit-save"
          >
            Save
          </Button>
        )}
      </span>
      {problem ? null : <FormProblem error={update.error} />}
    </form>
  );
}

function limitPatch(from: Provider, limit: number | null): ProviderPatch {
  return {
    name: from.name,
    base_version: from.version,
    base_url: null,
    enabled: null,
    // 0 stands for no limit; absent would leave it as it is.
    max_concurrent: limit ?? 0,
  };
}
