import { Button, Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { fieldErrors } from "@/api/call";
import type { ApiKey, KeyScope } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { FactSection } from "@/components/Facts";
import { notifyUndo } from "@/lib/notices";
import { sameScope, scopeOf, scopeWords } from "../model";
import { setScopeMutationOptions } from "../mutations";
import classes from "./LimitFields.module.css";
import { ScopeFields } from "./ScopeFields";

/** What a key is for: edited as a draft, and taken back from its notice. */
export function ScopeSection({ apiKey, onDone }: { apiKey: ApiKey; onDone: () => void }) {
  const before = scopeOf(apiKey);
  const [scope, setScope] = useState<KeyScope>(before);
  const undo = useMutation(setScopeMutationOptions());
  const save = useMutation({
    ...setScopeMutationOptions(),
    onSuccess: (key) =>
      notifyUndo(
        `The key ${key.name} has another scope`,
        // What goes wrong shows as a notice of the mutation itself.
        () => undo.mutateAsync({ id: key.id, scope: before }).catch(() => undefined),
        `${scopeWords(key)}. It counts from the next request on.`,
      ),
  });
  const errors = fieldErrors(save.error);
  const dirty = !sameScope(scope, before);
  return (
    <FactSection title="Scope">
      <form
        noValidate
        aria-label={`Scope of ${apiKey.name}`}
        onSubmit={(event) => {
          event.preventDefault();
          if (dirty && !save.isPending) {
            save.mutate({ id: apiKey.id, scope }, { onSuccess: onDone });
          }
        }}
      >
        <Stack gap={12}>
          <ScopeFields
            scope={scope}
            errors={errors}
            onChange={(next) => {
              setScope(next);
              if (save.error) save.reset();
            }}
          />
          {save.error && Object.keys(errors).length === 0 ? (
            <ErrorState title="The key was not changed" error={save.error} compact />
          ) : null}
        </Stack>
        <div className={classes.buttons}>
          <Button variant="default" h={30} onClick={onDone} disabled={save.isPending}>
            Cancel
          </Button>
          <Button
            type="submit"
            h={30}
            disabled={!dirty}
            loading={save.isPending}
            data-testid="key-scope-save"
          >
            Save scope
          </Button>
        </div>
      </form>
    </FactSection>
  );
}
