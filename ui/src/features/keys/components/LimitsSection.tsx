import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { fieldErrors } from "@/api/call";
import type { ApiKey, KeyLimits } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { FactSection } from "@/components/Facts";
import { notifyUndo } from "@/lib/notices";
import { limitWords, sameLimits } from "../model";
import { setLimitsMutationOptions } from "../mutations";
import { LimitFields } from "./LimitFields";
import classes from "./LimitFields.module.css";

/** What a key may do at most: shown, edited as a draft, and taken back from its notice. */
export function LimitsSection({ apiKey }: { apiKey: ApiKey }) {
  const [edited, setEdited] = useState<KeyLimits>();
  const undo = useMutation(setLimitsMutationOptions());
  const save = useMutation({
    ...setLimitsMutationOptions(),
    onSuccess: (key) =>
      notifyUndo(
        `The key ${key.name} has other limits`,
        // What goes wrong shows as a notice of the mutation itself.
        () => undo.mutateAsync({ id: key.id, limits: apiKey.limits }).catch(() => undefined),
        `${limitWords(key.limits)}. They count from the next request on.`,
      ),
  });
  const limits = edited ?? apiKey.limits;
  const dirty = !sameLimits(limits, apiKey.limits);
  const errors = fieldErrors(save.error);
  const cancel = () => {
    setEdited(undefined);
    save.reset();
  };
  if (apiKey.revoked_at !== null) {
    return (
      <FactSection title="Limits">
        <p className={classes.hint}>{limitWords(apiKey.limits)}</p>
      </FactSection>
    );
  }
  return (
    <FactSection title="Limits">
      <p className={classes.hint}>
        What goes over them is refused (429, or 413 for size) and costs nothing. Where one is left
        empty, only that of the whole gateway holds.
      </p>
      <form
        noValidate
        aria-label={`Limits of ${apiKey.name}`}
        onSubmit={(event) => {
          event.preventDefault();
          if (!dirty || save.isPending) return;
          save.mutate({ id: apiKey.id, limits }, { onSuccess: () => setEdited(undefined) });
        }}
      >
        <LimitFields
          limits={limits}
          errors={errors}
          onChange={(next) => {
            setEdited(next);
            if (save.error) save.reset();
          }}
        />
        {save.error && Object.keys(errors).length === 0 ? (
          <ErrorState title="The limits were not changed" error={save.error} compact />
        ) : null}
        <div className={classes.buttons}>
          {dirty ? (
            <Button variant="default" h={30} onClick={cancel} disabled={save.isPending}>
              Cancel
            </Button>
          ) : null}
          <Button
            type="submit"
            h={30}
            disabled={!dirty}
            loading={save.isPending}
            data-testid="key-limits-save"
          >
            Save limits
          </Button>
        </div>
      </form>
    </FactSection>
  );
}
