// The official OpenAI client against BASE_URL (the gateway's root), with API_KEY, asking for MODEL.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { mustFail, required, requestId, run, toolParameters } from "./scenarios.mjs";

const model = required("MODEL");
const connect = (apiKey) =>
  new OpenAI({ baseURL: `${required("BASE_URL")}/v1`, apiKey, maxRetries: 0, timeout: 30_000 });
const client = connect(required("API_KEY"));

const tool = (name) => ({
  type: "function",
  function: { name, description: `Tells the ${name}.`, parameters: toolParameters },
});

/** One complete call. */
async function complete(body) {
  const { data, response } = await client.chat.completions.create({ model, ...body }).withResponse();
  const [choice] = data.choices;
  return {
    text: choice.message.content,
    message: choice.message,
    finish_reason: choice.finish_reason,
    requests: [{ request_id: requestId(response), usage: data.usage }],
  };
}

/** One streamed call, gathered the way a client without the helper does it. */
async function streamed(body) {
  const { data, response } = await client.chat.completions
    .create({ model, stream: true, ...body })
    .withResponse();
  const seen = { text: "", chunks: 0, calls: [], usage: undefined, finish_reason: undefined };
  for await (const chunk of data) {
    seen.usage ??= chunk.usage ?? undefined;
    const choice = chunk.choices[0];
    if (!choice) continue;
    seen.finish_reason = choice.finish_reason ?? seen.finish_reason;
    if (choice.delta.content) {
      seen.text += choice.delta.content;
      seen.chunks += 1;
    }
    for (const delta of choice.delta.tool_calls ?? []) gather(seen.calls, delta);
  }
  const { calls, usage, ...rest } = seen;
  const message = { role: "assistant", content: seen.text || null };
  if (calls.length > 0) message.tool_calls = calls;
  return { ...rest, message, requests: [{ request_id: requestId(response), usage }] };
}

function gather(calls, delta) {
  const call = (calls[delta.index] ??= { id: "", type: "function", function: { name: "", arguments: "" } });
  call.id ||= delta.id ?? "";
  call.function.name ||= delta.function?.name ?? "";
  call.function.arguments += delta.function?.arguments ?? "";
}

const user = (content) => ({ role: "user", content });
const said = (expected) => ({ messages: [user(expected.user)] });

/** Calls the tools, answers them, and hears the answer; `call` is `complete` or `streamed`. */
async function roundTrip(expected, call) {
  const body = { messages: [user(expected.user)], tools: expected.tools.map(tool) };
  const first = await call(body);
  assert.equal(first.finish_reason, "tool_calls");
  const calls = first.message.tool_calls;
  assert.deepEqual(
    calls.map((made) => made.function.name),
    expected.tools,
  );
  assert.deepEqual(
    calls.map((made) => JSON.parse(made.function.arguments)),
    expected.arguments,
  );
  const results = calls.map((made, index) => ({
    role: "tool",
    tool_call_id: made.id,
    content: expected.results[index],
  }));
  const second = await call({ ...body, messages: [...body.messages, first.message, ...results] });
  return { text: second.text, requests: [...first.requests, ...second.requests] };
}

function streamedText(seen) {
  assert.ok(seen.chunks > 1, "the text must arrive in pieces");
  return { text: seen.text, chunks: seen.chunks, requests: seen.requests };
}

await run({
  complete: async (expected) => {
    const seen = await complete(said(expected));
    assert.equal(seen.finish_reason, "stop");
    return { text: seen.text, requests: seen.requests };
  },
  system: async (expected) => {
    const messages = [{ role: "system", content: expected.system }, user(expected.user)];
    const { text, requests } = await complete({ messages });
    return { text, requests };
  },
  multi_turn: async (expected) => {
    const roles = ["user", "assistant", "user"];
    const messages = expected.turns.map((content, index) => ({ role: roles[index], content }));
    const { text, requests } = await complete({ messages });
    return { text, requests };
  },
  streaming: async (expected) => {
    const seen = await streamed(said(expected));
    assert.equal(seen.finish_reason, "stop");
    assert.equal(seen.requests[0].usage, undefined, "usage was not asked for");
    return streamedText(seen);
  },
  streaming_usage: async (expected) => {
    const seen = await streamed({ ...said(expected), stream_options: { include_usage: true } });
    assert.ok(seen.requests[0].usage, "usage was asked for");
    return streamedText(seen);
  },
  streaming_helper: async (expected) => {
    const stream = client.chat.completions.stream({ model, ...said(expected) });
    const completion = await stream.finalChatCompletion();
    return { text: completion.choices[0].message.content, requests: [] };
  },
  tools: (expected) => roundTrip(expected, complete),
  tools_streaming: (expected) => roundTrip(expected, streamed),
  parallel_tools: (expected) => roundTrip(expected, complete),
  parallel_tools_streaming: (expected) => roundTrip(expected, streamed),
  image: async (expected) => {
    const image = { type: "image_url", image_url: { url: `data:image/png;base64,${expected.image}` } };
    const { text, requests } = await complete({
      messages: [user([{ type: "text", text: expected.user }, image])],
    });
    return { text, requests };
  },
  max_tokens: async (expected) => {
    const seen = await complete({ ...said(expected), max_tokens: expected.max_tokens });
    assert.equal(seen.finish_reason, "length");
    return { text: seen.text, requests: seen.requests };
  },
  stop_sequence: async (expected) => {
    const seen = await complete({ ...said(expected), stop: [expected.stop] });
    assert.equal(seen.finish_reason, "stop");
    return { text: seen.text, requests: seen.requests };
  },
  models: async () => {
    const ids = [];
    for await (const listed of client.models.list()) ids.push(listed.id);
    assert.ok(ids.length > 0, "the list is empty");
    return { models: ids };
  },
  wrong_key: () =>
    mustFail(
      () => connect("sbx_live_wrong").chat.completions.create({ model, messages: [user("hi")] }),
      OpenAI.AuthenticationError,
    ),
  wrong_key_streaming: () =>
    mustFail(
      () => connect("sbx_live_wrong").chat.completions.create({ model, stream: true, messages: [user("hi")] }),
      OpenAI.AuthenticationError,
    ),
  unknown_operation: () =>
    mustFail(
      () => client.chat.completions.create({ model: "op:no_such_operation", messages: [user("hi")] }),
      OpenAI.NotFoundError,
      OpenAI.BadRequestError,
    ),
});
