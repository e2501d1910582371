/**
 * The draft of a route: edits collect here, with undo and redo, until they are applied as one change.
 * A pure reducer; the server decides what is valid.
 */

import type { DraftTarget, Operation, RouteDraft } from "@/bindings";

/** A target of the draft. `id` stays with the card while it moves, so that lists can follow it. */
export interface DraftCard extends DraftTarget {
  id: number;
}

/** What can be edited. */
export interface RouteState {
  enabled: boolean;
  cards: readonly DraftCard[];
}

export interface DraftHistory {
  operation: string;
  /** Version the draft was made from; the server refuses an older one. */
  baseVersion: number;
  base: RouteState;
  present: RouteState;
  past: readonly RouteState[];
  future: readonly RouteState[];
  nextId: number;
}

export type DraftAction =
  | { type: "retarget"; id: number; provider: string; model: string }
  | { type: "move"; id: number; to: number }
  | { type: "add"; provider: string; model: string }
  | { type: "remove"; id: number }
  | { type: "toggleTarget"; id: number }
  | { type: "setEnabled"; enabled: boolean }
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
    nextId: base.cards.length,
  };
}

function stateOf(operation: Operation): RouteState {
  return {
    enabled: operation.enabled,
    cards: operation.targets.map(({ provider, model, enabled }, id) => ({
      id,
      provider,
      model,
      enabled,
    })),
  };
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
          }
        : draft;
    }
    case "redo": {
      const [next, ...rest] = draft.future;
      return next
        ? { ...draft, present: next, past: [...draft.past, draft.present], future: rest }
        : draft;
    }
    case "discard":
      return step(draft, draft.base);
    case "rebase":
      return rebase(draft, action.operation);
    case "restart":
      return startDraft(action.operation);
    case "setEnabled":
      return action.enabled === draft.present.enabled
        ? draft
        : step(draft, { ...draft.present, enabled: action.enabled });
    case "add":
      return add(draft, action);
    case "retarget":
    case "move":
    case "remove":
    case "toggleTarget":
      return changeCard(draft, action);
  }
}

function step(draft: DraftHistory, present: RouteState, nextId = draft.nextId): DraftHistory {
  if (sameState(present, draft.present)) {
    return draft;
  }
  return {
    ...draft,
    present,
    nextId,
    past: [...draft.past, draft.present].slice(-MOST_STEPS),
    future: [],
  };
}

function add(draft: DraftHistory, action: Extract<DraftAction, { type: "add" }>): DraftHistory {
  const { provider, model } = action;
  const card = { id: draft.nextId, provider, model, enabled: true };
  const cards = [...draft.present.cards, card];
  return step(draft, { ...draft.present, cards }, draft.nextId + 1);
}

/** A target that stands in both keeps the id it has in the draft, so that the changes are counted against the new base. */
function rebase(draft: DraftHistory, operation: Operation): DraftHistory {
  const mine = new Map(draft.present.cards.map((card) => [keyOf(card), card.id]));
  const theirs = stateOf(operation);
  const cards = theirs.cards.map((card, index) => ({
    ...card,
    id: mine.get(keyOf(card)) ?? draft.nextId + index,
  }));
  return {
    ...draft,
    base: { ...theirs, cards },
    baseVersion: operation.version,
    nextId: draft.nextId + cards.length,
  };
}

function keyOf(target: { provider: string; model: string }): string {
  return `${target.provider}/${target.model}`;
}

function changeCard(
  draft: DraftHistory,
  action: Extract<DraftAction, { type: "retarget" | "move" | "remove" | "toggleTarget" }>,
): DraftHistory {
  const { cards } = draft.present;
  const at = cards.findIndex((card) => card.id === action.id);
  const card = cards[at];
  if (!card) {
    return draft;
  }
  const withCards = (next: readonly DraftCard[]) => step(draft, { ...draft.present, cards: next });
  switch (action.type) {
    case "retarget":
      return withCards(cards.with(at, { ...card, provider: action.provider, model: action.model }));
    case "toggleTarget":
      return withCards(cards.with(at, { ...card, enabled: !card.enabled }));
    case "remove":
      return withCards(cards.toSpliced(at, 1));
    case "move": {
      const to = Math.max(0, Math.min(cards.length - 1, action.to));
      return withCards(cards.toSpliced(at, 1).toSpliced(to, 0, card));
    }
  }
}

function sameTarget(a: DraftTarget | undefined, b: DraftTarget | undefined): boolean {
  return a?.provider === b?.provider && a?.model === b?.model && a?.enabled === b?.enabled;
}

/** Equal as far as the server is concerned; ids do not count. */
export function sameState(a: RouteState, b: RouteState): boolean {
  return (
    a.enabled === b.enabled &&
    a.cards.length === b.cards.length &&
    a.cards.every((card, index) => sameTarget(card, b.cards[index]))
  );
}

export function isDirty(draft: DraftHistory): boolean {
  return !sameState(draft.base, draft.present);
}

/**
 * How many things a person would say have changed: each added, removed, replaced or switched target, one for a new order,
 * one for the operation's own switch.
 */
export function countChanges(draft: DraftHistory): number {
  const { base, present } = draft;
  const before = new Map(base.cards.map((card) => [card.id, card]));
  const after = new Map(present.cards.map((card) => [card.id, card]));
  let count = base.enabled === present.enabled ? 0 : 1;
  for (const card of present.cards) {
    const old = before.get(card.id);
    if (!old) {
      count += 1;
    } else {
      count += old.provider === card.provider && old.model === card.model ? 0 : 1;
      count += old.enabled === card.enabled ? 0 : 1;
    }
  }
  count += base.cards.filter((card) => !after.has(card.id)).length;
  const newOrder = idsIn(present.cards, before);
  const moved = idsIn(base.cards, after).some((id, index) => id !== newOrder[index]);
  count += moved ? 1 : 0;
  // Ids can differ while the content is equal (removed and added again): that is no change.
  return isDirty(draft) ? Math.max(1, count) : 0;
}

function idsIn(cards: readonly DraftCard[], other: ReadonlyMap<number, DraftCard>): number[] {
  return cards.filter((card) => other.has(card.id)).map((card) => card.id);
}

/** What is sent to the server. */
export function toRouteDraft(draft: DraftHistory, reason?: string): RouteDraft {
  return {
    operation: draft.operation,
    base_version: draft.baseVersion,
    enabled: draft.present.enabled,
    targets: draft.present.cards.map(({ provider, model, enabled }) => ({
      provider,
      model,
      enabled,
    })),
    reason: reason?.trim() ? reason.trim() : null,
  };
}
