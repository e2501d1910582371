/**
 * The draft of a route: edits collect here, with undo and redo, until they are applied as one change.
 * A pure reducer; the server decides what is valid.
 */

import type {
  ApprovalPolicy,
  Balance,
  DraftTarget,
  Operation,
  RouteDraft,
  RouteRule,
} from "@/bindings";
import { evenShares } from "./shares";

/** A target of the draft. `id` stays with the card while it moves, so that lists can follow it. */
export interface DraftCard extends DraftTarget {
  id: number;
}

/** A rule of the draft, with an id that stays with it. */
export interface DraftRule extends RouteRule {
  id: number;
}

/** What holds for the route as a whole. */
export interface RouteSettings {
  enabled: boolean;
  strategy: string;
  balance: Balance;
  deadline_ms: number | null;
  cache_ttl_s: number | null;
  allowed_providers: readonly string[];
  approval: ApprovalPolicy | null;
}

/** What can be edited. */
export interface RouteState extends RouteSettings {
  cards: readonly DraftCard[];
  rules: readonly DraftRule[];
}

/** What can be edited on a card besides its target. */
export type CardSettings = Pick<DraftTarget, "weight" | "timeout_ms" | "max_output">;

export interface DraftHistory {
  operation: string;
  /** Version the draft was made from; the server refuses an older one. */
  baseVersion: number;
  base: RouteState;
  present: RouteState;
  past: readonly RouteState[];
  future: readonly RouteState[];
  nextId: number;
  /** The field the last edit was made in: typing in it goes on with the same undo step. */
  field: string | undefined;
}

export type DraftAction =
  | { type: "retarget"; id: number; provider: string; model: string }
  | { type: "move"; id: number; to: number }
  /** `like`: below this card, with its settings. */
  | { type: "add"; provider: string; model: string; like?: number }
  | { type: "remove"; id: number }
  | { type: "toggleTarget"; id: number }
  | { type: "setCard"; id: number; change: Partial<CardSettings> }
  | { type: "evenShares" }
  | { type: "set"; change: Partial<RouteSettings> }
  | { type: "addRule"; rule: RouteRule }
  | { type: "setRule"; id: number; change: Partial<RouteRule> }
  | { type: "moveRule"; id: number; to: number }
  | { type: "removeRule"; id: number }
  /** Fills an empty chain. */
  | { type: "fill"; strategy: string; targets: readonly { provider: string; model: string }[] }
  | { type: "undo" }
  | { type: "redo" }
  | { type: "discard" }
  /** Keeps the edits, on top of a newer version. */
  | { type: "rebase"; operation: Operation }
  /** Forgets the edits and starts from this version. */
  | { type: "restart"; operation: Operation };

const MOST_STEPS = 200;

/** A clean draft of an operation. */
export function startDraft(operation: Operation): DraftHistory {
  const base = stateOf(operation);
  return {
    operation: operation.id,
    baseVersion: operation.version,
    base,
    present: base,
    past: [],
    future: [],
    nextId: base.cards.length + base.rules.length,
    field: undefined,
  };
}

function stateOf(operation: Operation): RouteState {
  const { enabled, strategy, balance, deadline_ms, cache_ttl_s, allowed_providers, approval } =
    operation;
  return {
    enabled,
    strategy,
    balance,
    deadline_ms,
    cache_ttl_s,
    allowed_providers,
    approval,
    cards: operation.targets.map((target, id) => ({ id, ...draftTarget(target) })),
    rules: operation.rules.map((rule, index) => ({
      id: operation.targets.length + index,
      ...rule,
    })),
  };
}

function draftTarget(target: DraftTarget): DraftTarget {
  const { provider, model, enabled, weight, timeout_ms, max_output } = target;
  return { provider, model, enabled, weight, timeout_ms, max_output };
}

/** The next draft. An action that changes nothing returns the same object, so it costs no undo step. */
export function reduceDraft(draft: DraftHistory, action: DraftAction): DraftHistory {
  switch (action.type) {
    case "undo": {
      const previous = draft.past.at(-1);
      return previous
        ? {
            ...draft,
            present: previous,
            past: draft.past.slice(0, -1),
            future: [draft.present, ...draft.future],
            field: undefined,
          }
        : draft;
    }
    case "redo": {
      const [next, ...rest] = draft.future;
      return next
        ? {
            ...draft,
            present: next,
            past: [...draft.past, draft.present],
            future: rest,
            field: undefined,
          }
        : draft;
    }
    case "discard":
      return step(draft, draft.base);
    case "rebase":
      return rebase(draft, action.operation);
    case "restart":
      return startDraft(action.operation);
    case "set":
      return step(draft, { ...draft.present, ...action.change }, typedField(action.change));
    case "add":
      return add(draft, action);
    case "fill":
      return fill(draft, action);
    case "evenShares":
      return step(draft, { ...draft.present, cards: evenShares(draft.present.cards) });
    case "retarget":
    case "move":
    case "remove":
    case "toggleTarget":
    case "setCard":
      return changeCard(draft, action);
    case "addRule":
    case "setRule":
    case "moveRule":
    case "removeRule":
      return changeRule(draft, action);
  }
}

/** The name of a field that is typed or slid in, so that one visit to it is one undo step. */
function fieldOf(place: string, change: object): string {
  return `${place} ${Object.keys(change).join(" ")}`;
}

/** Switches and choices of the route are steps of their own; numbers are typed. */
function typedField(change: Partial<RouteSettings>): string | undefined {
  const typed = "balance" in change || "deadline_ms" in change || "cache_ttl_s" in change;
  return typed ? fieldOf("route", change) : undefined;
}

function step(draft: DraftHistory, present: RouteState, field?: string): DraftHistory {
  if (sameState(present, draft.present)) {
    return draft;
  }
  const goesOn = field !== undefined && field === draft.field;
  const before = draft.past.at(-1);
  if (goesOn && before && sameState(present, before)) {
    // Typed and taken back by hand: there is nothing left to undo.
    return { ...draft, present, past: draft.past.slice(0, -1), future: [], field: undefined };
  }
  return {
    ...draft,
    present,
    past: goesOn ? draft.past : [...draft.past, draft.present].slice(-MOST_STEPS),
    future: [],
    field,
  };
}

function add(draft: DraftHistory, action: Extract<DraftAction, { type: "add" }>): DraftHistory {
  const { provider, model, like } = action;
  const { cards } = draft.present;
  const at = cards.findIndex((card) => card.id === like);
  const settings = cards[at] ?? PLAIN;
  const card = { ...settings, id: draft.nextId, provider, model, enabled: true };
  const next = cards.toSpliced(at < 0 ? cards.length : at + 1, 0, card);
  const added = step(draft, { ...draft.present, cards: next });
  return { ...added, nextId: draft.nextId + 1 };
}

/** The settings of a new card. */
const PLAIN: CardSettings = { weight: 1, timeout_ms: null, max_output: null };

function fill(draft: DraftHistory, action: Extract<DraftAction, { type: "fill" }>): DraftHistory {
  const { strategy, targets } = action;
  const cards = targets.map(({ provider, model }, index) => ({
    ...PLAIN,
    id: draft.nextId + index,
    provider,
    model,
    enabled: true,
  }));
  const filled = step(draft, { ...draft.present, strategy, cards });
  return { ...filled, nextId: draft.nextId + cards.length };
}

/** What stands in both keeps the id it has in the draft, so that the changes are counted against the new base. */
function rebase(draft: DraftHistory, operation: Operation): DraftHistory {
  const theirs = stateOf(operation);
  const targets = new Map(draft.present.cards.map((card) => [keyOf(card), card.id]));
  const names = new Map(draft.present.rules.map((rule) => [rule.name, rule.id]));
  let nextId = draft.nextId;
  const known = (id: number | undefined) => id ?? nextId++;
  const cards = theirs.cards.map((card) => ({ ...card, id: known(targets.get(keyOf(card))) }));
  const rules = theirs.rules.map((rule) => ({ ...rule, id: known(names.get(rule.name)) }));
  return { ...draft, base: { ...theirs, cards, rules }, baseVersion: operation.version, nextId };
}

function keyOf(target: { provider: string; model: string }): string {
  return `${target.provider}/${target.model}`;
}

function changeCard(
  draft: DraftHistory,
  action: Extract<
    DraftAction,
    { type: "retarget" | "move" | "remove" | "toggleTarget" | "setCard" }
  >,
): DraftHistory {
  const { cards } = draft.present;
  const at = cards.findIndex((card) => card.id === action.id);
  const card = cards[at];
  if (!card) {
    return draft;
  }
  const withCards = (next: readonly DraftCard[], field?: string) =>
    step(draft, { ...draft.present, cards: next }, field);
  switch (action.type) {
    case "retarget":
      return withCards(cards.with(at, { ...card, provider: action.provider, model: action.model }));
    case "toggleTarget":
      return withCards(cards.with(at, { ...card, enabled: !card.enabled }));
    case "setCard":
      return withCards(
        cards.with(at, { ...card, ...action.change }),
        fieldOf(`card ${card.id}`, action.change),
      );
    case "remove":
      return withCards(cards.toSpliced(at, 1));
    case "move":
      return withCards(moved(cards, at, action.to));
  }
}

function changeRule(
  draft: DraftHistory,
  action: Extract<DraftAction, { type: "addRule" | "setRule" | "moveRule" | "removeRule" }>,
): DraftHistory {
  const { rules } = draft.present;
  const withRules = (next: readonly DraftRule[], field?: string) =>
    step(draft, { ...draft.present, rules: next }, field);
  if (action.type === "addRule") {
    const added = withRules([...rules, { ...action.rule, id: draft.nextId }]);
    return { ...added, nextId: draft.nextId + 1 };
  }
  const at = rules.findIndex((rule) => rule.id === action.id);
  const rule = rules[at];
  if (!rule) {
    return draft;
  }
  switch (action.type) {
    case "setRule":
      return withRules(
        rules.with(at, { ...rule, ...action.change }),
        // Chips and switches are steps of their own; only text is typed.
        "name" in action.change || "when" in action.change
          ? fieldOf(`rule ${rule.id}`, action.change)
          : undefined,
      );
    case "removeRule":
      return withRules(rules.toSpliced(at, 1));
    case "moveRule":
      return withRules(moved(rules, at, action.to));
  }
}

function moved<T>(list: readonly T[], from: number, to: number): readonly T[] {
  const item = list[from];
  const place = Math.max(0, Math.min(list.length - 1, to));
  return item === undefined ? list : list.toSpliced(from, 1).toSpliced(place, 0, item);
}

/** Equal as far as the server is concerned; ids do not count. */
export function sameState(a: RouteState, b: RouteState): boolean {
  return a === b || JSON.stringify(content(a)) === JSON.stringify(content(b));
}

/** The state as it is sent. */
function content(state: RouteState) {
  return {
    enabled: state.enabled,
    strategy: state.strategy,
    balance: sameBalance(state.balance),
    rules: state.rules.map(({ name, when, effect, targets }) => ({ name, when, effect, targets })),
    deadline_ms: state.deadline_ms,
    cache_ttl_s: state.cache_ttl_s,
    allowed_providers: [...state.allowed_providers],
    approval: samePolicy(state.approval),
    targets: state.cards.map(draftTarget),
  };
}

/** With its fields in one order, so that two that say the same read the same. */
function samePolicy(policy: ApprovalPolicy | null): ApprovalPolicy | null {
  if (policy === null) return null;
  const { always, above, budget_warned, rule, hold_s, expires_s } = policy;
  return { always, above, budget_warned, rule, hold_s, expires_s };
}

function sameBalance({ cost, latency, quality }: Balance): Balance {
  return { cost, latency, quality };
}

export function isDirty(draft: DraftHistory): boolean {
  return !sameState(draft.base, draft.present);
}

/**
 * How many things a person would say have changed: each added, removed, replaced or edited target and rule, one for a new
 * order of each, one for every setting of the route.
 */
export function countChanges(draft: DraftHistory): number {
  const { base, present } = draft;
  const before = content(base);
  const after = content(present);
  const settings = [
    before.enabled !== after.enabled,
    before.strategy !== after.strategy,
    JSON.stringify(before.balance) !== JSON.stringify(after.balance),
    before.deadline_ms !== after.deadline_ms,
    before.cache_ttl_s !== after.cache_ttl_s,
    JSON.stringify(before.allowed_providers) !== JSON.stringify(after.allowed_providers),
    JSON.stringify(before.approval) !== JSON.stringify(after.approval),
  ].filter(Boolean).length;
  const count =
    settings +
    countListChanges(base.cards, present.cards, cardChanges) +
    countListChanges(base.rules, present.rules, ruleChanges);
  // Ids can differ while the content is equal (removed and added again): that is no change.
  return isDirty(draft) ? Math.max(1, count) : 0;
}

function countListChanges<T extends { id: number }>(
  base: readonly T[],
  present: readonly T[],
  changesOf: (before: T, after: T) => number,
): number {
  const before = new Map(base.map((item) => [item.id, item]));
  const after = new Map(present.map((item) => [item.id, item]));
  const edited = present.reduce((sum, item) => {
    const old = before.get(item.id);
    return sum + (old ? changesOf(old, item) : 1);
  }, 0);
  const removed = base.filter((item) => !after.has(item.id)).length;
  const newOrder = idsIn(present, before);
  const reordered = idsIn(base, after).some((id, index) => id !== newOrder[index]);
  return edited + removed + (reordered ? 1 : 0);
}

function cardChanges(before: DraftCard, after: DraftCard): number {
  return [
    before.provider !== after.provider || before.model !== after.model,
    before.enabled !== after.enabled,
    before.weight !== after.weight,
    before.timeout_ms !== after.timeout_ms,
    before.max_output !== after.max_output,
  ].filter(Boolean).length;
}

function ruleChanges(before: DraftRule, after: DraftRule): number {
  return JSON.stringify(before) === JSON.stringify(after) ? 0 : 1;
}

function idsIn(
  list: readonly { id: number }[],
  other: ReadonlyMap<number, { id: number }>,
): number[] {
  return list.filter((item) => other.has(item.id)).map((item) => item.id);
}

/** What is sent to the server. */
export function toRouteDraft(draft: DraftHistory, reason?: string): RouteDraft {
  return {
    operation: draft.operation,
    base_version: draft.baseVersion,
    ...content(draft.present),
    reason: reason?.trim() ? reason.trim() : null,
  };
}
