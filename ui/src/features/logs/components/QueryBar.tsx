import { Combobox, Kbd, TextInput, useCombobox } from "@mantine/core";
import { IconAlertCircle, IconFilter, IconX } from "@tabler/icons-react";
import { ActionIcon } from "@mantine/core";
import { type KeyboardEvent, type Ref, useState } from "react";
import { formatCount } from "@/lib/numbers";
import {
  type Completion,
  complete,
  formatFilter,
  type KeyName,
  type LogFilter,
  parseQuery,
  type Vocabulary,
} from "../query";
import classes from "./QueryBar.module.css";

type Props = {
  filter: LogFilter;
  vocabulary: Vocabulary;
  onChange: (filter: LogFilter) => void;
  inputRef: Ref<HTMLInputElement>;
};

/** The filter as text, with completion. Enter applies it; what cannot be understood is named and nothing is applied. */
export function QueryBar({ filter, vocabulary, onChange, inputRef }: Props) {
  const applied = formatFilter(filter, vocabulary.keys);
  const [edit, setEdit] = useState<{ applied: string; text: string }>();
  const [caret, setCaret] = useState(0);
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  // A filter that changes elsewhere (a chip, a link, the back button) replaces what was being typed.
  const text = edit?.applied === applied ? edit.text : applied;
  const { problems } = parseQuery(text, vocabulary.keys);
  const shown = edit?.applied === applied ? problems : [];
  const options = complete(text, caret, vocabulary);

  const type = (next: string, at: number) => {
    setEdit({ applied, text: next });
    setCaret(at);
    combobox.openDropdown();
    combobox.resetSelectedOption();
  };
  const accept = (option: Completion) => {
    const next = text.slice(0, option.start) + option.insert + text.slice(option.end).trimStart();
    const at = option.start + option.insert.length;
    type(next, at);
    const input = combobox.targetRef.current;
    if (input instanceof HTMLInputElement) {
      requestAnimationFrame(() => input.setSelectionRange(at, at));
    }
  };
  const apply = (next: string) => {
    const parsed = parseQuery(next, vocabulary.keys);
    if (parsed.problems.length > 0) return;
    combobox.closeDropdown();
    setEdit(undefined);
    onChange(parsed.filter);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const selected = combobox.dropdownOpened && combobox.getSelectedOptionIndex() >= 0;
    if (event.key === "Enter" && !selected) {
      event.preventDefault();
      apply(text);
    } else if (event.key === "Tab" && !event.shiftKey && edit && combobox.dropdownOpened) {
      const [first] = options;
      if (!first || text.slice(first.start, caret).trim() === "") return;
      event.preventDefault();
      accept(first);
    } else if (event.key === "Escape" && !combobox.dropdownOpened && edit) {
      setEdit(undefined);
    }
  };

  return (
    <div className={classes.bar}>
      <Combobox
        store={combobox}
        withinPortal
        position="bottom-start"
        onOptionSubmit={(value) => {
          const option = options.find((candidate) => candidate.insert === value);
          if (option) accept(option);
        }}
      >
        <Combobox.Target autoComplete="off">
          <TextInput
            ref={inputRef}
            value={text}
            aria-label="Filter requests"
            aria-invalid={shown.length > 0}
            aria-describedby={shown.length > 0 ? "query-problem" : undefined}
            placeholder="status:failed  cost:>0.1  model:claude*  operation:…"
            spellCheck={false}
            classNames={{ input: classes.input ?? "" }}
            leftSection={<IconFilter size={14} aria-hidden />}
            rightSectionWidth={text === "" ? 34 : 64}
            rightSection={
              text === "" ? (
                <Kbd size="xs">/</Kbd>
              ) : (
                <span className={classes.right}>
                  {edit && text !== applied ? <Kbd size="xs">⏎</Kbd> : null}
                  <ActionIcon
                    aria-label="Clear the filter"
                    size={24}
                    onClick={() => apply("")}
                    data-testid="query-clear"
                  >
                    <IconX size={14} aria-hidden />
                  </ActionIcon>
                </span>
              )
            }
            onChange={(event) =>
              type(
                event.currentTarget.value,
                event.currentTarget.selectionStart ?? event.currentTarget.value.length,
              )
            }
            onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
            onClick={() => combobox.openDropdown()}
            onBlur={() => combobox.closeDropdown()}
            onKeyDown={onKeyDown}
            data-testid="query-input"
          />
        </Combobox.Target>
        <Combobox.Dropdown hidden={options.length === 0}>
          <Combobox.Options mah={320} style={{ overflowY: "auto" }}>
            {options.map((option) => (
              <Combobox.Option key={option.insert} value={option.insert}>
                <span className={classes.option}>
                  <span className="mono">{option.label}</span>
                  <span className="muted">
                    {option.hint ?? (option.count === undefined ? "" : formatCount(option.count))}
                  </span>
                </span>
              </Combobox.Option>
            ))}
          </Combobox.Options>
          <Combobox.Footer>
            <span className="caption muted">
              <Kbd size="xs">⏎</Kbd> applies · <Kbd size="xs">Tab</Kbd> completes ·{" "}
              <Kbd size="xs">↑↓</Kbd> chooses
            </span>
          </Combobox.Footer>
        </Combobox.Dropdown>
      </Combobox>
      {shown.length > 0 ? (
        <p id="query-problem" className={classes.problem} role="status" data-testid="query-problem">
          <IconAlertCircle size={14} aria-hidden />
          {shown[0]?.message}
        </p>
      ) : null}
    </div>
  );
}

export function keyNames(keys: readonly { id: string; name: string }[] | undefined): KeyName[] {
  return (keys ?? []).map(({ id, name }) => ({ id, name }));
}
