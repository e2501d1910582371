// The official OpenAI client's Responses API against BASE_URL (the gateway's root), with API_KEY, asking for MODEL.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { mustFail, required, requestId, run, toolParameters } from "./scenarios.mjs";

const model = required("MODEL");
const connect = (apiKey) =>
  new OpenAI({ baseURL: `${required("BASE_URL")}/v1`, apiKey, maxRetries: 0, timeout: 30_000 });
const client = connect(required("API_KEY"));

const tool = (name) => ({
  type: "function",
  name,
  description: `Tells the ${name}.`,
  parameters: toolParameters,
  strict: false,
});

/** One complete call. */
async function complete(body) {
  const { data, response } = await client.responses.create({ model, ...body }).withResponse();
  return gathered(data, response);
}

/** One streamed call, gathered from the raw events in their published order. */
async function streamed(body) {
  const { data, response } = await client.responses.create({ model, stream: true, ...body }).withResponse();
  const seen = { text: "", chunks: 0, kinds: [] };
  let last;
  for await (const event of data) {
    assert.equal(event.sequence_number, seen.kinds.length);
    seen.kinds.push(event.type);
    if (event.type === "response.output_text.delta") {
      seen.text += event.delta;
      seen.chunks += 1;
    }
    last = event;
  }
  assert.equal(seen.kinds[0], "response.created");
  assert.match(last.type, /^response\.(completed|incomplete)$/);
  const whole = gathered(last.response, response);
  assert.equal(seen.text, whole.text);
  return { ...whole, chunks: seen.chunks };
}

function gathered(data, response) {
  assert.equal(data.object, "response");
  // The client derives `output_text` for complete answers only.
  const parts = data.output.flatMap((item) => (item.type === "message" ? item.content : []));
  const text = parts.map((part) => (part.type === "output_text" ? part.text : "")).join("");
  return {
    text,
    output: data.output,
    status: data.status,
    reason: data.incomplete_details?.reason,
    requests: [{ request_id: requestId(response), usage: data.usage }],
  };
}

const user = (content) => ({ role: "user", content });

/** Calls the tools, answers them, and hears the answer; `call` is `complete` or `streamed`. */
async function roundTrip(expected, call) {
  const input = [user(expected.user)];
  const tools = expected.tools.map(tool);
  const first = await call({ input, tools });
  const calls = first.output.filter((item) => item.type === "function_call");
  assert.deepEqual(
    calls.map((made) => made.name),
    expected.tools,
  );
  assert.deepEqual(
    calls.map((made) => JSON.parse(made.arguments)),
    expected.arguments,
  );
  const results = calls.map((made, index) => ({
    type: "function_call_output",
    call_id: made.call_id,
    output: expected.results[index],
  }));
  const second = await call({ input: [...input, ...first.output, ...results], tools });
  return { text: second.text, requests: [...first.requests, ...second.requests] };
}

function ended(seen) {
  assert.equal(seen.status, "completed");
  return { text: seen.text, requests: seen.requests };
}

function inPieces(seen) {
  assert.ok(seen.chunks > 1, "the text must arrive in pieces");
  return { ...ended(seen), chunks: seen.chunks };
}

await run({
  complete: async (expected) => {
    const answer = await client.responses.create({ model, input: expected.user }).withResponse();
    assert.equal(answer.data.output_text, expected.text);
    return ended(gathered(answer.data, answer.response));
  },
  system: async (expected) =>
    ended(await complete({ instructions: expected.system, input: [user(expected.user)] })),
  multi_turn: async (expected) => {
    const roles = ["user", "assistant", "user"];
    const input = expected.turns.map((content, index) => ({ role: roles[index], content }));
    return ended(await complete({ input }));
  },
  streaming: async (expected) => inPieces(await streamed({ input: expected.user })),
  streaming_usage: async (expected) => {
    const seen = await streamed({ input: [user(expected.user)] });
    assert.ok(seen.requests[0].usage.output_tokens > 0, "the stream must end with usage");
    return inPieces(seen);
  },
  streaming_helper: async (expected) => {
    const response = await client.responses.stream({ model, input: expected.user }).finalResponse();
    return { text: response.output_text, requests: [] };
  },
  tools: (expected) => roundTrip(expected, complete),
  tools_streaming: (expected) => roundTrip(expected, streamed),
  parallel_tools: (expected) => roundTrip(expected, complete),
  parallel_tools_streaming: (expected) => roundTrip(expected, streamed),
  image: async (expected) => {
    const image_url = `data:image/png;base64,${expected.image}`;
    const content = [
      { type: "input_text", text: expected.user },
      { type: "input_image", image_url, detail: "auto" },
    ];
    return ended(await complete({ input: [user(content)] }));
  },
  max_tokens: async (expected) => {
    const seen = await complete({ input: expected.user, max_output_tokens: expected.max_tokens });
    assert.deepEqual([seen.status, seen.reason], ["incomplete", "max_output_tokens"]);
    return { text: seen.text, requests: seen.requests };
  },
  wrong_key: () =>
    mustFail(
      () => connect("sbx_live_wrong").responses.create({ model, input: "hi" }),
      OpenAI.AuthenticationError,
    ),
  wrong_key_streaming: () =>
    mustFail(
      () => connect("sbx_live_wrong").responses.create({ model, stream: true, input: "hi" }),
      OpenAI.AuthenticationError,
    ),
  unknown_operation: () =>
    mustFail(
      () => client.responses.create({ model: "op:no_such_operation", input: "hi" }),
      OpenAI.NotFoundError,
      OpenAI.BadRequestError,
    ),
});
