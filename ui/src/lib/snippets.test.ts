import { describe, expect, it } from "vitest";
import { snippets } from "./snippets";

describe("snippets", () => {
  const all = snippets("http://127.0.0.1:4180/v1/", "chat_message");

  it("name the base URL and the operation, and no key", () => {
    for (const { code } of all) {
      expect(code).toContain("http://127.0.0.1:4180");
      expect(code).toContain("op:chat_message");
      expect(code).toContain("SIGNALBOX_API_KEY");
      expect(code).not.toContain("sbx_");
    }
  });

  it("leave /v1 to the Anthropic client, which adds it", () => {
    expect(all.find((snippet) => snippet.language === "anthropic")?.code).toContain(
      'base_url="http://127.0.0.1:4180"',
    );
    expect(all[0]?.code).toContain("http://127.0.0.1:4180/v1/chat/completions");
  });
});
