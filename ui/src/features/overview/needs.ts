/** What waits for a person: pure, from what the window knows anyway. */

import type { LinkProps } from "@tanstack/react-router";
import type { ApiKey, Budget, ProviderHealth, TargetHealth, UnpricedModel } from "@/bindings";
import { formatCount, plural } from "@/lib/numbers";

/** From here on a budget wants to be looked at before it is empty. */
const NEAR_PERMILLE = 750;
const WHOLE_PERMILLE = 1_000;
/** Most of one kind that are named; the rest is counted. */
const NAMED_MAX = 3;

export type NeedKind = "passed" | "circuit" | "approval" | "near" | "key" | "price";

/** One thing to do, and where. */
export type Need = {
  id: string;
  kind: NeedKind;
  words: string;
  /** What it means, in a second line. */
  detail?: string;
  to: NonNullable<LinkProps["to"]>;
  search: Record<string, string | boolean>;
};

/** What there is to look at; what could not be read is left out. */
export type Known = {
  approvals: number;
  budgets: readonly Budget[];
  keys: readonly ApiKey[];
  health: readonly ProviderHealth[];
  unpriced: readonly UnpricedModel[];
};

const MORE: Record<NeedKind, { to: Need["to"]; one: string; many: string }> = {
  passed: { to: "/budgets", one: "more budget is used up", many: "more budgets are used up" },
  circuit: {
    to: "/providers",
    one: "more target is left alone",
    many: "more targets are left alone",
  },
  approval: { to: "/approvals", one: "approval waits for you", many: "approvals wait for you" },
  near: {
    to: "/budgets",
    one: "more budget is nearly used up",
    many: "more budgets are nearly used up",
  },
  key: { to: "/keys", one: "more key expires soon", many: "more keys expire soon" },
  price: { to: "/prices", one: "more model has no price", many: "more models have no price" },
};

/** The most pressing first: what refuses requests now, what waits, what will refuse soon, what is not known. */
export function needsOf({ approvals, budgets, keys, health, unpriced }: Known): Need[] {
  const fullest = budgets
    .filter(({ enabled }) => enabled)
    .toSorted((a, b) => b.used_permille - a.used_permille);
  const passed = fullest.filter(({ used_permille: used }) => used >= WHOLE_PERMILLE);
  const near = fullest.filter(
    ({ used_permille: used }) => used > NEAR_PERMILLE && used < WHOLE_PERMILLE,
  );
  const left = health.flatMap(({ targets }) =>
    targets.filter(({ state }) => state === "open" || state === "held"),
  );
  const expiring = keys
    .filter(({ expires_soon: soon }) => soon)
    .toSorted((a, b) => Date.parse(a.expires_at ?? "") - Date.parse(b.expires_at ?? ""));
  const priceless = unpriced.filter(({ priced_now: priced }) => !priced);
  return [
    ...named("passed", passed.map(passedNeed)),
    ...named("circuit", left.map(circuitNeed)),
    ...(approvals === 0 ? [] : [countNeed("approval", approvals)]),
    ...named("near", near.map(nearNeed)),
    ...named("key", expiring.map(keyNeed)),
    ...named("price", priceless.map(priceNeed)),
  ];
}

function passedNeed(budget: Budget): Need {
  const detail =
    budget.action === "notify"
      ? "It only tells; spending goes on."
      : "What would exceed it is kept back.";
  return { ...budgetNeed("passed", budget), detail };
}

function nearNeed(budget: Budget): Need {
  const need = budgetNeed("near", budget);
  return budget.scope.kind.startsWith("each_")
    ? { ...need, detail: "By the one who uses most of it." }
    : need;
}

function budgetNeed(kind: "passed" | "near", { id, name, used_permille: used }: Budget): Need {
  const words = `${name} is used to ${formatCount(Math.floor(used / 10))} %`;
  return { id: `budget ${id}`, kind, words, to: "/budgets", search: { budget: id } };
}

function circuitNeed({ provider, model, text }: TargetHealth): Need {
  return {
    id: `circuit ${provider}/${model}`,
    kind: "circuit",
    words: `${provider}/${model} is left alone`,
    detail: text,
    to: "/providers",
    search: { provider, model },
  };
}

function keyNeed({ id, name, owner }: ApiKey): Need {
  const need: Need = {
    id: `key ${id}`,
    kind: "key",
    words: `The key ${name} expires within a week`,
    to: "/keys",
    search: { key: id },
  };
  return owner === null ? need : { ...need, detail: `Owner: ${owner}` };
}

function priceNeed({ target, requests }: UnpricedModel): Need {
  return {
    id: `price ${target}`,
    kind: "price",
    words: `${target} has no price`,
    detail: `${plural(requests, "request")} of the last 30 days cost nobody knows what.`,
    to: "/prices",
    search: { price: target, edit: true },
  };
}

function countNeed(kind: NeedKind, count: number): Need {
  const { to, one, many } = MORE[kind];
  return { id: `count ${kind}`, kind, words: plural(count, one, many), to, search: {} };
}

/** The first of a kind by name, and how many more there are. */
function named(kind: NeedKind, needs: Need[]): Need[] {
  const more = needs.length - NAMED_MAX;
  return more > 0 ? [...needs.slice(0, NAMED_MAX), countNeed(kind, more)] : needs;
}
