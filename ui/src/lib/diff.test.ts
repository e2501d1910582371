import { expect, test } from "vitest";
import { diffLines, foldSame, prettyJson } from "./diff";

test("a diff keeps what stayed and marks what went and came", () => {
  const before = prettyJson('{"enabled":true,"targets":["a","b"]}');
  const after = prettyJson('{"enabled":false,"targets":["a","b"]}');
  const changed = diffLines(before, after).filter((line) => line.kind !== "same");
  expect(changed).toEqual([
    { kind: "removed", text: '  "enabled": true,' },
    { kind: "added", text: '  "enabled": false,' },
  ]);
});

test("something new is all added, something removed is all removed", () => {
  expect(diffLines([], ["a"])).toEqual([{ kind: "added", text: "a" }]);
  expect(diffLines(["a"], [])).toEqual([{ kind: "removed", text: "a" }]);
});

test("text that is not JSON is compared line by line", () => {
  expect(prettyJson("not json\nsecond")).toEqual(["not json", "second"]);
});

test("unchanged lines far from a change fold into one, and short stretches stay", () => {
  const lines = diffLines(
    ["a", "b", "c", "d", "e", "f", "old", "g", "h", "i"],
    ["a", "b", "c", "d", "e", "f", "new", "g", "h", "i"],
  );
  expect(
    foldSame(lines, 1).map((part) => (part.kind === "folded" ? part.lines : part.text)),
  ).toEqual([5, "f", "old", "new", "g", "h", "i"]);
  expect(foldSame(lines, Infinity)).toEqual(lines);
});
