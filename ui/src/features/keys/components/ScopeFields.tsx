import { MultiSelect, TextInput, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { operationsQueryOptions, providersQueryOptions } from "@/api/queries";
import type { KeyScope } from "@/bindings";
import { useNow } from "@/lib/clock";
import { dayOf, endOfDay, inDays, NAME_CHARS_MAX, targetChoices } from "../model";
import classes from "./ScopeFields.module.css";

type Props = {
  scope: KeyScope;
  onChange: (scope: KeyScope) => void;
  /** The message of a field, by the name the backend has for it. */
  errors: Readonly<Record<string, string>>;
};

/** Who answers for a key, what it may do, where it may go, and until when. */
export function ScopeFields({ scope, onChange, errors }: Props) {
  const operations = useQuery(operationsQueryOptions());
  const providers = useQuery(providersQueryOptions());
  const chosen = { operations: scope.operations ?? [], targets: scope.targets ?? [] };
  return (
    <>
      <TextInput
        label="Owner"
        description="The person or team that answers for it."
        placeholder="Nobody named"
        value={scope.owner ?? ""}
        onChange={(event) => onChange({ ...scope, owner: event.currentTarget.value })}
        error={errors.owner}
        maxLength={NAME_CHARS_MAX}
        autoComplete="off"
        data-testid="key-owner"
      />
      <MultiSelect
        label="Operations it may use"
        description="None chosen: all of them, also ones added later."
        placeholder={chosen.operations.length === 0 ? "All operations" : ""}
        data={(operations.data ?? []).map((operation) => operation.id)}
        value={chosen.operations}
        onChange={(ids) => onChange({ ...scope, operations: ids })}
        error={
          operations.error
            ? "The operations could not be read. The key can be made for all of them."
            : errors.operations
        }
        searchable
        clearable
        maxDropdownHeight={220}
        nothingFoundMessage="No operation has that name"
        styles={FRAME_SHOWS_FOCUS}
        clearButtonProps={{ "aria-label": "All operations" }}
        data-testid="key-operations"
      />
      <MultiSelect
        label="Where its requests may go"
        description="Providers or single models. None chosen: wherever routes lead."
        placeholder={chosen.targets.length === 0 ? "Anywhere" : ""}
        data={targetChoices(providers.data ?? [])}
        value={chosen.targets}
        onChange={(targets) => onChange({ ...scope, targets })}
        error={
          providers.error
            ? "The providers could not be read. The key can be made for all of them."
            : errors.targets
        }
        searchable
        clearable
        maxDropdownHeight={220}
        nothingFoundMessage="No provider or model has that name"
        styles={FRAME_SHOWS_FOCUS}
        clearButtonProps={{ "aria-label": "Anywhere" }}
        data-testid="key-targets"
      />
      <ExpiryField scope={scope} onChange={onChange} error={errors.expires_at} />
    </>
  );
}

/** The frame around the chosen ones shows the focus. */
const FRAME_SHOWS_FOCUS = { inputField: { outline: "none" } };

const PRESETS = [
  { days: 30, label: "30 days" },
  { days: 90, label: "90 days" },
  { days: 365, label: "A year" },
];

function ExpiryField({
  scope,
  onChange,
  error,
}: Pick<Props, "scope" | "onChange"> & { error: string | undefined }) {
  const now = useNow();
  const end = scope.expires_at ?? null;
  const set = (expires_at: string | null) => onChange({ ...scope, expires_at });
  return (
    <div>
      <TextInput
        type="date"
        label="Expires"
        description="At the end of that day. Left empty: never."
        value={end === null ? "" : dayOf(end)}
        min={dayOf(new Date(now).toISOString())}
        onChange={(event) => set(endOfDay(event.currentTarget.value) ?? null)}
        error={error}
        data-testid="key-expires"
      />
      <div className={classes.presets} role="group" aria-label="Expires">
        {PRESETS.map(({ days, label }) => (
          <UnstyledButton
            key={days}
            className={classes.preset}
            onClick={() => set(inDays(days, now))}
            data-testid={`key-expires-${days}`}
          >
            {label}
          </UnstyledButton>
        ))}
        <UnstyledButton className={classes.preset} onClick={() => set(null)}>
          Never
        </UnstyledButton>
      </div>
    </div>
  );
}
