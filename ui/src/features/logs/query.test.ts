import { describe, expect, it } from "vitest";
import {
  complete,
  formatFilter,
  isUnfiltered,
  parseQuery,
  pickFilter,
  type Vocabulary,
} from "./query";

const KEYS = [
  { id: "key_1", name: "laptop" },
  { id: "key_2", name: "my server" },
];

const WORDS: Vocabulary = {
  operations: [
    { value: "chat_message", count: 7 },
    { value: "email_analysis", count: 2 },
  ],
  providers: [{ value: "deepseek", count: 9 }],
  models: [
    { value: "deepseek-chat", count: 9 },
    { value: "claude-sonnet-4-5", count: 3 },
  ],
  statuses: [{ value: "failed", count: 4 }],
  keys: KEYS,
};

describe("parseQuery", () => {
  it("reads every field of the language", () => {
    const { filter, problems } = parseQuery(
      'status:failed operation:email_analysis provider:deepseek model:claude* cost:>0.1 key:"my server" user:ada simulated:no id:req_0',
      KEYS,
    );
    expect(problems).toEqual([]);
    expect(filter).toEqual({
      status: "failed",
      operation: "email_analysis",
      provider: "deepseek",
      model: "claude*",
      cost_min: "100000000",
      key_id: "key_2",
      user: "ada",
      simulated: false,
      id: "req_0",
    });
  });

  it("takes a bare request id and everyday words for a status", () => {
    expect(parseQuery("req_01 status:error").filter).toEqual({ id: "req_01", status: "failed" });
    expect(parseQuery("status:running").filter).toEqual({ status: "in_flight" });
  });

  it("takes a lower bound and a pricing word under cost: at the same time", () => {
    expect(parseQuery("cost:>=$1.5 cost:estimated").filter).toEqual({
      cost_min: "1500000000",
      cost_status: "estimated",
    });
  });

  it.each([
    ["claude", "needs a field in front"],
    ["modle:x", "Did you mean model:?"],
    ["colour:red", "There is no field"],
    ["status:broken", "There is no status"],
    ["cost:cheap", "is not a cost"],
    ["cost:<1", "is not a cost"],
    ["model:", "needs a value"],
    ["model:*x*", "only understood at the end"],
    ["status:failed status:ok", "is there twice"],
    ["since:24h", "time range is set"],
    ["key:nobody", "no API key called"],
  ])("says what is wrong with %s", (text, message) => {
    const { problems } = parseQuery(text, KEYS);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(message);
  });

  it("points at the faulty word and keeps the rest", () => {
    const { filter, problems } = parseQuery("status:failed bogus:1 user:ada");
    expect(filter).toEqual({ status: "failed", user: "ada" });
    expect(problems[0]).toMatchObject({ start: 14, end: 21 });
  });

  it("is undone by formatFilter", () => {
    const text =
      'status:failed operation:email_analysis model:claude* cost:>0.1 cost:unpriced key:"my server" simulated:yes';
    expect(formatFilter(parseQuery(text, KEYS).filter, KEYS)).toBe(text);
  });

  it("knows an empty query", () => {
    expect(isUnfiltered(parseQuery("  ").filter)).toBe(true);
    expect(isUnfiltered({ status: undefined })).toBe(true);
    expect(isUnfiltered({ simulated: false })).toBe(false);
  });
});

describe("complete", () => {
  it("offers fields for a beginning, and all of them for nothing", () => {
    expect(complete("st", 2, WORDS).map((item) => item.insert)).toEqual(["status:"]);
    expect(complete("", 0, WORDS)).toHaveLength(9);
  });

  it("offers values with counts, those that start with the text first", () => {
    const found = complete("status:failed model:c", 21, WORDS);
    expect(found.map((item) => item.label)).toEqual(["claude-sonnet-4-5", "deepseek-chat"]);
    expect(found[0]).toMatchObject({
      insert: "model:claude-sonnet-4-5 ",
      start: 14,
      end: 21,
      count: 3,
    });
  });

  it("quotes names with spaces", () => {
    expect(complete("key:my", 6, WORDS)[0]?.insert).toBe('key:"my server" ');
  });
});

describe("pickFilter", () => {
  it("drops what a hand-written address cannot mean", () => {
    expect(
      pickFilter({ cost_min: "a lot", status: "failed", range: "24h", operation: "" }),
    ).toEqual({
      status: "failed",
    });
    expect(pickFilter({ cost_min: "100", simulated: false })).toEqual({
      cost_min: "100",
      simulated: false,
    });
  });
});
