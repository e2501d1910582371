export type StrategyWords = {
  id: string;
  word: string;
  /** One sentence. */
  says: string;
  /** Who takes over when the first choice cannot, as "on to …". */
  next: string;
};

/** How the first target is picked. The backend knows the same six. */
export const STRATEGIES: readonly [StrategyWords, ...StrategyWords[]] = [
  { id: "priority", word: "In order", says: "The chain as written, from top to bottom.", next: "" },
  {
    id: "cheapest",
    word: "Cheapest",
    says: "The lowest estimated cost of this very request first.",
    next: "the next cheapest",
  },
  {
    id: "fastest",
    word: "Fastest",
    says: "The shortest usual time to an answer lately first.",
    next: "the next fastest",
  },
  {
    id: "quality",
    word: "Best quality",
    says: "The highest quality score first.",
    next: "the next best",
  },
  {
    id: "balanced",
    word: "Balanced",
    says: "A mix of cost, time and quality that you weigh.",
    next: "the next best mix",
  },
  {
    id: "weighted",
    word: "Shares",
    says: "Each target gets its share of the requests.",
    next: "another one, by the shares",
  },
];

export function strategyWords(id: string): StrategyWords {
  return (
    STRATEGIES.find((known) => known.id === id) ?? { id, word: id, says: "", next: "the next" }
  );
}
