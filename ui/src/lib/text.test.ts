import { expect, test } from "vitest";
import { mixedScripts, revealHidden } from "./text";

test("plain text with line breaks and tabs stays in one piece", () => {
  expect(revealHidden("a\tb\nc\r\nd")).toEqual([{ kind: "text", text: "a\tb\nc\r\nd" }]);
});

test("direction overrides, zero-width and control characters become visible glyphs", () => {
  const pieces = revealHidden("pay\u202eecila\u200b\u0007");
  expect(pieces.map((piece) => (piece.kind === "text" ? piece.text : piece.glyph))).toEqual([
    "pay",
    "U+202E",
    "ecila",
    "U+200B",
    "␇",
  ]);
  expect(pieces[1]).toMatchObject({ name: "right-to-left override (U+202E)" });
});

test("tag characters, which carry invisible instructions, are shown", () => {
  expect(revealHidden("\u{e0041}")).toEqual([
    { kind: "hidden", glyph: "U+E0041", name: "hidden character (U+E0041)" },
  ]);
});

test("a word that mixes letters that look alike is found", () => {
  expect(
    mixedScripts("pay p\u0430ypal to \u043a\u043b\u0438\u0435\u043d\u0442, \u03b1lpha"),
  ).toEqual(["p\u0430ypal", "\u03b1lpha"]);
  expect(mixedScripts("plain words, \u03b1 \u03b2")).toEqual([]);
});
