import { Textarea } from "@mantine/core";
import { IconBulb, IconVariable } from "@tabler/icons-react";
import { useRef } from "react";
import { flushSync } from "react-dom";
import { EXAMPLES, FUNCTIONS, insertAt, VARIABLES } from "../conditions";
import { InsertMenu } from "./InsertMenu";
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
    text.current?.focus();
    text.current?.setSelectionRange(caret, caret);
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
        <InsertMenu
          label="Insert variable"
          icon={<IconVariable size={14} aria-hidden />}
          variant="subtle"
          heading={`Compared with == != < > and joined by && || !. Also: ${FUNCTIONS}`}
          width={440}
          items={VARIABLES}
          onPick={({ name }) => insert(name === "tags" ? 'tags["team"]' : name)}
        >
          {({ name, says }) => (
            <span className={classes.variable}>
              <code>{name}</code>
              <span>{says}</span>
            </span>
          )}
        </InsertMenu>
        <InsertMenu
          label="Examples"
          icon={<IconBulb size={14} aria-hidden />}
          variant="subtle"
          heading="Replaces the condition"
          width={340}
          items={EXAMPLES}
          onPick={({ when }) => put(when, when.length)}
        >
          {({ name, when }) => (
            <span className={classes.example}>
              <span>{name}</span>
              <code>{when}</code>
            </span>
          )}
        </InsertMenu>
      </div>
    </div>
  );
}
