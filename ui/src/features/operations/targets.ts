/** The targets an operation can have, ready to be looked up by name and to be chosen from. */

import type { Operation, Readiness, TargetOption } from "@/bindings";
import { targetName } from "./words";

type Target = { provider: string; model: string };

export type TargetGroup = { group: string; items: { value: string; label: string }[] };

export type TargetCatalogue = {
  /** Choices by provider; only what can do the operation's kind of work. */
  groups: readonly TargetGroup[];
  /** The same as options. */
  able: readonly TargetOption[];
  option: (name: string) => TargetOption | undefined;
  ready: (target: Target) => Readiness;
  /** Share of the last 24 hours it served; absent when it served none. */
  share: (target: Target) => number | null;
};

const UNKNOWN: Readiness = {
  ready: false,
  code: "unknown",
  text: "the provider has no model of this name here",
};

export function makeTargetCatalogue(
  operation: Operation,
  options: readonly TargetOption[],
): TargetCatalogue {
  const able = options.filter((option) => option.capabilities.includes(operation.capability));
  const byName = new Map(options.map((option) => [targetName(option), option]));
  const known = new Map(operation.targets.map((target) => [targetName(target), target]));
  const groups = new Map<string, TargetGroup["items"]>();
  for (const option of able) {
    const name = targetName(option);
    groups.set(option.provider, [
      ...(groups.get(option.provider) ?? []),
      { value: name, label: name },
    ]);
  }
  return {
    groups: [...groups].map(([group, items]) => ({ group, items })),
    able,
    option: (name) => byName.get(name),
    ready: (target) => {
      const name = targetName(target);
      // The route's own word for it is about the switch of the card too, which the draft decides.
      return byName.get(name)?.ready ?? known.get(name)?.ready ?? UNKNOWN;
    },
    share: (target) => known.get(targetName(target))?.share_24h ?? null,
  };
}

/** A target as value of a dropdown, back in its parts. Models may have slashes in their names, providers not. */
export function parseTarget(name: string): Target {
  const slash = name.indexOf("/");
  return { provider: name.slice(0, slash), model: name.slice(slash + 1) };
}
