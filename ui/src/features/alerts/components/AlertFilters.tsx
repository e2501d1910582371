import { Select, UnstyledButton } from "@mantine/core";
import type { AlertRule } from "@/bindings";
import classes from "@/components/FilterChips.module.css";
import { SEVERITIES } from "../model";
import type { AlertsSearch } from "../search";

type Props = {
  search: AlertsSearch;
  /** Every kind there is, by its rule. */
  kinds: readonly AlertRule[];
  onChange: (patch: Partial<AlertsSearch>) => void;
};

/** One click for what was seen too, and for each severity; the kind from a list. */
export function AlertFilters({ search, kinds, onChange }: Props) {
  const showsAll = search.show === "all";
  return (
    <div className={classes.bar} role="group" aria-label="Filters">
      <UnstyledButton
        className={classes.chip}
        data-active={!showsAll}
        aria-pressed={!showsAll}
        onClick={() => onChange({ show: showsAll ? undefined : "all" })}
        data-testid="alerts-open-only"
      >
        Open only
      </UnstyledButton>
      <span className={classes.divider} aria-hidden />
      {SEVERITIES.map(({ severity, word }) => {
        const active = search.severity === severity;
        return (
          <UnstyledButton
            key={severity}
            className={classes.chip}
            data-active={active}
            aria-pressed={active}
            onClick={() => onChange({ severity: active ? undefined : severity })}
            data-testid={`alerts-severity-${severity}`}
          >
            {word}
          </UnstyledButton>
        );
      })}
      <span className={classes.divider} aria-hidden />
      <Select
        aria-label="Kind"
        placeholder="Any kind"
        size="xs"
        w={220}
        data={kinds.map(({ kind, title }) => ({ value: kind, label: title }))}
        value={search.kind ?? null}
        onChange={(kind) => onChange({ kind: kind ?? undefined })}
        clearable
        searchable
        data-testid="alerts-kind"
      />
    </div>
  );
}
