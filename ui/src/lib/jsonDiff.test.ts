import { describe, expect, it } from "vitest";
import { diffJson, diffLines, layoutJson } from "./jsonDiff";

describe("layoutJson", () => {
  it("puts each target of a route on its own line", () => {
    expect(
      layoutJson('{"enabled":true,"targets":[{"provider":"a","model":"m"}],"none":[]}'),
    ).toEqual([
      "{",
      '  "enabled": true',
      '  "targets": [{ "provider": "a", "model": "m" }]',
      '  "none": []',
      "}",
    ]);
    const many = JSON.stringify({
      targets: Array.from({ length: 4 }, () => ({ provider: "anthropic", model: "claude" })),
    });
    expect(layoutJson(many)).toHaveLength(8);
  });

  it("shows text that is not JSON as it is", () => {
    expect(layoutJson("not json\nat all")).toEqual(["not json", "at all"]);
  });
});

describe("diffJson", () => {
  it("marks only what differs", () => {
    const lines = diffJson('{"enabled":true,"name":"x"}', '{"enabled":false,"name":"x"}');
    expect(lines.filter((line) => line.kind !== "same")).toEqual([
      { kind: "removed", text: '  "enabled": true' },
      { kind: "added", text: '  "enabled": false' },
    ]);
  });

  it("shows something new as added and something gone as removed", () => {
    expect(diffJson(null, '"x"')).toEqual([{ kind: "added", text: '"x"' }]);
    expect(diffJson('"x"', null)).toEqual([{ kind: "removed", text: '"x"' }]);
  });

  it("finds a moved line in a long list", () => {
    expect(diffLines(["a", "b", "c"], ["c", "a", "b"])).toEqual([
      { kind: "added", text: "c" },
      { kind: "same", text: "a" },
      { kind: "same", text: "b" },
      { kind: "removed", text: "c" },
    ]);
  });
});
