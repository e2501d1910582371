import { CloseButton, Select } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { operationsQueryOptions } from "@/api/queries";
import type { Toggle } from "@/bindings";
import { setToggleMutationOptions } from "../mutations";
import classes from "../toggles.module.css";

/** The operations that have a toggle otherwise, and a way to name one more. */
export function OperationExceptions({ toggle }: { toggle: Toggle }) {
  const operations = useQuery(operationsQueryOptions());
  const set = useMutation(setToggleMutationOptions());
  const known = new Set(toggle.operations.map(({ operation }) => operation));
  const others = (operations.data ?? []).map(({ id }) => id).filter((id) => !known.has(id));
  const change = (operation: string, enabled: boolean | null, before: boolean | null) =>
    set.mutate({ input: { name: toggle.name, operation, enabled, reason: null }, before });
  return (
    <div className={classes.exceptions}>
      {toggle.operations.map(({ operation, enabled }) => (
        <span
          key={operation}
          className={classes.exception}
          data-testid={`toggle-exception-${operation}`}
        >
          <span className="mono">{operation}</span> {word(enabled)}
          <CloseButton
            size="xs"
            aria-label={`${operation}: as for all operations`}
            onClick={() => change(operation, null, enabled)}
          />
        </span>
      ))}
      <Select
        size="xs"
        className={classes.pick}
        aria-label={`Turn ${word(!toggle.enabled)} for one operation`}
        placeholder={`Turn ${word(!toggle.enabled)} for one operation…`}
        data={others}
        value={null}
        onChange={(operation) => {
          if (operation !== null) change(operation, !toggle.enabled, null);
        }}
        searchable
        nothingFoundMessage="No other operation"
        disabled={set.isPending}
        data-testid={`toggle-operation-${toggle.name}`}
      />
    </div>
  );
}

function word(enabled: boolean): string {
  return enabled ? "on" : "off";
}
