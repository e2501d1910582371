import { SegmentedControl, Select, Switch, TextInput } from "@mantine/core";
import type { Setting } from "@/bindings";
import { choiceOf, isSwitch, labelOf, shortUnit, spanBeside } from "../model";
import classes from "./SettingRow.module.css";

type Props = {
  setting: Setting;
  /** What it shows: the value, or what is being typed or saved. */
  value: string;
  onType: (value: string) => void;
  /** What was typed is forgotten. */
  onCancel: () => void;
  onApply: (value: string) => void;
  error: string | undefined;
};

/** More choices than this do not fit side by side. */
const SEGMENTS_MAX = 3;

/** The control that fits the form of a setting. Choices apply on a click, a number on Enter or on leaving its field. */
export function SettingControl(props: Props) {
  const { setting, value, onApply, error } = props;
  const label = labelOf(setting.name);
  const testId = `setting-control-${setting.name}`;
  if (setting.choices.length === 0) return <NumberControl {...props} />;
  if (isSwitch(setting)) {
    return (
      <Switch
        checked={value === "true"}
        onChange={(event) => onApply(String(event.currentTarget.checked))}
        aria-label={label}
        label={value === "true" ? "On" : "Off"}
        error={error}
        data-testid={testId}
      />
    );
  }
  const data = setting.choices.map((choice) => ({
    value: choice,
    label: choiceOf(setting.name, choice).word,
  }));
  if (data.length > SEGMENTS_MAX) {
    return (
      <Select
        data={data}
        value={value}
        onChange={(next) => next !== null && onApply(next)}
        aria-label={label}
        error={error}
        w={240}
        data-testid={testId}
      />
    );
  }
  return (
    <>
      <SegmentedControl
        className={classes.segments}
        size="sm"
        data={data}
        value={value}
        onChange={onApply}
        aria-label={label}
        data-testid={testId}
      />
      {error === undefined ? null : (
        <p className={classes.error} role="alert">
          {error}
        </p>
      )}
    </>
  );
}

/** A number as it is typed. Whether it fits, the backend says. */
function NumberControl({ setting, value, onType, onCancel, onApply, error }: Props) {
  const unit = setting.unit === null ? undefined : shortUnit(setting.unit);
  const span = spanBeside(setting, value);
  return (
    <div className={classes.number}>
      <TextInput
        className={classes.field}
        value={value}
        onChange={(event) => {
          const next = event.currentTarget.value.trim();
          if (/^\d*$/.test(next)) onType(next);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") onApply(value);
          if (event.key === "Escape") onCancel();
        }}
        // What was refused stays to be corrected; asking again by merely leaving would change nothing.
        onBlur={() => error === undefined && onApply(value)}
        inputMode="numeric"
        autoComplete="off"
        aria-label={
          unit === undefined ? labelOf(setting.name) : `${labelOf(setting.name)}, ${unit}`
        }
        error={error}
        rightSection={unit === undefined ? null : <span className={classes.unit}>{unit}</span>}
        rightSectionWidth={unit === undefined ? 0 : 20 + unit.length * 7}
        rightSectionPointerEvents="none"
        data-testid={`setting-control-${setting.name}`}
      />
      {span === undefined ? null : (
        <span className={classes.span} data-testid={`setting-span-${setting.name}`}>
          = {span}
        </span>
      )}
    </div>
  );
}
