import type {
  Budget,
  BudgetAction,
  BudgetPurse,
  BudgetScopeKind,
  SpendHistoryQuery,
} from "@/bindings";
import { parseNano } from "@/lib/money";

/** The most general scope first: a request is counted in all of them that apply. */
const SCOPES: readonly { kind: BudgetScopeKind; word: string }[] = [
  { kind: "global", word: "Everything" },
  { kind: "each_operation", word: "Each operation" },
  { kind: "operation", word: "One operation" },
  { kind: "provider", word: "One provider" },
  { kind: "model", word: "One model" },
  { kind: "key", word: "One API key" },
  { kind: "each_user", word: "Each user" },
  { kind: "user", word: "One user" },
  { kind: "tag", word: "One label" },
];

export const SCOPE_CHOICES = SCOPES.map(({ kind, word }) => ({ value: kind, label: word }));

export const ACTIONS: readonly { value: BudgetAction; label: string; says: string }[] = [
  { value: "block", label: "Refuse", says: "Requests that could exceed it are refused." },
  {
    value: "downgrade",
    label: "Cheaper target",
    says: "Only targets that still fit are tried, free ones last; refused when none does.",
  },
  {
    value: "require_approval",
    label: "Ask a person",
    says: "Requests that could exceed it wait for an approval.",
  },
  { value: "notify", label: "Only tell", says: "This does not stop spending." },
];

export function stops(action: BudgetAction): boolean {
  return action !== "notify";
}

/** A line of the tree: a budget, or one of the users or operations that have a purse of their own in it. */
export type BudgetRow = {
  id: string;
  depth: number;
  budget: Budget;
  /** How it stands; absent for a budget of each, whose members have one each. */
  purse: BudgetPurse | null;
  /** Set for a member. */
  member: string | undefined;
  /** For a budget of each: whether its members are shown below. */
  folded: boolean | undefined;
};

/** The most general budgets first; below a budget of each its members, where it is folded out. */
export function toTree(
  budgets: readonly Budget[],
  members: ReadonlyMap<string, readonly BudgetPurse[]>,
  q: string | undefined,
): BudgetRow[] {
  const wanted = q?.trim().toLowerCase() ?? "";
  const fits = (...texts: string[]) =>
    wanted === "" || texts.some((text) => text.toLowerCase().includes(wanted));
  const order = new Map(SCOPES.map(({ kind }, index) => [kind, index]));
  const sorted = budgets.toSorted(
    (a, b) =>
      (order.get(a.scope.kind) ?? 0) - (order.get(b.scope.kind) ?? 0) ||
      a.scope_words.localeCompare(b.scope_words) ||
      a.name.localeCompare(b.name),
  );
  return sorted.flatMap((budget): BudgetRow[] => {
    const depth = budget.scope.kind === "global" ? 0 : 1;
    const known = members.get(budget.id);
    const own = isForEach(budget.scope.kind);
    const below = (known ?? [])
      .filter((purse) => fits(purse.member, budget.name, budget.scope_words))
      .map(
        (purse): BudgetRow => ({
          id: rowId(budget.id, purse.member),
          depth: depth + 1,
          budget,
          purse,
          member: purse.member,
          folded: undefined,
        }),
      );
    if (!fits(budget.name, budget.scope_words) && below.length === 0) return [];
    const row: BudgetRow = {
      id: rowId(budget.id, ""),
      depth,
      budget,
      purse: budget.purse,
      member: undefined,
      folded: own ? known === undefined : undefined,
    };
    return [row, ...below];
  });
}

export function rowId(budget: string, member: string): string {
  return member === "" ? budget : `${budget}/${member}`;
}

export function isForEach(kind: BudgetScopeKind): boolean {
  return kind === "each_user" || kind === "each_operation";
}

/** Which budgets are folded out, as the URL keeps them. */
export function openIds(open: string | undefined): string[] {
  return open === undefined || open === "" ? [] : open.split(",");
}

export function toggleOpen(open: string | undefined, id: string): string | undefined {
  const ids = openIds(open);
  const next = ids.includes(id) ? ids.filter((known) => known !== id) : [...ids, id];
  return next.length === 0 ? undefined : next.join(",");
}

/** Whether it is expected to be passed before its period ends. */
export function willBePassed(purse: BudgetPurse, limit: string | null | undefined): boolean {
  if (!purse.forecast || limit === null || limit === undefined) return false;
  return parseNano(purse.forecast.expected) > parseNano(limit);
}

/** The history of spend that belongs to a budget or one of its members; undefined where sums are not kept that way. */
export function historyOf(
  budget: Budget,
  member: string | undefined,
): Pick<SpendHistoryQuery, "split" | "only"> | undefined {
  const only = member ?? budget.scope.value;
  switch (budget.scope.kind) {
    case "global":
      return { split: "operation", only: null };
    case "each_operation":
    case "operation":
      return { split: "operation", only };
    case "each_user":
    case "user":
      return { split: "user", only };
    case "provider":
      return { split: "provider", only };
    case "model":
      return { split: "model", only };
    case "key":
    case "tag":
      return undefined;
  }
}
