import { expect, test } from "vitest";
import { revealHidden } from "./text";

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
