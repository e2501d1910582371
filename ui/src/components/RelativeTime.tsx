import { useNow } from "@/lib/clock";
import { usePreferences } from "@/lib/preferences";
import { formatClock, formatFull, formatRelative, timeTooltip } from "@/lib/time";

type Props = {
  value: string | null;
  /** `relative` under one hour (default), always the `clock` time, or `full` with date and milliseconds. */
  format?: "relative" | "clock" | "full";
  absent?: string;
};

/** A moment. Hover shows it in both zones and in ISO form. */
export function RelativeTime({ value, format = "relative", absent = "–" }: Props) {
  const { zone } = usePreferences();
  const now = useNow();
  if (value === null) return <span className="muted">{absent}</span>;
  const shown =
    format === "full"
      ? formatFull(value, zone)
      : format === "clock"
        ? formatClock(value, now, zone)
        : formatRelative(value, now, zone);
  return (
    <time dateTime={value} title={timeTooltip(value)} className="tabular">
      {shown}
    </time>
  );
}
