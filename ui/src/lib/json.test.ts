import { expect, test } from "vitest";
import { compactJson, indentJson } from "./json";
import { revealHidden } from "./text";

test("a structure is laid out over lines, and what is empty stays on its own", () => {
  expect(indentJson('{"a":[1,{"b":null}],"c":{},"d":[]}')).toBe(
    '{\n  "a": [\n    1,\n    {\n      "b": null\n    }\n  ],\n  "c": {},\n  "d": []\n}',
  );
  expect(indentJson('"text"')).toBe('"text"');
  expect(indentJson("[]")).toBe("[]");
});

test("text that is no JSON stays as it is", () => {
  expect(indentJson("{not json")).toBe("{not json");
  expect(indentJson("")).toBe("");
});

test("digits, escapes, order and twins of keys stay as they were written", () => {
  const text = '{"2":12345678901234567890.10,"1":1e400,"1":"\\u0061\\/ {,:} \\" "}';
  expect(compactJson(indentJson(text))).toBe(text);
  expect(indentJson(text)).toContain("12345678901234567890.10");
});

/** Text that likes to be misread. */
const NASTY = [
  "\u202egnp.exe",
  "zero\u200bwidth",
  "p\u0430ypal",
  "\ud83d\ude00 \ud800",
  'a\\"b',
  "line\u2028break",
  '{"x":[1,2]}',
  "\u0000\u001f",
  "e\u0301 \u00e9",
  "\u{e0041}tag",
];

/** Any JSON, from numbers in 0..1. */
function anyJson(chance: () => number, depth: number): unknown {
  const pick = (count: number) => Math.floor(chance() * count);
  switch (pick(depth > 5 ? 4 : 6)) {
    case 0:
      return NASTY[pick(NASTY.length)];
    case 1:
      return (chance() - 0.5) * 10 ** pick(25);
    case 2:
      return chance() < 0.5;
    case 3:
      return null;
    case 4:
      return Array.from({ length: pick(4) }, () => anyJson(chance, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: pick(4) }, () => [
          `${NASTY[pick(NASTY.length)]}${pick(9)}`,
          anyJson(chance, depth + 1),
        ]),
      );
  }
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test("what is shown is what is signed: taking the layout away gives the same bytes back", () => {
  for (let seed = 1; seed <= 3_000; seed += 1) {
    const text = JSON.stringify(anyJson(random(seed), 0));
    expect(compactJson(indentJson(text))).toBe(text);
  }
});

test("nothing that hides is lost on its way to the eye", () => {
  for (let seed = 1; seed <= 500; seed += 1) {
    const text = indentJson(JSON.stringify(anyJson(random(seed), 0)));
    const shown = revealHidden(text).map((piece) =>
      piece.kind === "text" ? piece.text : piece.glyph,
    );
    expect(shown.join("")).not.toMatch(/[\u200b\u202e\u2028]/u);
  }
});

test("a megabyte and a thousand levels are laid out without filling the memory", () => {
  const long = JSON.stringify({ text: "x\u200b".repeat(500_000) });
  expect(compactJson(indentJson(long))).toBe(long);
  const deep = `${"[".repeat(1_000)}1${"]".repeat(1_000)}`;
  expect(compactJson(indentJson(deep))).toBe(deep);
  expect(indentJson(deep).length).toBeLessThan(200_000);
});
