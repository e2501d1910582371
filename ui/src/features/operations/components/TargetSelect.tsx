import { Select } from "@mantine/core";
import { useMemo } from "react";
import { StatusBadge } from "@/components/StatusBadge";
import { parseTarget, type TargetCatalogue } from "../targets";
import { optionText, readinessWord } from "../words";
import classes from "./TargetSelect.module.css";

type Props = {
  catalogue: TargetCatalogue;
  /** 1 is tried first. */
  place: number;
  /** The chosen target; null for a card that has none yet. */
  value: string | null;
  /** Targets of the other cards: a chain does not try the same one twice. */
  taken: ReadonlySet<string>;
  error?: string | undefined;
  onChoose: (provider: string, model: string) => void;
  /** The focus leaves without a choice. */
  onLeave?: () => void;
  /** Escape, where there is something to go back to. */
  onCancel?: () => void;
  /** Takes the focus and shows its choices at once. */
  unfolded?: boolean;
};

/** The dropdown of a card: every target that can do the work, by provider, with its price. Typing searches. */
export function TargetSelect(props: Props) {
  const {
    catalogue,
    place,
    value,
    taken,
    error,
    onChoose,
    onLeave,
    onCancel,
    unfolded = false,
  } = props;
  const data = useMemo(() => choices(catalogue, value, taken), [catalogue, value, taken]);
  return (
    <Select
      className={classes.select}
      classNames={{ input: classes.input, option: classes.option }}
      data={data}
      value={value}
      onChange={(chosen) => {
        if (chosen === null) return;
        const { provider, model } = parseTarget(chosen);
        onChoose(provider, model);
      }}
      renderOption={({ option }) => (
        <Choice name={option.value} catalogue={catalogue} taken={taken.has(option.value)} />
      )}
      size="xs"
      searchable
      selectFirstOptionOnChange
      // Tab passes by without a list unfolding; a click, a letter or ↓ opens it.
      openOnFocus={false}
      defaultDropdownOpened={unfolded}
      data-autofocus={unfolded}
      // oxlint-disable-next-line jsx-a11y/no-autofocus -- the card appears because a person asked for it
      autoFocus={unfolded}
      onBlur={() => onLeave?.()}
      onKeyDown={(event) => {
        // The first Escape closes the list; only then is the next one for the sheet.
        if (event.key !== "Escape") return;
        const listShown = event.currentTarget.getAttribute("aria-expanded") === "true";
        if (listShown || onCancel) event.stopPropagation();
        if (!listShown) onCancel?.();
      }}
      nothingFoundMessage="No such target. Models are added under Providers."
      placeholder="Choose a target"
      aria-label={`Target ${place}`}
      error={error}
      spellCheck={false}
      maxDropdownHeight={340}
      comboboxProps={{ width: 440, position: "bottom-start" }}
      data-testid={`route-target-select-${place}`}
    />
  );
}

type ChoiceProps = { name: string; catalogue: TargetCatalogue; taken: boolean };

function Choice({ name, catalogue, taken }: ChoiceProps) {
  const option = catalogue.option(name);
  return (
    <span className={classes.choice}>
      <span className={classes.name}>{name}</span>
      <span className={classes.price}>{option ? optionText(option) : null}</span>
      <span className={classes.state}>
        {taken ? (
          <StatusBadge tone="neutral">In the chain</StatusBadge>
        ) : option ? (
          <StatusBadge tone={option.ready.ready ? "ok" : "neutral"} title={option.ready.text}>
            {readinessWord(option.ready)}
          </StatusBadge>
        ) : null}
      </span>
    </span>
  );
}

/** The catalogue, without what other cards have, and with the present choice even if it is no longer offered. */
function choices(
  catalogue: TargetCatalogue,
  value: string | null,
  taken: ReadonlySet<string>,
): { group: string; items: { value: string; label: string; disabled: boolean }[] }[] {
  const groups = catalogue.groups.map(({ group, items }) => ({
    group,
    items: items.map((item) => ({ ...item, disabled: taken.has(item.value) })),
  }));
  const offered = groups.some((group) => group.items.some((item) => item.value === value));
  if (value === null || offered) return groups;
  return [
    { group: "No longer offered", items: [{ value, label: value, disabled: false }] },
    ...groups,
  ];
}
