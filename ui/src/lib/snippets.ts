/** Ready-made first requests. The key itself never enters the window, so the snippets read it from the environment. */

export type Language = "curl" | "python" | "javascript" | "anthropic";

export interface Snippet {
  language: Language;
  label: string;
  code: string;
}

/** Where a program finds its key. */
export const KEY_VARIABLE = "SIGNALBOX_API_KEY";

/** Snippets for one base URL (with `/v1`) and one operation. */
export function snippets(baseUrl: string, operation: string): Snippet[] {
  const url = baseUrl.replace(/\/+$/, "");
  const model = `op:${operation}`;
  return [
    {
      language: "curl",
      label: "curl",
      code: [
        `curl ${url}/chat/completions \\`,
        `  -H "Authorization: Bearer $${KEY_VARIABLE}" \\`,
        `  -H "Content-Type: application/json" \\`,
        `  -d '{"model": "${model}", "messages": [{"role": "user", "content": "Hello"}]}'`,
      ].join("\n"),
    },
    {
      language: "python",
      label: "Python",
      code: [
        "import os",
        "from openai import OpenAI",
        "",
        `client = OpenAI(base_url="${url}", api_key=os.environ["${KEY_VARIABLE}"])`,
        "answer = client.chat.completions.create(",
        `    model="${model}",`,
        `    messages=[{"role": "user", "content": "Hello"}],`,
        ")",
        "print(answer.choices[0].message.content)",
      ].join("\n"),
    },
    {
      language: "javascript",
      label: "JavaScript",
      code: [
        `import OpenAI from "openai";`,
        "",
        `const client = new OpenAI({ baseURL: "${url}", apiKey: process.env.${KEY_VARIABLE} });`,
        "const answer = await client.chat.completions.create({",
        `  model: "${model}",`,
        `  messages: [{ role: "user", content: "Hello" }],`,
        "});",
        "console.log(answer.choices[0].message.content);",
      ].join("\n"),
    },
    {
      language: "anthropic",
      label: "Anthropic SDK",
      code: [
        "import os",
        "from anthropic import Anthropic",
        "",
        `client = Anthropic(base_url="${url.replace(/\/v1$/, "")}", api_key=os.environ["${KEY_VARIABLE}"])`,
        "answer = client.messages.create(",
        `    model="${model}",`,
        "    max_tokens=256,",
        `    messages=[{"role": "user", "content": "Hello"}],`,
        ")",
        "print(answer.content[0].text)",
      ].join("\n"),
    },
  ];
}
