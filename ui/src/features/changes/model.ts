import {
  IconAdjustments,
  IconBan,
  IconBell,
  IconCoin,
  IconCpu,
  IconFlame,
  IconGavel,
  IconHandStop,
  IconHeartbeat,
  IconKey,
  IconPackage,
  IconPencil,
  IconPlugConnected,
  IconRoute,
  IconShieldLock,
  IconToggleRight,
  IconUser,
  IconWallet,
} from "@tabler/icons-react";
import type { LinkProps } from "@tanstack/react-router";
import type { ComponentType } from "react";
import type { ChainReport, Change, ChangeFilter, ThingState } from "@/bindings";
import { type RangeSearch, resolveRange } from "@/lib/timeRange";
import type { ChangesSearch } from "./search";

type Icon = ComponentType<{ size?: number; stroke?: number; "aria-hidden"?: boolean }>;
export type Kind = { kind: string; word: string; icon: Icon };

/** Everything that can change, as the backend names it. */
export const KINDS: readonly Kind[] = [
  { kind: "route", word: "Route", icon: IconRoute },
  { kind: "provider", word: "Provider", icon: IconPlugConnected },
  { kind: "credential", word: "Credential", icon: IconShieldLock },
  { kind: "model", word: "Model", icon: IconCpu },
  { kind: "model_block", word: "Model block", icon: IconBan },
  { kind: "price", word: "Price", icon: IconCoin },
  { kind: "health", word: "Circuit", icon: IconHeartbeat },
  { kind: "key", word: "API key", icon: IconKey },
  { kind: "setting", word: "Setting", icon: IconAdjustments },
  { kind: "budget", word: "Budget", icon: IconWallet },
  { kind: "approval", word: "Approval", icon: IconGavel },
  { kind: "toggle", word: "Toggle", icon: IconToggleRight },
  { kind: "kill_switch", word: "Kill switch", icon: IconHandStop },
  { kind: "person", word: "Person", icon: IconUser },
  { kind: "alert", word: "Alerts", icon: IconBell },
  { kind: "drill", word: "Drill", icon: IconFlame },
  { kind: "install", word: "Installation", icon: IconPackage },
];

/** A kind by its name; one that this window does not know yet is shown as it is written. */
export function kindOf(kind: string): Kind {
  return KINDS.find((known) => known.kind === kind) ?? { kind, word: kind, icon: IconPencil };
}

/** What the filter offers: an installation happens once, so it is no choice unless it was chosen by a link. */
export function offeredKinds(chosen: string | undefined): readonly Kind[] {
  const common = KINDS.filter(({ kind }) => kind !== "install");
  return chosen === undefined || common.some(({ kind }) => kind === chosen)
    ? common
    : [...common, kindOf(chosen)];
}

const SOURCES: Readonly<Record<string, { short: string; words: string }>> = {
  window: { short: "window", words: "in the window" },
  cli: { short: "command line", words: "on the command line" },
  install: { short: "first start", words: "at the first start" },
};

/** By which way a change came, to follow a name: "admin, in the window". */
export function sourceWords(source: string): string {
  return SOURCES[source]?.words ?? source;
}

export function sourceShort(source: string): string {
  return SOURCES[source]?.short ?? source;
}

/** The part of the URL that asks the backend; absent fields are left out, so that equal filters are equal. */
export function pickFilter(search: ChangesSearch): ChangeFilter {
  return {
    ...(search.kind ? { kind: search.kind } : {}),
    ...(search.subject ? { subject: search.subject } : {}),
    ...(search.actor ? { actor: search.actor } : {}),
    ...(search.q ? { text: search.q } : {}),
  };
}

/** What is asked for: conditions, and a time range whose edges follow the clock. */
export type Where = { filter: ChangeFilter; range: RangeSearch };

/** The whole filter at this moment. A relative range has no end, so that what comes in next belongs to it. */
export function filterAt({ filter, range }: Where, nowMs: number): ChangeFilter {
  const { from, to } = resolveRange(range, "all", nowMs);
  return {
    ...filter,
    ...(from ? { from } : {}),
    ...(to && range.range === "custom" ? { to } : {}),
  };
}

export function isUnfiltered({ filter, range }: Where): boolean {
  return Object.keys(filter).length === 0 && range.range === undefined;
}

/** Where the thing that changed can be seen, if it has a place. */
export function subjectLink(
  change: Pick<Change, "kind" | "subject">,
): { to: NonNullable<LinkProps["to"]>; search: Record<string, string> } | undefined {
  switch (change.kind) {
    case "route":
      return { to: "/operations", search: { operation: change.subject } };
    case "provider":
    case "credential":
      return { to: "/providers", search: { provider: change.subject } };
    case "model_block":
    case "price":
      // An import changes many; only one model has a page of its own.
      return change.subject.includes("/")
        ? { to: "/prices", search: { price: change.subject } }
        : { to: "/prices", search: {} };
    case "health":
    case "model":
      return {
        to: "/providers",
        search: { provider: change.subject.split("/")[0] ?? change.subject },
      };
    case "key":
      return { to: "/keys", search: { q: change.subject } };
    case "person":
      return { to: "/settings", search: {} };
    case "setting":
      return { to: "/settings", search: { setting: change.subject } };
    default:
      return undefined;
  }
}

/** Whether a stored state can be shown as a structure; one that cannot be read is shown as the text it is. */
export function isJson(text: string | null): boolean {
  if (text === null) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The report that was made last. */
export function newestReport(
  ...reports: readonly (ChainReport | undefined)[]
): ChainReport | undefined {
  return reports
    .filter((report) => report !== undefined)
    .toSorted((a, b) => Date.parse(b.checked_at) - Date.parse(a.checked_at))[0];
}

/** Names to choose from, each once, in the order of the alphabet. */
export function distinct(...lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())].toSorted((a, b) => a.localeCompare(b));
}

/** How a thing stood then, beside what it is now. */
export type ThenAndNow = { id: string; was: ThingState; now: ThingState | undefined };

/** What existed then, each with what became of it. */
export function thenAndNow(
  then: readonly ThingState[],
  now: readonly ThingState[] | undefined,
): ThenAndNow[] {
  const current = new Map((now ?? []).map((thing) => [thingId(thing), thing]));
  return then.map((thing) => {
    const id = thingId(thing);
    return { id, was: thing, now: current.get(id) };
  });
}

export function thingId({ kind, name }: Pick<ThingState, "kind" | "name">): string {
  return `${kind}/${name}`;
}

/** One word for what became of it since. */
export function sinceWord({ was, now }: ThenAndNow): "same" | "changed" | "gone" {
  if (now === undefined) return "gone";
  return now.state === was.state ? "same" : "changed";
}
