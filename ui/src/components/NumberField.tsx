import { TextInput } from "@mantine/core";
import { useState } from "react";
import classes from "./NumberField.module.css";

type Props = {
  label: string;
  /** The label stands in front of the field instead of above it. */
  inline?: boolean;
  description?: string;
  /** In the unit it is kept in; null where nothing is set. */
  value: number | null;
  onChange: (value: number | null) => void;
  /** How many kept units one shown unit is, e.g. 1000 for seconds kept as milliseconds. */
  per?: number;
  /** Shown unit, e.g. "s". */
  unit?: string;
  /** What holds while nothing is set. */
  placeholder?: string;
  /** Accessible name, where the label alone does not say what it is about. */
  "aria-label"?: string;
  /** In line, the field only shows that there is one: say it below the line, under this id. */
  error?: string | undefined;
  errorId?: string;
  width?: number;
  disabled?: boolean;
  "data-testid"?: string;
};

/** The largest number the backend takes. */
const MOST = 4_294_967_295;

/** A number that may be left out. What is typed stays as typed (`1.`, `0.50`) while it says the same. */
export function NumberField(props: Props) {
  const { label, inline = false, description, value, onChange, per = 1, unit, width } = props;
  const [typed, setTyped] = useState<string>();
  const text = typed !== undefined && toKept(typed, per) === value ? typed : toShown(value, per);
  const field = (
    <TextInput
      {...(inline ? { size: "xs" as const } : { label, description })}
      className={classes.input}
      styles={width === undefined ? {} : { wrapper: { width } }}
      value={text}
      onChange={(event) => {
        const next = event.currentTarget.value.replace(",", ".").trim();
        if (!(per === 1 ? /^\d*$/ : /^\d*\.?\d*$/).test(next)) return;
        const kept = toKept(next, per);
        if (kept !== null && kept > MOST) return;
        setTyped(next);
        if (kept !== value) onChange(kept);
      }}
      onBlur={() => setTyped(undefined)}
      placeholder={props.placeholder}
      inputMode={per === 1 ? "numeric" : "decimal"}
      autoComplete="off"
      aria-label={props["aria-label"] ?? (inline ? label : undefined)}
      error={inline ? props.error !== undefined : props.error}
      aria-describedby={inline && props.error !== undefined ? props.errorId : undefined}
      disabled={props.disabled ?? false}
      rightSection={unit === undefined ? null : <span className={classes.unit}>{unit}</span>}
      rightSectionWidth={unit === undefined ? 0 : 14 + unit.length * 7}
      rightSectionPointerEvents="none"
      data-testid={props["data-testid"]}
    />
  );
  if (!inline) return field;
  return (
    <span className={classes.inline}>
      <span aria-hidden>{label}</span>
      {field}
    </span>
  );
}

function toShown(value: number | null, per: number): string {
  return value === null ? "" : String(value / per);
}

function toKept(text: string, per: number): number | null {
  return text === "" || text === "." ? null : Math.round(Number(text) * per);
}
