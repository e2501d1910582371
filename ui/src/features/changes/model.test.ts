import { expect, test } from "vitest";
import type { Change } from "@/bindings";
import {
  distinct,
  filterAt,
  isJson,
  kindOf,
  newestReport,
  offeredKinds,
  pickFilter,
  sinceWord,
  subjectLink,
  thenAndNow,
} from "./model";

function change(seq: number, subject: string, kind = "route"): Change {
  return { seq, subject, kind } as Change;
}

function report(checked_at: string, intact: boolean) {
  return { intact, entries: 3, first_bad: null, checked_at };
}

test("a kind this window does not know is shown as it is written", () => {
  expect(kindOf("route").word).toBe("Route");
  expect(kindOf("quota").word).toBe("quota");
  expect(offeredKinds("quota").at(-1)?.kind).toBe("quota");
  expect(offeredKinds("key")).toEqual(offeredKinds(undefined));
});

test("equal filters are equal, whatever else the URL holds", () => {
  const search = { kind: "key", subject: undefined, seq: 4 };
  expect(pickFilter(search)).toEqual({ kind: "key" });
  const where = { filter: pickFilter({ q: "haiku" }), range: { range: "24h" } as const };
  expect(filterAt(where, 86_400_000)).toEqual({ text: "haiku", from: "1970-01-01T00:00:00.000Z" });
});

test("what existed then is told beside what became of it", () => {
  const then = [thing("a", "1"), thing("b", "1"), thing("c", "1")];
  const now = [thing("a", "1"), thing("b", "2"), thing("d", "1")];
  const rows = thenAndNow(then, now);
  expect(rows.map((row) => [row.id, sinceWord(row)])).toEqual([
    ["setting/a", "same"],
    ["setting/b", "changed"],
    ["setting/c", "gone"],
  ]);
});

test("the chain badge shows the report that was made last", () => {
  const old = report("2026-11-21T10:00:00Z", true);
  const fresh = report("2026-11-21T11:00:00Z", false);
  expect(newestReport(old, undefined, fresh)).toBe(fresh);
  expect(newestReport(undefined)).toBeUndefined();
});

test("states that are not JSON are known as such, and absent ones are fine", () => {
  expect(isJson(null)).toBe(true);
  expect(isJson('{"a":1}')).toBe(true);
  expect(isJson("{broken")).toBe(false);
});

test("a subject leads to its page", () => {
  expect(subjectLink(change(1, "openai/gpt-5", "model"))?.search).toEqual({ provider: "openai" });
  expect(subjectLink(change(1, "max_requests", "setting"))?.search).toEqual({
    setting: "max_requests",
  });
  expect(subjectLink(change(1, "x", "install"))).toBeUndefined();
});

test("choices stand once, in order", () => {
  expect(distinct(["b", "a"], ["a", "c"])).toEqual(["a", "b", "c"]);
});

function thing(name: string, state: string) {
  return { kind: "setting", name, state, seq: null, since: null };
}
