export type Zone = "local" | "utc";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `just now`, `42 s ago`, `14 min ago`; from one hour on the clock time, from another day on with the date. */
export function formatRelative(iso: string, nowMs: number, zone: Zone): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return "–";
  const age = nowMs - at;
  // The shared clock ticks every few seconds, so what has just happened may seem to lie ahead.
  if (age < -MINUTE_MS) return formatClock(iso, nowMs, zone);
  if (age < 5_000) return "just now";
  if (age < MINUTE_MS) return `${Math.floor(age / 1000)} s ago`;
  if (age < HOUR_MS) return `${Math.floor(age / MINUTE_MS)} min ago`;
  return formatClock(iso, nowMs, zone);
}

/** `14:03:22` today, `20 Nov 14:03` this year, `20 Nov 2025 14:03` before. */
export function formatClock(iso: string, nowMs: number, zone: Zone): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "–";
  const now = new Date(nowMs);
  if (dayKey(at, zone) === dayKey(now, zone)) {
    return format(at, zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  }
  return formatDate(iso, nowMs, zone);
}

/** `20 Nov 14:03`, also today; with the year when it is another one. For bounds, where a time alone says too little. */
export function formatDate(iso: string, nowMs: number, zone: Zone): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "–";
  const now = new Date(nowMs);
  const sameYear = yearOf(at, zone) === yearOf(now, zone);
  const day = format(at, zone, {
    day: "numeric",
    month: "short",
    ...(sameYear ? {} : { year: "numeric" }),
  });
  return `${day} ${format(at, zone, { hour: "2-digit", minute: "2-digit" })}`;
}

/** Full date and time with milliseconds, for detail views: `21 Nov 2026 14:03:22.418`. */
export function formatFull(iso: string, zone: Zone): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "–";
  const day = format(at, zone, { day: "numeric", month: "short", year: "numeric" });
  const time = format(at, zone, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
  });
  return `${day} ${time}${zone === "utc" ? " UTC" : ""}`;
}

/** What the tooltip of every time says: both zones and the ISO form. */
export function timeTooltip(iso: string): string {
  return `${formatFull(iso, "local")} local\n${formatFull(iso, "utc")}\n${iso}`;
}

/** Label of a chart bucket that starts at `iso`. */
export function formatBucket(iso: string, bucket: "minute" | "hour" | "day", zone: Zone): string {
  const at = new Date(iso);
  switch (bucket) {
    case "minute":
      return format(at, zone, { hour: "2-digit", minute: "2-digit" });
    case "hour":
      return `${format(at, zone, { day: "numeric", month: "short" })} ${format(at, zone, { hour: "2-digit", minute: "2-digit" })}`;
    case "day":
      return format(at, zone, { day: "numeric", month: "short" });
  }
}

export function wholeDaysBetween(fromIso: string, nowMs: number): number {
  return Math.floor((nowMs - Date.parse(fromIso)) / DAY_MS);
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function format(at: Date, zone: Zone, options: Intl.DateTimeFormatOptions): string {
  const key = `${zone}${JSON.stringify(options)}`;
  let formatter = formatters.get(key);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat("en-GB", {
      ...options,
      hourCycle: "h23",
      ...(zone === "utc" ? { timeZone: "UTC" } : {}),
    });
    formatters.set(key, formatter);
  }
  return formatter.format(at);
}

function dayKey(at: Date, zone: Zone): string {
  return format(at, zone, { day: "numeric", month: "numeric", year: "numeric" });
}

function yearOf(at: Date, zone: Zone): string {
  return format(at, zone, { year: "numeric" });
}
