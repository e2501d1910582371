import { Button, Menu, Textarea } from "@mantine/core";
import { IconBulb, IconVariable } from "@tabler/icons-react";
import { useRef } from "react";
import { flushSync } from "react-dom";
import { EXAMPLES, insertAt, VARIABLES } from "../conditions";
import classes from "./RuleList.module.css";

type Props = {
  label: string;
  value: string;
  onChange: (value: string) => void;
  error: string | undefined;
  "data-testid": string;
};

/** A condition as text, with everything it can be about one click away. */
export function ConditionField({ label, value, onChange, error, "data-testid": testId }: Props) {
  const text = useRef<HTMLTextAreaElement>(null);
  const put = (next: string, caret: number) => {
    flushSync(() => onChange(next));
    const field = text.current;
    // After the menu has given the focus back to its button.
    requestAnimationFrame(() => {
      field?.focus();
      field?.setSelectionRange(caret, caret);
    });
  };
  const insert = (piece: string) => {
    const { selectionStart, selectionEnd } = text.current ?? {
      selectionStart: value.length,
      selectionEnd: value.length,
    };
    const made = insertAt(value, piece, selectionStart, selectionEnd);
    put(made.text, made.caret);
  };
  return (
    <div className={classes.condition}>
      <Textarea
        ref={text}
        size="xs"
        autosize
        minRows={1}
        maxRows={8}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        aria-label={label}
        placeholder="input_tokens < 500"
        error={error}
        spellCheck={false}
        autoComplete="off"
        data-testid={testId}
      />
      <div className={classes.tools}>
        <Menu position="bottom-start" width={440} shadow="md" returnFocus={false}>
          <Menu.Target>
            <Button
              variant="subtle"
              color="gray"
              size="compact-xs"
              leftSection={<IconVariable size={14} aria-hidden />}
            >
              Insert variable
            </Button>
          </Menu.Target>
          <Menu.Dropdown className={classes.list}>
            {VARIABLES.map(({ name, says }) => (
              <Menu.Item key={name} onClick={() => insert(name === "tags" ? 'tags["team"]' : name)}>
                <span className={classes.variable}>
                  <code>{name}</code>
                  <span>{says}</span>
                </span>
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        <Menu position="bottom-start" width={340} shadow="md" returnFocus={false}>
          <Menu.Target>
            <Button
              variant="subtle"
              color="gray"
              size="compact-xs"
              leftSection={<IconBulb size={14} aria-hidden />}
            >
              Examples
            </Button>
          </Menu.Target>
          <Menu.Dropdown className={classes.list}>
            <Menu.Label>Replaces the condition</Menu.Label>
            {EXAMPLES.map(({ name, when }) => (
              <Menu.Item key={name} onClick={() => put(when, when.length)}>
                <span className={classes.example}>
                  <span>{name}</span>
                  <code>{when}</code>
                </span>
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </div>
    </div>
  );
}
