export type CircuitState = "closed" | "open" | "half_open" | "held";

/** A state by its name; what this window does not know is taken for open, which hides no trouble. */
export function circuitState(name: string): CircuitState {
  switch (name) {
    case "closed":
    case "half_open":
    case "held":
      return name;
    default:
      return "open";
  }
}

const WORDS: Record<CircuitState, string> = {
  closed: "Closed",
  open: "Open",
  half_open: "Half-open",
  held: "Held open",
};

export function circuitWord(name: string): string {
  return WORDS[circuitState(name)];
}
