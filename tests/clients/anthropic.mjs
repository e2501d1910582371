// The official Anthropic client against BASE_URL (the gateway's root), with API_KEY, asking for MODEL.

import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { mustFail, required, requestId, run, toolParameters } from "./scenarios.mjs";

const model = required("MODEL");
const connect = (apiKey) =>
  new Anthropic({ baseURL: required("BASE_URL"), apiKey, maxRetries: 0, timeout: 30_000 });
const client = connect(required("API_KEY"));

const limit = { max_tokens: 1024 };
const tool = (name) => ({ name, description: `Tells the ${name}.`, input_schema: toolParameters });
const user = (content) => ({ role: "user", content });
const said = (expected) => ({ ...limit, messages: [user(expected.user)] });

/** The text blocks of a message, joined. */
function textOf(content) {
  return content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

/** One complete call. */
async function complete(body) {
  const { data, response } = await client.messages.create({ model, ...body }).withResponse();
  return {
    text: textOf(data.content),
    content: data.content,
    stop_reason: data.stop_reason,
    stop_sequence: data.stop_sequence,
    requests: [{ request_id: requestId(response), usage: data.usage }],
  };
}

/** One streamed call, gathered from the raw events in their published order. */
async function streamed(body) {
  const { data, response } = await client.messages.create({ model, stream: true, ...body }).withResponse();
  const blocks = [];
  const seen = { chunks: 0, stop_reason: undefined, usage: undefined, kinds: [] };
  for await (const event of data) {
    seen.kinds.push(event.type);
    if (event.type === "message_start") seen.usage = event.message.usage;
    if (event.type === "content_block_start") blocks[event.index] = { ...event.content_block, json: "" };
    if (event.type === "content_block_delta") {
      seen.chunks += 1;
      grow(blocks[event.index], event.delta);
    }
    if (event.type === "message_delta") {
      seen.stop_reason = event.delta.stop_reason;
      seen.usage = { ...seen.usage, ...event.usage };
    }
  }
  assert.equal(seen.kinds[0], "message_start");
  assert.equal(seen.kinds.at(-1), "message_stop");
  const content = blocks.map(({ json, ...block }) =>
    block.type === "tool_use" ? { ...block, input: JSON.parse(json || "{}") } : block,
  );
  return {
    text: textOf(content),
    content,
    chunks: seen.chunks,
    stop_reason: seen.stop_reason,
    requests: [{ request_id: requestId(response), usage: seen.usage }],
  };
}

function grow(block, delta) {
  if (delta.type === "text_delta") block.text += delta.text;
  if (delta.type === "input_json_delta") block.json += delta.partial_json;
}

/** Calls the tools, answers them, and hears the answer; `call` is `complete` or `streamed`. */
async function roundTrip(expected, call) {
  const body = { ...limit, messages: [user(expected.user)], tools: expected.tools.map(tool) };
  const first = await call(body);
  assert.equal(first.stop_reason, "tool_use");
  const uses = first.content.filter((block) => block.type === "tool_use");
  assert.deepEqual(
    uses.map((use) => use.name),
    expected.tools,
  );
  assert.deepEqual(
    uses.map((use) => use.input),
    expected.arguments,
  );
  const results = uses.map((use, index) => ({
    type: "tool_result",
    tool_use_id: use.id,
    content: expected.results[index],
  }));
  const turn = { role: "assistant", content: first.content };
  const second = await call({ ...body, messages: [...body.messages, turn, user(results)] });
  return { text: second.text, requests: [...first.requests, ...second.requests] };
}

await run({
  complete: async (expected) => {
    const seen = await complete(said(expected));
    assert.equal(seen.stop_reason, "end_turn");
    return { text: seen.text, requests: seen.requests };
  },
  system: async (expected) => {
    const { text, requests } = await complete({ ...said(expected), system: expected.system });
    return { text, requests };
  },
  multi_turn: async (expected) => {
    const roles = ["user", "assistant", "user"];
    const messages = expected.turns.map((content, index) => ({ role: roles[index], content }));
    const { text, requests } = await complete({ ...limit, messages });
    return { text, requests };
  },
  streaming: async (expected) => {
    const seen = await streamed(said(expected));
    assert.equal(seen.stop_reason, "end_turn");
    assert.ok(seen.chunks > 1, "the text must arrive in pieces");
    return { text: seen.text, chunks: seen.chunks, requests: seen.requests };
  },
  streaming_usage: async (expected) => {
    const seen = await streamed(said(expected));
    assert.ok(seen.requests[0].usage.output_tokens > 0, "the stream must end with usage");
    return { text: seen.text, requests: seen.requests };
  },
  streaming_helper: async (expected) => {
    const stream = client.messages.stream({ model, ...said(expected) });
    const { response } = await stream.withResponse();
    const message = await stream.finalMessage();
    const requests = [{ request_id: requestId(response), usage: message.usage }];
    return { text: textOf(message.content), requests };
  },
  tools: (expected) => roundTrip(expected, complete),
  tools_streaming: (expected) => roundTrip(expected, streamed),
  parallel_tools: (expected) => roundTrip(expected, complete),
  parallel_tools_streaming: (expected) => roundTrip(expected, streamed),
  image: async (expected) => {
    const source = { type: "base64", media_type: "image/png", data: expected.image };
    const content = [{ type: "text", text: expected.user }, { type: "image", source }];
    const { text, requests } = await complete({ ...limit, messages: [user(content)] });
    return { text, requests };
  },
  max_tokens: async (expected) => {
    const seen = await complete({ ...said(expected), max_tokens: expected.max_tokens });
    assert.equal(seen.stop_reason, "max_tokens");
    return { text: seen.text, requests: seen.requests };
  },
  stop_sequence: async (expected) => {
    const seen = await complete({ ...said(expected), stop_sequences: [expected.stop] });
    return { text: seen.text, stop_reason: seen.stop_reason, requests: seen.requests };
  },
  count_tokens: async () => {
    const messages = [user("hello big world")];
    const short = await client.messages.countTokens({ model, messages });
    const long = await client.messages.countTokens({ model, messages, tools: [tool("weather")] });
    assert.ok(short.input_tokens > 0 && long.input_tokens > short.input_tokens);
    return { counted: [short.input_tokens, long.input_tokens] };
  },
  models: async () => {
    const ids = [];
    for await (const listed of client.models.list()) ids.push(listed.id);
    assert.ok(ids.length > 0, "the list is empty");
    return { models: ids };
  },
  wrong_key: () =>
    mustFail(
      () => connect("sbx_live_wrong").messages.create({ model, ...limit, messages: [user("hi")] }),
      Anthropic.AuthenticationError,
    ),
  wrong_key_streaming: () =>
    mustFail(
      () => connect("sbx_live_wrong").messages.create({ model, ...limit, stream: true, messages: [user("hi")] }),
      Anthropic.AuthenticationError,
    ),
  unknown_operation: () =>
    mustFail(
      () => client.messages.create({ model: "op:no_such_operation", ...limit, messages: [user("hi")] }),
      Anthropic.NotFoundError,
      Anthropic.BadRequestError,
    ),
});
