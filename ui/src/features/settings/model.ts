import {
  IconAdjustments,
  IconCoin,
  IconGauge,
  IconHeartbeat,
  IconHourglass,
  IconUserCheck,
} from "@tabler/icons-react";
import type { ComponentType } from "react";
import type { Setting } from "@/bindings";
import { formatCount } from "@/lib/numbers";

type Icon = ComponentType<{ size?: number; stroke?: number; "aria-hidden"?: boolean }>;

export type Group = {
  id: string;
  title: string;
  icon: Icon;
  /** Other words a person might search for. */
  keywords: string;
  has: (name: string) => boolean;
};

const OTHER: Group = {
  id: "other",
  title: "Other",
  icon: IconAdjustments,
  keywords: "",
  has: () => true,
};

/** A setting stands in the first group that has its name; what no group has, stands under "Other". */
const GROUPS: readonly Group[] = [
  {
    id: "circuits",
    title: "Circuits",
    icon: IconHeartbeat,
    keywords: "breaker health failover",
    has: (name) => name.startsWith("breaker_"),
  },
  {
    id: "waiting",
    title: "Waiting",
    icon: IconHourglass,
    keywords: "timeout patience slow",
    has: (name) => name.startsWith("stream_") || name === "complete_answer_ms",
  },
  {
    id: "prices",
    title: "Prices",
    icon: IconCoin,
    keywords: "cost money unknown",
    has: (name) => name.startsWith("unpriced_"),
  },
  {
    id: "capacity",
    title: "Capacity",
    icon: IconGauge,
    keywords: "limit concurrency load",
    has: (name) => name === "max_requests",
  },
  {
    id: "second-admin",
    title: "Second admin",
    icon: IconUserCheck,
    keywords: "four eyes approval approve money people",
    has: (name) => name === "four_eyes",
  },
  OTHER,
];

const LABELS: Readonly<Record<string, string>> = {
  breaker_failures: "Failures that open a circuit",
  breaker_window_s: "Time over which failures count",
  breaker_open_s: "Time a circuit stays open",
  stream_first_byte_ms: "Wait for a stream to begin",
  stream_idle_ms: "Silence within a stream",
  complete_answer_ms: "Wait for a complete answer",
  unpriced_policy: "Requests without a known price",
  max_requests: "Requests at the same time",
  four_eyes: "Changes that move money",
};

/** What a setting is about; one that this window does not know yet is shown as it is written. */
export function labelOf(name: string): string {
  return LABELS[name] ?? name;
}

type Choice = { word: string; meaning: string };

const CHOICES: Readonly<Record<string, Readonly<Record<string, Choice>>>> = {
  four_eyes: {
    off: { word: "One admin is enough", meaning: "Each admin confirms their own changes." },
    money_changes: {
      word: "Ask a second admin",
      meaning:
        "Somebody else than the author approves them, as soon as there is more than one admin.",
    },
  },
  unpriced_policy: {
    allow: {
      word: "Serve them",
      meaning: "They are sent, and their cost stands as unknown until the model has a price.",
    },
    family_maximum: {
      word: "Reserve the most",
      meaning: "They are sent, and the dearest price of their provider is set aside for them.",
    },
    block: {
      word: "Do not send",
      meaning: "A target without a price is passed over; where no other is left, they are refused.",
    },
  },
};

/** A choice in words, or as the backend names it. */
export function choiceOf(name: string, value: string): Choice {
  return CHOICES[name]?.[value] ?? { word: value, meaning: "" };
}

export function isSwitch({ choices }: Pick<Setting, "choices">): boolean {
  return choices.length === 2 && choices.includes("true") && choices.includes("false");
}

export function isUsual({ value, usual }: Pick<Setting, "value" | "usual">): boolean {
  return value === usual;
}

/** A unit as it stands in a field. */
export function shortUnit(unit: string): string {
  return unit === "seconds" ? "s" : unit;
}

/** The value as a person would say it: `5 min`, `3 failures`, `On`, `Serve them`. */
export function valueWords(setting: Setting, value = setting.value): string {
  if (isSwitch(setting)) return value === "true" ? "On" : "Off";
  if (setting.choices.length > 0) return choiceOf(setting.name, value).word;
  const amount = numberOf(value);
  const { unit } = setting;
  if (amount === undefined) return value;
  const span = spanOf(amount, unit);
  if (span !== undefined) return span;
  if (unit === null) return formatCount(amount);
  return `${formatCount(amount)} ${amount === 1 ? unit.replace(/s$/, "") : unit}`;
}

/** The value within a sentence: `5 min`, `off`, `“Serve them”`. */
export function valuePhrase(setting: Setting, value = setting.value): string {
  const words = valueWords(setting, value);
  if (isSwitch(setting)) return words.toLowerCase();
  return setting.choices.length > 0 ? `“${words}”` : words;
}

/** What stands beside a number of seconds or milliseconds, where the number alone does not say it: `5 min`. */
export function spanBeside({ unit }: Pick<Setting, "unit">, text: string): string | undefined {
  const amount = numberOf(text);
  if (amount === undefined || unit === null) return undefined;
  const span = spanOf(amount, unit);
  return span === `${amount} ${shortUnit(unit)}` ? undefined : span;
}

/** `from 10 to 3,600 s`, or nothing where nothing bounds it. */
export function boundsWords({ least, most, unit }: Setting): string | undefined {
  const tail = unit === null ? "" : ` ${shortUnit(unit)}`;
  if (least !== null && most !== null)
    return `from ${formatCount(least)} to ${formatCount(most)}${tail}`;
  if (most !== null) return `at most ${formatCount(most)}${tail}`;
  return least === null ? undefined : `at least ${formatCount(least)}${tail}`;
}

export type SettingGroup = { group: Group; settings: Setting[] };

/** The settings that match, in the order of the groups; empty groups are left out. */
export function grouped(settings: readonly Setting[], query: string | undefined): SettingGroup[] {
  const wanted = (query ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return GROUPS.map((group) => ({
    group,
    settings: settings.filter((setting) => {
      if (groupOf(setting.name) !== group) return false;
      const text = searchText(setting, group);
      return wanted.every((word) => text.includes(word));
    }),
  })).filter(({ settings }) => settings.length > 0);
}

function groupOf(name: string): Group {
  return GROUPS.find((group) => group.has(name)) ?? OTHER;
}

function searchText(setting: Setting, { title, keywords }: Group): string {
  const { name, text, choices } = setting;
  const words = choices.map((value) => valueWords(setting, value));
  return [title, keywords, labelOf(name), name, text, ...words].join(" ").toLowerCase();
}

function numberOf(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

const MS_PER: Readonly<Record<string, number>> = { ms: 1, seconds: 1_000 };

/** A length of time without rounding: `5 min`, `1 h 30 min`, `2.5 s`, `100 ms`; nothing for other units. */
function spanOf(amount: number, unit: string | null): string | undefined {
  const per = unit === null ? undefined : MS_PER[unit];
  if (per === undefined) return undefined;
  const ms = amount * per;
  if (ms < 1_000) return per === 1 ? `${ms} ms` : `${amount} s`;
  const parts: [number, string][] = [
    [Math.floor(ms / 3_600_000), "h"],
    [Math.floor((ms % 3_600_000) / 60_000), "min"],
    [(ms % 60_000) / 1_000, "s"],
  ];
  return parts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(" ");
}
