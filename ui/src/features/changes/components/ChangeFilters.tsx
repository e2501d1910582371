import { Combobox, UnstyledButton, useCombobox } from "@mantine/core";
import { IconChevronDown, IconX } from "@tabler/icons-react";
import { useState } from "react";
import type { ChangeFilter } from "@/bindings";
import { offeredKinds } from "../model";
import classes from "@/components/FilterChips.module.css";

type Props = {
  filter: ChangeFilter;
  subjects: readonly string[];
  actors: readonly string[];
  onChange: (patch: ChangeFilter) => void;
};

/** One click per kind of thing; what exactly changed and who did it are chosen from a list or typed. */
export function ChangeFilters({ filter, subjects, actors, onChange }: Props) {
  return (
    <div className={classes.bar} role="group" aria-label="Filters">
      {offeredKinds(filter.kind ?? undefined).map(({ kind, word, icon: Icon }) => {
        const active = filter.kind === kind;
        return (
          <UnstyledButton
            key={kind}
            className={classes.chip}
            data-active={active}
            aria-pressed={active}
            onClick={() => onChange({ kind: active ? undefined : kind })}
            data-testid={`change-kind-${kind}`}
          >
            <Icon size={14} aria-hidden />
            {word}
          </UnstyledButton>
        );
      })}
      <span className={classes.divider} aria-hidden />
      <Choice
        label="Subject"
        options={subjects}
        value={filter.subject ?? undefined}
        onChange={(subject) => onChange({ subject })}
      />
      <Choice
        label="Who"
        options={actors}
        value={filter.actor ?? undefined}
        onChange={(actor) => onChange({ actor })}
      />
    </div>
  );
}

type ChoiceProps = {
  label: string;
  options: readonly string[];
  value: string | undefined;
  onChange: (value: string | undefined) => void;
};

/** Most options shown at once; typing narrows them. */
const OPTIONS_MAX = 50;

function Choice({ label, options, value, onChange }: ChoiceProps) {
  const [typed, setTyped] = useState("");
  const combobox = useCombobox({
    onDropdownOpen: () => {
      setTyped("");
      // The search field is put in the page after the dropdown has its place.
      requestAnimationFrame(() => combobox.focusSearchInput());
    },
    onDropdownClose: () => combobox.resetSelectedOption(),
  });
  const wanted = typed.trim();
  const shown = options
    .filter((option) => option.toLowerCase().includes(wanted.toLowerCase()))
    .slice(0, OPTIONS_MAX);
  const choose = (next: string) => {
    combobox.closeDropdown();
    combobox.focusTarget();
    onChange(next === value ? undefined : next);
  };
  return (
    <span className={classes.pair}>
      <Combobox
        store={combobox}
        onOptionSubmit={choose}
        width={260}
        position="bottom-start"
        transitionProps={{ duration: 80 }}
      >
        <Combobox.Target targetType="button">
          <UnstyledButton
            className={classes.chip}
            data-active={value !== undefined}
            aria-label={value === undefined ? label : `${label}: ${value}`}
            onClick={() => combobox.toggleDropdown()}
            data-testid={`change-filter-${label.toLowerCase()}`}
          >
            <span className="ellipsis">{value === undefined ? label : `${label}: ${value}`}</span>
            {value === undefined ? <IconChevronDown size={12} aria-hidden /> : null}
          </UnstyledButton>
        </Combobox.Target>
        <Combobox.Dropdown>
          <Combobox.Search
            value={typed}
            onChange={(event) => {
              setTyped(event.currentTarget.value);
              combobox.updateSelectedOptionIndex();
            }}
            placeholder="Type a name"
            aria-label={`${label}, type a name`}
          />
          <Combobox.Options mah={280} className={classes.options}>
            {shown.map((option) => (
              <Combobox.Option key={option} value={option} active={option === value}>
                <span className="mono">{option}</span>
              </Combobox.Option>
            ))}
            {wanted !== "" && !shown.includes(wanted) ? (
              <Combobox.Option value={wanted}>
                Exactly <span className="mono">{wanted}</span>
              </Combobox.Option>
            ) : null}
            {wanted === "" && shown.length === 0 ? (
              <Combobox.Empty>Nothing has changed yet</Combobox.Empty>
            ) : null}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
      {value === undefined ? null : (
        <UnstyledButton
          className={classes.remove}
          aria-label={`Remove the filter ${label}`}
          onClick={() => onChange(undefined)}
        >
          <IconX size={12} aria-hidden />
        </UnstyledButton>
      )}
    </span>
  );
}
