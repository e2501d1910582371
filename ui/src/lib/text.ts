/** A piece of untrusted text: shown as it is, or a hidden character shown as a glyph with its name. */
export type TextPiece =
  | { kind: "text"; text: string }
  | { kind: "hidden"; glyph: string; name: string };

const HIDDEN =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class -- exactly these are looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;

const NAMES: Record<number, string> = {
  0x00ad: "soft hyphen",
  0x061c: "Arabic letter mark",
  0x200b: "zero-width space",
  0x200c: "zero-width non-joiner",
  0x200d: "zero-width joiner",
  0x200e: "left-to-right mark",
  0x200f: "right-to-left mark",
  0x202a: "left-to-right embedding",
  0x202b: "right-to-left embedding",
  0x202c: "pop directional formatting",
  0x202d: "left-to-right override",
  0x202e: "right-to-left override",
  0x2066: "left-to-right isolate",
  0x2067: "right-to-left isolate",
  0x2068: "first strong isolate",
  0x2069: "pop directional isolate",
  0xfeff: "byte order mark",
};

/** Cuts text so that nothing in it can hide or reorder what a person reads. Line breaks and tabs stay. */
export function revealHidden(text: string): TextPiece[] {
  const pieces: TextPiece[] = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match[0] === "\r" && text[match.index + 1] === "\n") continue;
    if (match.index > from) pieces.push({ kind: "text", text: text.slice(from, match.index) });
    pieces.push(hiddenPiece(match[0]));
    from = match.index + match[0].length;
  }
  if (from < text.length) pieces.push({ kind: "text", text: text.slice(from) });
  return pieces;
}

function hiddenPiece(character: string): TextPiece {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase().padStart(4, "0");
  const glyph = code < 0x20 ? String.fromCodePoint(0x2400 + code) : `U+${hex}`;
  return { kind: "hidden", glyph, name: `${NAMES[code] ?? "hidden character"} (U+${hex})` };
}

/** Words that mix the letters of Latin with those of Cyrillic or Greek, which look alike: `pаypal`. */
export function mixedScripts(text: string): string[] {
  const found = new Set<string>();
  for (const [word] of text.matchAll(/[\p{L}\p{M}]+/gu)) {
    if (/\p{Script=Latin}/u.test(word) && /\p{Script=Cyrillic}|\p{Script=Greek}/u.test(word))
      found.add(word);
  }
  return [...found];
}
