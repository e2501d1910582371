/**
 * The desk: which request lies open, and what keys and news do to it. Pure, so that ten thousand shuffled queues can be
 * tried on it: a decision always goes to what a person has had before their eyes, never to what has just slipped there.
 */

import type { Risk } from "@/bindings";

/** What decides is dead for so long after something else lies open: longer than a hand needs to stop. */
export const DEAD_MS = 400;

/** For so long a decision can be taken back, unless it has been made use of. */
export const UNDO_MS = 5_000;

/** What the desk has to know of a waiting approval. */
export type Paper = {
  id: string;
  /** Of the exact bytes that are decided on; another fingerprint is another request. */
  fingerprint: string;
  risk: Risk;
  expiresAtMs: number;
  /** Equal for what is identical in kind: the same sort of request to the same target. */
  alike: string;
  /** Nano-dollars; null when no bound is known. */
  maxCost: string | null;
  /** What may be typed to approve it, when its risk is high: the amount, the target. */
  typedWords: readonly string[];
};

/** Why nothing can be done any more with what lies open. */
export type Gone = "expired" | "changed" | "left" | "approved" | "rejected";

/** A paper as it was when somebody began to decide on it. */
export type Held = { id: string; fingerprint: string };

export type Stage =
  | { kind: "reading" }
  | { kind: "approving"; held: readonly Held[]; typed: string; wanted: readonly string[] }
  | { kind: "rejecting"; held: Held }
  /** On its way to the backend. */
  | { kind: "sending"; ids: readonly string[] };

export type Verdict = "approved" | "rejected";

export type Desk = {
  /** As the queue is shown. News is added below, and what has gone keeps its place, so that nothing jumps. */
  order: readonly string[];
  papers: ReadonlyMap<string, Paper>;
  gone: ReadonlyMap<string, Gone>;
  /** The order in which the backend has the queue, to sort by when asked to. */
  sorted: readonly string[];
  openId: string | null;
  /** The fingerprint of what the pane shows; null while it is being read. */
  shown: string | null;
  /** Since when exactly this is shown. Milliseconds. */
  shownSince: number;
  /** Why this person may not decide it; null when they may. */
  barred: string | null;
  chosen: ReadonlySet<string>;
  /** Another target it shall run on; null for the one it names. */
  target: string | null;
  stage: Stage;
  /** The last decision made here. */
  last: { ids: readonly string[]; verdict: Verdict; at: number } | null;
  /** Why the last key did nothing. */
  note: string | null;
};

export type DeskEvent =
  | { type: "queue"; papers: readonly Paper[] }
  | { type: "shown"; held: Held; barred: string | null }
  | { type: "reread" }
  | { type: "open"; id: string }
  | { type: "move"; by: number }
  | { type: "choose"; id?: string }
  | { type: "choose_none" }
  | { type: "target"; target: string | null }
  | { type: "approve" }
  | { type: "approve_chosen" }
  | { type: "typed"; text: string }
  | { type: "reject" }
  | { type: "confirm" }
  | { type: "confirm_reject"; reason: string }
  | { type: "cancel" }
  | { type: "decided"; ids: readonly string[]; verdict: Verdict }
  | { type: "failed" }
  | { type: "undo" }
  | { type: "undone"; ids: readonly string[] }
  | { type: "sort" }
  | { type: "tick" };

/** What is to be asked of the backend. */
export type Errand =
  | { type: "approve"; held: readonly Held[]; target: string | null }
  | { type: "reject"; held: Held; reason: string }
  | { type: "undo"; ids: readonly string[] };

export type Step = { desk: Desk; errand: Errand | null };

const READING: Stage = { kind: "reading" };

export function emptyDesk(): Desk {
  return {
    order: [],
    papers: new Map(),
    gone: new Map(),
    sorted: [],
    openId: null,
    shown: null,
    shownSince: 0,
    barred: null,
    chosen: new Set(),
    target: null,
    stage: READING,
    last: null,
    note: null,
  };
}

/** The desk after an event at `now` (milliseconds), and what follows from it. */
export function step(before: Desk, event: DeskEvent, now: number): Step {
  const desk = expired(before, now);
  if (event.type === "queue") return stay(arrange(desk, event.papers));
  if (event.type === "shown") return stay(show(desk, event.held, event.barred, now));
  if (event.type === "tick") return stay(desk);
  return act({ ...desk, note: null }, event, now);
}

type News = "queue" | "shown" | "tick";

/** What a person does, and what comes of it. */
function act(desk: Desk, event: Exclude<DeskEvent, { type: News }>, now: number): Step {
  switch (event.type) {
    case "reread":
      return stay(reread(desk, now));
    case "open":
      return stay(open(desk, event.id));
    case "move":
      return stay(move(desk, event.by));
    case "choose":
      return stay(choose(desk, event.id ?? desk.openId));
    case "choose_none":
      return stay({ ...desk, chosen: new Set() });
    case "target":
      return stay(onTarget(desk, event.target));
    case "approve":
      return stay(approve(desk, now));
    case "approve_chosen":
      return stay(approveChosen(desk, now));
    case "typed":
      return stay(
        desk.stage.kind === "approving"
          ? { ...desk, stage: { ...desk.stage, typed: event.text } }
          : desk,
      );
    case "reject":
      return stay(reject(desk, now));
    case "confirm":
      return confirm(desk, now);
    case "confirm_reject":
      return confirmReject(desk, event.reason, now);
    case "cancel":
      return stay({ ...desk, stage: desk.stage.kind === "sending" ? desk.stage : READING });
    case "decided":
      return stay(decided(desk, event.ids, event.verdict, now));
    case "failed":
      return stay({ ...desk, stage: READING });
    case "undo":
      return undo(desk, now);
    case "undone":
      return stay(undone(desk, event.ids));
    case "sort":
      return stay(sort(desk));
  }
}

/** What sorting would put right: what came in below its place, and what has gone. */
export function untidy(desk: Desk): { late: number; gone: number } {
  const gone = desk.order.filter((id) => desk.gone.has(id) && id !== desk.openId).length;
  return { late: lateBelow(desk), gone };
}

function lateBelow(desk: Desk): number {
  const place = new Map(desk.sorted.map((id, index) => [id, index]));
  let last = -1;
  let late = 0;
  for (const id of desk.order) {
    const at = place.get(id);
    if (at === undefined) continue;
    if (at < last) late += 1;
    else last = at;
  }
  return late;
}

/** Whether what was typed is one of the words asked for; case, `$` and grouping do not matter. */
export function isTyped(typed: string, wanted: readonly string[]): boolean {
  return wanted.length === 0 || wanted.some((word) => plainWord(word) === plainWord(typed));
}

function plainWord(text: string): string {
  return text.trim().toLowerCase().replaceAll(/[$,]/g, "");
}

/** Those that may be approved in one go: chosen, waiting, of low risk and all alike; or why not. */
export function chosenTogether(desk: Desk): { papers: Paper[] } | { why: string } {
  const papers = [...desk.chosen].flatMap((id) => {
    const paper = desk.papers.get(id);
    return paper && !desk.gone.has(id) ? [paper] : [];
  });
  if (papers.length === 0) return { why: "Nothing is selected. Press X on each request first." };
  if (papers.some((paper) => paper.risk !== "low"))
    return { why: "Only requests of low risk can be approved together." };
  if (papers.some((paper) => paper.maxCost === null))
    return { why: "One of them has no known cost; it is approved by itself." };
  if (papers.some((paper) => paper.alike !== papers[0]?.alike))
    return { why: "They are not alike; requests are approved together only when they are." };
  return { papers };
}

function stay(desk: Desk): Step {
  return { desk, errand: null };
}

/** What ran out is gone; a decision that was being made on it ends. */
function expired(desk: Desk, now: number): Desk {
  const over = desk.order.filter((id) => {
    const paper = desk.papers.get(id);
    return paper && !desk.gone.has(id) && paper.expiresAtMs <= now;
  });
  if (over.length === 0) return desk;
  const gone = new Map(desk.gone);
  for (const id of over) gone.set(id, "expired");
  return dropTouched({ ...desk, gone });
}

/** Takes the queue as the backend has it now, without moving anything that is shown. */
function arrange(desk: Desk, incoming: readonly Paper[]): Desk {
  const now = new Map(incoming.map((paper) => [paper.id, paper]));
  const papers = new Map(desk.papers);
  const gone = new Map(desk.gone);
  for (const id of desk.order) {
    const paper = now.get(id);
    const known = desk.papers.get(id);
    if (!paper) {
      if (!gone.has(id) || gone.get(id) === "changed") gone.set(id, "left");
    } else if (known && paper.fingerprint !== known.fingerprint) {
      papers.set(id, paper);
      if (id === desk.openId) gone.set(id, "changed");
    } else {
      papers.set(id, paper);
      // It is back, by Undo for one; what has expired or was decided here stays so until the backend says otherwise.
      if (gone.get(id) === "left") gone.delete(id);
    }
  }
  const known = new Set(desk.order);
  const added = incoming.filter((paper) => !known.has(paper.id));
  for (const paper of added) papers.set(paper.id, paper);
  const next = dropTouched({
    ...desk,
    order: [...desk.order, ...added.map((paper) => paper.id)],
    sorted: incoming.map((paper) => paper.id),
    papers,
    gone,
  });
  return isIdle(next) ? openFirst(sort(next)) : next;
}

/** Nobody looks at anything: nothing is open yet, or only what was decided here before the queue ran empty. */
function isIdle(desk: Desk): boolean {
  if (desk.openId === null) return true;
  const gone = desk.gone.get(desk.openId);
  return gone === "approved" || gone === "rejected";
}

function openFirst(desk: Desk): Desk {
  const first = desk.order.find((id) => !desk.gone.has(id));
  return first === undefined ? desk : open(desk, first);
}

/** A decision that is being made on something that has gone is no longer being made. */
function dropTouched(desk: Desk): Desk {
  const chosen = [...desk.chosen].some((id) => desk.gone.has(id))
    ? new Set([...desk.chosen].filter((id) => !desk.gone.has(id)))
    : desk.chosen;
  const { stage } = desk;
  const touched =
    (stage.kind === "approving" &&
      stage.held.some(
        ({ id, fingerprint }) =>
          desk.gone.has(id) || desk.papers.get(id)?.fingerprint !== fingerprint,
      )) ||
    (stage.kind === "rejecting" && desk.gone.has(stage.held.id));
  return { ...desk, chosen, stage: touched ? READING : stage };
}

/** The pane shows this now. The same once more changes nothing; other content under the same id locks the pane. */
function show(desk: Desk, held: Held, barred: string | null, now: number): Desk {
  if (held.id !== desk.openId) return desk;
  if (held.fingerprint === desk.shown) return barred === desk.barred ? desk : { ...desk, barred };
  const paper = desk.papers.get(held.id);
  const papers = new Map(desk.papers);
  if (paper) papers.set(held.id, { ...paper, fingerprint: held.fingerprint });
  const gone = new Map(desk.gone);
  if (desk.shown !== null && !gone.has(held.id)) gone.set(held.id, "changed");
  return dropTouched({ ...desk, papers, gone, barred, shown: held.fingerprint, shownSince: now });
}

/** A person has seen that it changed and looks at what it is now. */
function reread(desk: Desk, now: number): Desk {
  if (desk.openId === null || desk.gone.get(desk.openId) !== "changed") return desk;
  const gone = new Map(desk.gone);
  gone.delete(desk.openId);
  return { ...desk, gone, shownSince: now };
}

function open(desk: Desk, id: string): Desk {
  if (id === desk.openId) return desk;
  return { ...desk, openId: id, shown: null, barred: null, target: null, stage: leave(desk.stage) };
}

/** Moves up or down the queue. From an end it stays there. */
function move(desk: Desk, by: number): Desk {
  const at = desk.openId === null ? -1 : desk.order.indexOf(desk.openId);
  const wanted = at < 0 ? 0 : Math.min(Math.max(at + by, 0), desk.order.length - 1);
  const id = desk.order[wanted];
  return id === undefined ? desk : open(desk, id);
}

function choose(desk: Desk, id: string | null): Desk {
  if (id === null || desk.gone.has(id) || !desk.papers.has(id)) return desk;
  const chosen = new Set(desk.chosen);
  if (!chosen.delete(id)) chosen.add(id);
  // What is confirmed is what was chosen then.
  const many = desk.stage.kind === "approving" && desk.stage.held.length > 1;
  return { ...desk, chosen, stage: many ? READING : desk.stage };
}

/** Another target is another decision: it is confirmed anew. */
function onTarget(desk: Desk, target: string | null): Desk {
  return target === desk.target ? desk : { ...desk, target, stage: leave(desk.stage) };
}

function approve(desk: Desk, now: number): Desk {
  const paper = decidable(desk, now);
  if (typeof paper === "string") return { ...desk, note: paper };
  const held = [{ id: paper.id, fingerprint: paper.fingerprint }];
  const wanted = paper.risk === "high" ? paper.typedWords : [];
  return { ...desk, stage: { kind: "approving", held, typed: "", wanted } };
}

function approveChosen(desk: Desk, now: number): Desk {
  if (isDead(desk, now)) return { ...desk, note: JUST_CHANGED };
  if (desk.stage.kind === "sending") return { ...desk, note: ON_ITS_WAY };
  const together = chosenTogether(desk);
  if ("why" in together) return { ...desk, note: together.why };
  const held = together.papers.map(({ id, fingerprint }) => ({ id, fingerprint }));
  return { ...desk, target: null, stage: { kind: "approving", held, typed: "", wanted: [] } };
}

function reject(desk: Desk, now: number): Desk {
  const paper = decidable(desk, now);
  if (typeof paper === "string") return { ...desk, note: paper };
  const held = { id: paper.id, fingerprint: paper.fingerprint };
  return { ...desk, stage: { kind: "rejecting", held } };
}

function confirm(desk: Desk, now: number): Step {
  const { stage, target } = desk;
  if (stage.kind !== "approving") return stay(desk);
  if (isDead(desk, now)) return stay({ ...desk, note: JUST_CHANGED });
  if (!isTyped(stage.typed, stage.wanted))
    return stay({ ...desk, note: `Type ${stage.wanted.join(" or ")} to approve it.` });
  const errand: Errand = { type: "approve", held: stage.held, target };
  return { desk: sending(desk, stage.held), errand };
}

function confirmReject(desk: Desk, reason: string, now: number): Step {
  const { stage } = desk;
  if (stage.kind !== "rejecting") return stay(desk);
  if (isDead(desk, now)) return stay({ ...desk, note: JUST_CHANGED });
  if (reason.trim() === "") return stay({ ...desk, note: "Say why it is rejected." });
  const errand: Errand = { type: "reject", held: stage.held, reason: reason.trim() };
  return { desk: sending(desk, [stage.held]), errand };
}

function sending(desk: Desk, held: readonly Held[]): Desk {
  return { ...desk, stage: { kind: "sending", ids: held.map(({ id }) => id) } };
}

/** The backend has it. The next one is opened, and the queue is sorted: nobody reads it at this moment. */
function decided(desk: Desk, ids: readonly string[], verdict: Verdict, now: number): Desk {
  const gone = new Map(desk.gone);
  for (const id of ids) gone.set(id, verdict);
  const stage = leave(desk.stage.kind === "sending" ? READING : desk.stage);
  const done = dropTouched({ ...desk, gone, stage, last: { ids, verdict, at: now } });
  if (desk.openId === null || !ids.includes(desk.openId)) return done;
  const at = done.order.indexOf(desk.openId);
  const waiting = (id: string) => !gone.has(id);
  const next = done.order.slice(at).find(waiting) ?? done.order.slice(0, at).findLast(waiting);
  return next === undefined ? done : sort(open(done, next));
}

function undo(desk: Desk, now: number): Step {
  const { last } = desk;
  if (last === null || now - last.at > UNDO_MS)
    return stay({ ...desk, note: "There is no decision of the last 5 seconds to take back." });
  return { desk: { ...desk, last: null }, errand: { type: "undo", ids: last.ids } };
}

/** They wait again; the first of them is opened, to be looked at once more. */
function undone(desk: Desk, ids: readonly string[]): Desk {
  const gone = new Map(desk.gone);
  for (const id of ids) gone.delete(id);
  const missing = ids.filter((id) => desk.papers.has(id) && !desk.order.includes(id));
  const back = { ...desk, gone, order: [...missing, ...desk.order] };
  const first = ids[0];
  return first === undefined || !desk.papers.has(first) ? back : open(back, first);
}

/** Shows the queue in its own order. What has gone is taken away, except what lies open. */
function sort(desk: Desk): Desk {
  const order = desk.sorted.filter((id) => !desk.gone.has(id) || id === desk.openId);
  const { openId } = desk;
  const kept =
    openId !== null && desk.papers.has(openId) && !order.includes(openId)
      ? [openId, ...order]
      : order;
  return { ...desk, order: kept };
}

const JUST_CHANGED = "The request has only just come up. Look at it, then press again.";
const ON_ITS_WAY = "The decision before this one is still on its way.";

function isDead(desk: Desk, now: number): boolean {
  return desk.openId !== null && (desk.shown === null || now - desk.shownSince < DEAD_MS);
}

/** What lies open, if it can be decided now; else why not. */
function decidable(desk: Desk, now: number): Paper | string {
  const paper = desk.openId === null ? undefined : desk.papers.get(desk.openId);
  if (!paper) return "Nothing is open.";
  if (desk.stage.kind === "sending") return ON_ITS_WAY;
  if (desk.gone.has(paper.id)) return "It no longer waits for a decision.";
  if (desk.shown !== paper.fingerprint || isDead(desk, now)) return JUST_CHANGED;
  return desk.barred ?? paper;
}

/** Going elsewhere ends what was being decided, but not what is on its way. */
function leave(stage: Stage): Stage {
  return stage.kind === "sending" ? stage : READING;
}
