import { SegmentedControl } from "@mantine/core";
import { DateTimePicker } from "@mantine/dates";
import dayjs from "dayjs";

/** How the field writes a moment, in the computer's own zone. */
const FIELD = "YYYY-MM-DD HH:mm:ss";

type Props = {
  /** An instant; undefined: from now on. */
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  error?: string | undefined;
};

/** From when a price holds: at once, or at a moment to come. */
export function FromWhen({ value, onChange, error }: Props) {
  return (
    <>
      <SegmentedControl
        data={[
          { value: "now", label: "From now on" },
          { value: "later", label: "Later" },
        ]}
        value={value === undefined ? "now" : "later"}
        onChange={(choice) =>
          onChange(
            choice === "now" ? undefined : dayjs().add(1, "day").startOf("day").toISOString(),
          )
        }
        aria-label="From when"
        data-testid="price-from"
      />
      {value === undefined ? null : (
        <DateTimePicker
          aria-label="From when (local time)"
          value={dayjs(value).format(FIELD)}
          onChange={(next) => onChange(next === null ? undefined : dayjs(next).toISOString())}
          minDate={dayjs().format(FIELD)}
          error={error}
        />
      )}
    </>
  );
}
