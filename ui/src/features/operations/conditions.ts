/** What a rule's condition can be about, and conditions to begin with. */

export type Variable = {
  /** As it is written in a condition. */
  name: string;
  says: string;
};

/** Every variable a condition sees. The backend gives the same to the Common Expression Language. */
export const VARIABLES: readonly Variable[] = [
  { name: "input_tokens", says: "Tokens that go in, counted from above" },
  { name: "max_output_tokens", says: "Tokens that may come out at most" },
  { name: "has_images", says: "Whether it carries pictures" },
  { name: "has_audio", says: "Whether it carries sound" },
  { name: "has_tools", says: "Whether the model may call tools" },
  { name: "json_output", says: "Whether the answer must be JSON" },
  { name: "streamed", says: "Whether the answer comes piece by piece" },
  { name: "user", says: "For whom, as the client says; empty when it does not" },
  { name: "key", says: "Name of the API key; empty for requests of this window" },
  { name: "operation", says: "The operation, e.g. “chat_message”" },
  { name: "surface", says: "The interface it came through, e.g. “openai_chat”" },
  { name: "tags", says: "The client’s labels by name, e.g. tags[“team”]" },
  { name: "complexity", says: "“simple”, “moderate” or “complex”" },
  { name: "hour_utc", says: "Hour of the day in UTC, 0 to 23" },
  { name: "weekday_utc", says: "Day of the week in UTC, 1 (Monday) to 7 (Sunday)" },
];

/** What can be called on texts and lists besides comparing them. */
export const FUNCTIONS = "contains, startsWith, endsWith, size, has";

export type Example = { name: string; when: string; effect: "prefer" | "only" };

/** Conditions people start from. */
export const EXAMPLES: readonly [Example, ...Example[]] = [
  { name: "Short requests", when: "input_tokens < 500", effect: "prefer" },
  {
    name: "Simple requests",
    when: 'complexity == "simple" && !has_tools',
    effect: "prefer",
  },
  { name: "Long context", when: "input_tokens > 100000", effect: "only" },
  { name: "Pictures", when: "has_images", effect: "only" },
  { name: "Tools", when: "has_tools || json_output", effect: "prefer" },
  { name: "One user", when: 'user == "ines"', effect: "prefer" },
  { name: "One team", when: '"team" in tags && tags["team"] == "research"', effect: "prefer" },
  { name: "Nights", when: "hour_utc >= 22 || hour_utc < 6", effect: "prefer" },
  { name: "Weekends", when: "weekday_utc >= 6", effect: "prefer" },
];

/** A name no other rule has. */
export function freeName(wanted: string, taken: readonly string[]): string {
  if (!taken.includes(wanted)) return wanted;
  const number = taken.filter((name) => name.startsWith(wanted)).length + 1;
  return freeName(`${wanted} ${number}`, taken);
}

/** Text put in at a selection, with a space where words would run together; and where the caret stands then. */
export function insertAt(
  text: string,
  piece: string,
  start: number,
  end: number,
): { text: string; caret: number } {
  const before = text.slice(0, start);
  const after = text.slice(end);
  const gap = /[\w"\])]$/.test(before) ? " " : "";
  return {
    text: `${before}${gap}${piece}${after}`,
    caret: before.length + gap.length + piece.length,
  };
}
