import { useNow } from "@/lib/clock";
import { usePreferences } from "@/lib/preferences";
import {
  formatClock,
  formatDate,
  formatFull,
  formatRelative,
  timeTooltip,
  type Zone,
} from "@/lib/time";

type Props = {
  value: string | null;
  /** `relative` under one hour (default), always the `clock` time, always with its `date`, or `full` with milliseconds. */
  format?: "relative" | "clock" | "date" | "full";
  absent?: string;
};

/** A moment. Hover shows it in both zones and in ISO form. */
export function RelativeTime({ value, format = "relative", absent = "–" }: Props) {
  const { zone } = usePreferences();
  const now = useNow();
  if (value === null) return <span className="muted">{absent}</span>;
  const shown = inFormat(format, value, now, zone);
  return (
    <time dateTime={value} title={timeTooltip(value)} className="tabular">
      {shown}
    </time>
  );
}

function inFormat(format: NonNullable<Props["format"]>, iso: string, now: number, zone: Zone) {
  switch (format) {
    case "relative":
      return formatRelative(iso, now, zone);
    case "clock":
      return formatClock(iso, now, zone);
    case "date":
      return formatDate(iso, now, zone);
    case "full":
      return formatFull(iso, zone);
  }
}
