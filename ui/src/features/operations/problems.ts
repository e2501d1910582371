/** Where the faults of a draft are shown: each at its field, and as a list. */

import type { Problem } from "@/bindings";
import type { RouteState } from "./draft";
import { targetName } from "./words";

/** The message of every field that has one. The first fault of a field counts: it is the one to mend first. */
export function problemsByField(problems: readonly Problem[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const { field, message } of problems) {
    if (!fields.has(field)) fields.set(field, message);
  }
  return fields;
}

const TARGET_FIELDS: Readonly<Record<string, { control: string; word: string }>> = {
  model: { control: "route-target-select", word: "target" },
  timeout_ms: { control: "route-timeout", word: "timeout" },
  max_output: { control: "route-max-output", word: "max output" },
  weight: { control: "route-weight", word: "share" },
};

const RULE_FIELDS: Readonly<Record<string, { control: string; word: string }>> = {
  name: { control: "rule-name", word: "name" },
  when: { control: "rule-when", word: "condition" },
  effect: { control: "rule-effect", word: "effect" },
  targets: { control: "rule-targets", word: "targets" },
};

const ROUTE_FIELDS: Readonly<Record<string, { control: string; word: string }>> = {
  targets: { control: "route-add-target", word: "Chain" },
  strategy: { control: "route-strategy", word: "Picking" },
  balance: { control: "balance-cost", word: "Balance" },
  rules: { control: "route-add-rule", word: "Rules" },
  deadline_ms: { control: "route-deadline", word: "Deadline" },
  cache_ttl_s: { control: "route-cache-amount", word: "Answer cache" },
  allowed_providers: { control: "route-allowed", word: "Allowed providers" },
  "approval.above": { control: "route-approval-above", word: "Approval, amount" },
  "approval.rule": { control: "route-approval-rule", word: "Approval, rule" },
  "approval.hold_s": { control: "route-approval-hold", word: "Approval, waiting" },
  "approval.expires_s": { control: "route-approval-expires", word: "Approval, expiry" },
};

type Place = { list: "targets" | "rules"; index: number; part: string };

function placeOf(field: string): Place | undefined {
  const match = /^(targets|rules)\[(\d+)\]\.?(\w*)/.exec(field);
  const [, list, index, part = ""] = match ?? [];
  if (list !== "targets" && list !== "rules") return undefined;
  return { list, index: Number(index), part };
}

/** The `data-testid` of the control a fault is about, so that the focus can go there. */
export function controlOf(field: string): string | undefined {
  const place = placeOf(field);
  if (!place) return ROUTE_FIELDS[field]?.control;
  const { list, index, part } = place;
  const known =
    list === "targets"
      ? (TARGET_FIELDS[part] ?? TARGET_FIELDS["model"])
      : (RULE_FIELDS[part] ?? RULE_FIELDS["when"]);
  return known && `${known.control}-${index + 1}`;
}

/** The field in words, e.g. "2 gemini/gemini-2.5-flash, timeout"; absent when it is about nothing in particular. */
export function fieldWords(field: string, state: RouteState): string | undefined {
  const place = placeOf(field);
  if (!place) return ROUTE_FIELDS[field]?.word;
  const { list, index, part } = place;
  const fields = list === "targets" ? TARGET_FIELDS : RULE_FIELDS;
  const card = state.cards[index];
  const rule = state.rules[index];
  const name =
    list === "targets"
      ? `${index + 1} ${card ? targetName(card) : ""}`
      : `Rule ${rule?.name || index + 1}`;
  const word = fields[part]?.word;
  return word ? `${name.trim()}, ${word}` : name.trim();
}

/** Faults whose field is not shown anywhere: they stand in the list only. */
export function inOrderOfScreen(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => rank(a.field) - rank(b.field));
}

/** The order of the editor from top to bottom. */
function rank(field: string): number {
  const place = placeOf(field);
  const part = place?.list === "targets" ? Object.keys(TARGET_FIELDS).indexOf(place.part) : 0;
  if (place?.list === "targets") return 100 + place.index * 10 + part;
  if (place?.list === "rules") return 2_000 + place.index * 10;
  const order = Object.keys(ROUTE_FIELDS).indexOf(field);
  return order < 0 ? 10_000 : order === 0 ? 1_000 : order < 3 ? 1_500 + order : 3_000 + order;
}
