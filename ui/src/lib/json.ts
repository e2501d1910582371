/**
 * Reading JSON without touching it: a number of forty digits, a key that stands twice, an escaped letter stay exactly as
 * they were written. What a person approves must be what is run.
 */

const INDENT = "  ";
/** Deeper is not indented further: nesting a hundred thousand levels must not fill the memory with spaces. */
const INDENTS_MAX = 40;

/** JSON text over several lines. Only white space outside of strings is added or taken away; text that is no JSON stays. */
export function indentJson(text: string): string {
  return isJson(text) ? indented(text) : text;
}

/** The text without the white space that means nothing: two texts are the same JSON, byte for byte, if these are equal. */
export function compactJson(text: string): string {
  return tokens(text).join("");
}

function indented(text: string): string {
  const parts: string[] = [];
  let depth = 0;
  let before = "";
  for (const token of tokens(text)) {
    const closes = token === "}" || token === "]";
    const opened = before === "{" || before === "[";
    if (closes) depth -= 1;
    // An empty object stays on its line.
    if (opened !== closes || (before === "," && !closes))
      parts.push(`\n${INDENT.repeat(Math.min(depth, INDENTS_MAX))}`);
    parts.push(token);
    if (token === ":") parts.push(" ");
    if (token === "{" || token === "[") depth += 1;
    before = token;
  }
  return parts.join("");
}

/** A string; or a mark of the grammar; or anything else that holds together. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gsu;

function tokens(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
