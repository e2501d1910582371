/**
 * A little of the Common Expression Language, enough for a made-up backend to match rules and to refuse what it cannot
 * read: comparisons, `&&`, `||`, `!`, `in`, brackets, text, numbers, and `tags["name"]`.
 */

export type CelValue = string | number | boolean | Record<string, string>;

type Token = { kind: "name" | "text" | "number" | "sign" | "end"; text: string; at: number };

export class CelError extends Error {}

/** Whether a condition holds. Throws a `CelError` that says where it cannot be read. */
export function holds(condition: string, variables: Readonly<Record<string, CelValue>>): boolean {
  const reader = new Reader(tokens(condition), variables);
  const value = reader.either();
  reader.expect("end", "");
  if (typeof value !== "boolean") {
    throw new CelError("The condition must be true or false, not a number or a text.");
  }
  return value;
}

const TOKEN =
  /\s*(?:([A-Za-z_]\w*)|("[^"]*"|'[^']*')|(\d+(?:\.\d+)?)|(&&|\|\||[=!<>]=|[<>!()[\].]))/y;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  let at = 0;
  while (text.slice(at).trim() !== "") {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw new CelError(`“${text.slice(at).trim().slice(0, 12)}” is not understood.`);
    const [, name, quoted, number, sign] = match;
    const kind = name ? "name" : quoted ? "text" : number ? "number" : "sign";
    const inner = quoted ? quoted.slice(1, -1) : (name ?? number ?? sign ?? "");
    found.push({ kind, text: inner, at });
    at = TOKEN.lastIndex;
  }
  return [...found, { kind: "end", text: "", at }];
}

class Reader {
  readonly #tokens: Token[];
  readonly #variables: Readonly<Record<string, CelValue>>;
  #next = 0;

  constructor(all: Token[], variables: Readonly<Record<string, CelValue>>) {
    this.#tokens = all;
    this.#variables = variables;
  }

  either(): CelValue {
    let value = this.both();
    while (this.#take("sign", "||")) {
      const right = this.both();
      value = truth(value) || truth(right);
    }
    return value;
  }

  both(): CelValue {
    let value = this.comparison();
    while (this.#take("sign", "&&")) {
      const right = this.comparison();
      value = truth(value) && truth(right);
    }
    return value;
  }

  comparison(): CelValue {
    const left = this.single();
    if (this.#take("name", "in")) {
      const right = this.single();
      if (typeof right !== "object" || typeof left !== "string")
        throw new CelError("“in” looks for a text in tags.");
      return left in right;
    }
    const sign = this.#peek();
    if (sign.kind !== "sign" || !/^([=!<>]=|[<>])$/.test(sign.text)) return left;
    this.#next += 1;
    return compare(left, sign.text, this.single());
  }

  single(): CelValue {
    if (this.#take("sign", "!")) return !truth(this.single());
    if (this.#take("sign", "(")) {
      const value = this.either();
      this.expect("sign", ")");
      return value;
    }
    const token = this.#peek();
    this.#next += 1;
    if (token.kind === "text") return token.text;
    if (token.kind === "number") return Number(token.text);
    if (token.kind !== "name") {
      throw new CelError(
        token.kind === "end"
          ? "The condition ends too early."
          : `“${token.text}” is not expected here.`,
      );
    }
    if (token.text === "true" || token.text === "false") return token.text === "true";
    return this.#member(this.#variable(token.text));
  }

  #variable(name: string): CelValue {
    const value = this.#variables[name];
    if (value === undefined) throw new CelError(`There is no variable “${name}”.`);
    return value;
  }

  #member(value: CelValue): CelValue {
    if (this.#take("sign", "[")) {
      const key = this.single();
      this.expect("sign", "]");
      if (typeof key !== "string") throw new CelError("Tags are named by texts.");
      return memberOf(value, key);
    }
    if (this.#take("sign", ".")) {
      const key = this.#peek();
      this.#next += 1;
      return memberOf(value, key.text);
    }
    return value;
  }

  expect(kind: Token["kind"], text: string): void {
    const token = this.#peek();
    if (!this.#take(kind, text)) {
      throw new CelError(
        token.kind === "end"
          ? `A “${text}” is missing at the end.`
          : `“${token.text}” is not expected here.`,
      );
    }
  }

  #take(kind: Token["kind"], text: string): boolean {
    const token = this.#peek();
    const fits = token.kind === kind && token.text === text;
    if (fits) this.#next += 1;
    return fits;
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: "end", text: "", at: 0 };
  }
}

function memberOf(value: CelValue, key: string): CelValue {
  if (typeof value !== "object") throw new CelError("Only tags have parts.");
  return value[key] ?? "";
}

function truth(value: CelValue): boolean {
  if (typeof value !== "boolean") {
    throw new CelError("“&&”, “||” and “!” take what is true or false.");
  }
  return value;
}

function compare(left: CelValue, sign: string, right: CelValue): boolean {
  if (typeof left !== typeof right) {
    throw new CelError(`A ${typeOf(left)} cannot be compared with a ${typeOf(right)}.`);
  }
  switch (sign) {
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    default:
      return left >= right;
  }
}

function typeOf(value: CelValue): string {
  if (typeof value === "string") return "text";
  return typeof value === "object" ? "map" : typeof value === "number" ? "number" : "truth value";
}
