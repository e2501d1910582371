import { expect, test } from "vitest";
import {
  chosenTogether,
  DEAD_MS,
  type Desk,
  type DeskEvent,
  emptyDesk,
  type Errand,
  type Held,
  isTyped,
  type Paper,
  step,
  UNDO_MS,
  untidy,
} from "./desk";

const FAR = 1e12;

function paper(id: string, patch: Partial<Paper> = {}): Paper {
  return {
    id,
    fingerprint: `f-${id}`,
    risk: "low",
    expiresAtMs: FAR,
    alike: "chat on simulator/echo",
    maxCost: "1000000",
    typedWords: [],
    ...patch,
  };
}

/** A desk and a clock, driven as the screen drives it. */
class Bench {
  desk: Desk = emptyDesk();
  now = 1_000;
  errands: Errand[] = [];

  constructor(
    papers: readonly Paper[],
    private readonly barred: string | null = null,
  ) {
    this.does({ type: "queue", papers });
    this.look();
  }

  does(event: DeskEvent): this {
    const { desk, errand } = step(this.desk, event, this.now);
    this.desk = desk;
    if (errand) this.errands.push(errand);
    return this;
  }

  /** The pane shows what lies open, and time enough passes to see it. */
  look(): this {
    const { openId } = this.desk;
    const fingerprint = openId === null ? undefined : this.desk.papers.get(openId)?.fingerprint;
    if (openId !== null && fingerprint !== undefined)
      this.does({ type: "shown", held: { id: openId, fingerprint }, barred: this.barred });
    return this.wait(DEAD_MS);
  }

  wait(ms: number): this {
    this.now += ms;
    return this.does({ type: "tick" });
  }
}

const abc = () => [paper("a"), paper("b"), paper("c")];
const approveKey: DeskEvent = { type: "approve" };
const confirmKey: DeskEvent = { type: "confirm" };

test("the first of the queue lies open, and two keys approve it", () => {
  const bench = new Bench(abc()).does(approveKey).does(confirmKey);
  expect(bench.errands).toEqual([
    { type: "approve", held: [{ id: "a", fingerprint: "f-a" }], target: null },
  ]);
});

test("after a decision the next one is opened, and keys are dead until it has been looked at", () => {
  const bench = new Bench(abc()).does(approveKey).does(confirmKey);
  bench.does({ type: "decided", ids: ["a"], verdict: "approved" });
  expect(bench.desk.openId).toBe("b");
  bench.does(approveKey).does(confirmKey);
  expect(bench.desk.note).toBeNull();
  expect(bench.errands).toHaveLength(1);
  bench
    .does({ type: "shown", held: { id: "b", fingerprint: "f-b" }, barred: null })
    .wait(DEAD_MS - 1);
  bench.does(approveKey);
  expect(bench.desk.note).toContain("only just come up");
  expect(bench.desk.stage.kind).toBe("reading");
  bench.wait(1).does(approveKey).does(confirmKey);
  expect(bench.errands.at(-1)).toMatchObject({ held: [{ id: "b" }] });
});

test("nothing can be approved while its content is still being read", () => {
  const bench = new Bench(abc()).does({ type: "move", by: 1 }).wait(10_000);
  bench.does(approveKey).does(confirmKey);
  expect(bench.errands).toEqual([]);
});

test("news never moves what is open nor what is around it", () => {
  const bench = new Bench(abc()).does({ type: "move", by: 1 }).look();
  const order = ["a", "b", "c"];
  bench.does({ type: "queue", papers: [paper("x"), paper("b"), paper("y"), paper("c")] });
  expect(bench.desk.openId).toBe("b");
  expect(bench.desk.order.slice(0, 3)).toEqual(order);
  expect(bench.desk.gone.get("a")).toBe("left");
  expect(untidy(bench.desk)).toEqual({ late: 2, gone: 1 });
  bench.does({ type: "sort" });
  expect(bench.desk.order).toEqual(["x", "b", "y", "c"]);
  expect(bench.desk.openId).toBe("b");
});

test("what leaves the queue while it is being approved is not approved", () => {
  const bench = new Bench(abc()).does(approveKey);
  bench.does({ type: "queue", papers: [paper("b"), paper("c")] }).does(confirmKey);
  expect(bench.errands).toEqual([]);
  expect(bench.desk.openId).toBe("a");
  expect(bench.desk.gone.get("a")).toBe("left");
  bench.does(approveKey);
  expect(bench.desk.note).toContain("no longer waits");
});

test("what expires while it is being approved is not approved", () => {
  const bench = new Bench([paper("a", { expiresAtMs: 5_000 }), paper("b")]).does(approveKey);
  bench.now = 5_000;
  bench.does(confirmKey);
  expect(bench.errands).toEqual([]);
  expect(bench.desk.gone.get("a")).toBe("expired");
});

test("what changes while it is open locks until a person has read it again", () => {
  const bench = new Bench(abc()).does(approveKey);
  bench.does({ type: "queue", papers: [paper("a", { fingerprint: "other" }), paper("b")] });
  expect(bench.desk.stage.kind).toBe("reading");
  bench.look().does(approveKey).does(confirmKey);
  expect(bench.errands).toEqual([]);
  expect(bench.desk.gone.get("a")).toBe("changed");
  bench.does({ type: "reread" }).does(approveKey);
  expect(bench.desk.stage.kind).toBe("reading");
  bench.wait(DEAD_MS).does(approveKey).does(confirmKey);
  expect(bench.errands).toEqual([
    { type: "approve", held: [{ id: "a", fingerprint: "other" }], target: null },
  ]);
});

test("a high risk is approved only after its amount or its target was typed", () => {
  const words = ["12.40", "openai/gpt-5"];
  const bench = new Bench([paper("a", { risk: "high", typedWords: words })]);
  bench.does(approveKey).does(confirmKey);
  expect(bench.desk.note).toBe("Type 12.40 or openai/gpt-5 to approve it.");
  bench.does({ type: "typed", text: "12.4" }).does(confirmKey);
  expect(bench.errands).toEqual([]);
  bench.does({ type: "typed", text: " $12.40 " }).does(confirmKey);
  expect(bench.errands).toHaveLength(1);
  expect(isTyped("OpenAI/gpt-5", words)).toBe(true);
});

test("who may not decide is told why", () => {
  const why = "You filed it; another admin decides.";
  const bench = new Bench([paper("a")], why).does(approveKey);
  expect(bench.desk.note).toBe(why);
  expect(bench.does({ type: "reject" }).desk.stage.kind).toBe("reading");
});

test("a rejection says why", () => {
  const bench = new Bench(abc()).does({ type: "reject" });
  bench.does({ type: "confirm_reject", reason: "  " });
  expect(bench.desk.note).toBe("Say why it is rejected.");
  bench.does({ type: "confirm_reject", reason: "Too expensive " });
  expect(bench.errands).toEqual([
    { type: "reject", held: { id: "a", fingerprint: "f-a" }, reason: "Too expensive" },
  ]);
});

test("another target is another decision: it is confirmed anew", () => {
  const bench = new Bench(abc()).does(approveKey).does({ type: "target", target: "x/y" });
  bench.does(confirmKey);
  expect(bench.errands).toEqual([]);
  bench.does(approveKey).does(confirmKey);
  expect(bench.errands).toMatchObject([{ target: "x/y" }]);
  expect(bench.does({ type: "move", by: 1 }).desk.target).toBeNull();
});

function ofChosen(...papers: Paper[]) {
  const bench = new Bench(papers);
  for (const { id } of papers) bench.does({ type: "choose", id });
  return chosenTogether(bench.desk);
}

test("only what is alike, of low risk and of known cost is approved together", () => {
  expect(ofChosen(paper("a"), paper("b"))).toMatchObject({ papers: [{ id: "a" }, { id: "b" }] });
  expect(ofChosen()).toHaveProperty("why");
  expect(ofChosen(paper("a"), paper("b", { risk: "high" }))).toHaveProperty("why");
  expect(ofChosen(paper("a"), paper("b", { alike: "other" }))).toHaveProperty("why");
  expect(ofChosen(paper("a"), paper("b", { maxCost: null }))).toHaveProperty("why");
});

test("what is approved together is what was selected at that moment", () => {
  const bench = new Bench(abc())
    .does({ type: "choose", id: "a" })
    .does({ type: "choose", id: "b" });
  bench.does({ type: "approve_chosen" }).does({ type: "choose", id: "c" }).does(confirmKey);
  expect(bench.errands).toEqual([]);
  bench.does({ type: "approve_chosen" });
  bench.does({ type: "queue", papers: [paper("a"), paper("c")] }).does(confirmKey);
  expect(bench.errands).toEqual([]);
  bench.does({ type: "approve_chosen" }).does(confirmKey);
  expect(bench.errands).toMatchObject([{ held: [{ id: "a" }, { id: "c" }] }]);
});

test("a decision is taken back within five seconds, and comes up again", () => {
  const bench = new Bench(abc()).does(approveKey).does(confirmKey);
  bench.does({ type: "decided", ids: ["a"], verdict: "approved" }).wait(UNDO_MS);
  bench.does({ type: "undo" }).does({ type: "undone", ids: ["a"] });
  expect(bench.errands.at(-1)).toEqual({ type: "undo", ids: ["a"] });
  expect(bench.desk.openId).toBe("a");
  expect(bench.desk.gone.has("a")).toBe(false);
  expect(bench.does({ type: "undo" }).desk.note).toContain("take back");
});

test("after five seconds nothing is taken back", () => {
  const bench = new Bench(abc()).does(approveKey).does(confirmKey);
  bench.does({ type: "decided", ids: ["a"], verdict: "approved" }).wait(UNDO_MS + 1);
  bench.does({ type: "undo" });
  expect(bench.errands).toHaveLength(1);
});

test("when the queue has run empty, the next to come lies open", () => {
  const bench = new Bench([paper("a")]).does(approveKey).does(confirmKey);
  bench.does({ type: "decided", ids: ["a"], verdict: "approved" });
  bench.does({ type: "queue", papers: [] }).does({ type: "queue", papers: [paper("z")] });
  expect(bench.desk.openId).toBe("z");
});

test("what was opened by a link stays open although the queue does not have it", () => {
  const bench = new Bench([]).does({ type: "open", id: "old" });
  bench.does({ type: "queue", papers: abc() });
  expect(bench.desk.openId).toBe("old");
});

/** Reproducible numbers in 0..1. */
function random(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

function isSame(a: Held | null | undefined, b: Held | null): boolean {
  return a?.id === b?.id && a?.fingerprint === b?.fingerprint;
}

/** A backend whose queue shuffles, and a person whose hand is up to 400 ms behind their eyes. */
class Trial {
  readonly bench: Bench;
  readonly seen: { at: number; held: Held | null }[] = [];
  approvals = 0;
  wrong = 0;
  private queue: Paper[];
  private made: number;
  private meant: Held | null = null;

  constructor(private readonly chance: () => number) {
    this.queue = Array.from({ length: 1 + this.pick(6) }, (_, index) => paper(`p${index}`));
    this.made = this.queue.length;
    this.bench = new Bench(this.queue);
    this.note(this.bench.now - DEAD_MS);
  }

  pick(below: number): number {
    return Math.floor(this.chance() * below);
  }

  run(steps: number): void {
    for (let count = 0; count < steps; count += 1) {
      this.bench.now += this.pick(this.chance() < 0.5 ? 120 : 700);
      this.bench.does({ type: "tick" });
      if (this.chance() < 0.5) this.world();
      else this.key();
      this.note();
    }
  }

  /** Something happens that the person has not done. */
  private world(): void {
    const { bench, queue } = this;
    const at = this.pick(queue.length + 1);
    switch (this.pick(7)) {
      case 0:
        queue.splice(at, 0, paper(`p${this.made}`, { expiresAtMs: bench.now + this.pick(4_000) }));
        this.made += 1;
        break;
      case 1:
        queue.splice(at, 1);
        break;
      case 2:
        this.queue = queue.toSorted(() => this.chance() - 0.5);
        break;
      case 3: {
        const found = queue[at];
        if (found) queue[at] = { ...found, fingerprint: `${found.fingerprint}'` };
        break;
      }
      default: {
        // The pane has read what lies open, perhaps long after it was opened.
        const { openId, papers } = bench.desk;
        const fingerprint = openId === null ? undefined : papers.get(openId)?.fingerprint;
        if (openId !== null && fingerprint !== undefined)
          bench.does({ type: "shown", held: { id: openId, fingerprint }, barred: null });
        return;
      }
    }
    bench.does({ type: "queue", papers: [...this.queue] });
  }

  /** A key, meant for what the person saw when they decided to press it. */
  private key(): void {
    const { bench } = this;
    const meant = this.sawAt(bench.now - this.pick(DEAD_MS));
    const before = bench.errands.length;
    switch (this.pick(8)) {
      case 0:
        bench.does({ type: "move", by: this.chance() < 0.5 ? 1 : -1 });
        break;
      case 1:
        bench.does({ type: "sort" });
        break;
      case 2:
        bench.does({ type: "undo" });
        break;
      case 3:
        bench.does({ type: "reread" });
        break;
      case 4:
      case 5:
        bench.does({ type: "approve" });
        this.meant = meant;
        break;
      default: {
        bench.does({ type: "confirm" });
        const errand = bench.errands[before];
        if (errand?.type === "approve") this.judge(errand, meant);
      }
    }
  }

  /** Takes it as approved, and says what was wrong with that. */
  private judge(errand: Extract<Errand, { type: "approve" }>, meant: Held | null): void {
    const { bench } = this;
    const [held] = errand.held;
    const waiting = this.queue.find(({ id }) => id === held?.id);
    const right =
      errand.held.length === 1 &&
      isSame(held, meant) &&
      isSame(held, this.meant) &&
      waiting?.fingerprint === held?.fingerprint &&
      (waiting?.expiresAtMs ?? 0) > bench.now;
    if (!right) this.wrong += 1;
    this.approvals += 1;
    this.queue = this.queue.filter(({ id }) => id !== held?.id);
    const ids = errand.held.map(({ id }) => id);
    bench.does({ type: "decided", ids, verdict: "approved" });
  }

  private note(at = this.bench.now): void {
    const { openId, shown, gone } = this.bench.desk;
    const visible = openId !== null && shown !== null && !gone.has(openId);
    const held = visible ? { id: openId, fingerprint: shown } : null;
    this.seen.push({ at, held });
  }

  /** What stood in the pane then. */
  private sawAt(at: number): Held | null {
    return this.seen.findLast((look) => look.at <= at)?.held ?? null;
  }
}

test("in 10,000 trials of a shuffling queue under random keys no wrong request is approved", () => {
  let approvals = 0;
  let wrong = 0;
  for (let seed = 1; seed <= 10_000; seed += 1) {
    const trial = new Trial(random(seed));
    trial.run(40);
    approvals += trial.approvals;
    wrong += trial.wrong;
  }
  expect(wrong).toBe(0);
  // Else it would prove nothing.
  expect(approvals).toBeGreaterThan(5_000);
});
