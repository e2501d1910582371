// What both JavaScript clients share: the scenarios, the environment, and one line of JSON per scenario.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export const scenarios = JSON.parse(readFileSync(new URL("scenarios.json", import.meta.url), "utf8"));

/** An environment variable that must be set. */
export function required(name) {
  const value = process.env[name];
  assert.ok(value, `${name} must be set`);
  return value;
}

/** JSON schema of the arguments that every tool of the scenarios takes. */
export const toolParameters = {
  type: "object",
  properties: { city: { type: "string" }, unit: { type: "string", enum: ["celsius", "fahrenheit"] } },
  required: ["city"],
};

/**
 * Runs each check and prints its outcome: {scenario, ok, text?, usage?, request_id?, requests, error?}.
 *
 * A check returns {text, requests: [{request_id, usage}], …} and throws when the client was not served as expected.
 * `ONLY` (comma-separated names) narrows the run.
 */
export async function run(checks) {
  const only = process.env.ONLY?.split(",");
  for (const [scenario, check] of Object.entries(checks)) {
    if (only && !only.includes(scenario)) continue;
    const outcome = await attempt(scenario, check);
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
    if (!outcome.ok) process.exitCode = 1;
  }
}

async function attempt(scenario, check) {
  const expected = scenarios[scenario];
  try {
    const seen = await check(expected);
    if (expected) {
      assert.equal(seen.text, expected.text);
      seen.requests.forEach(({ usage }, index) => checkUsage(usage, expected.tokens[index]));
    }
    const last = seen.requests?.at(-1);
    return { scenario, ok: true, usage: last?.usage, request_id: last?.request_id, ...seen };
  } catch (error) {
    return { scenario, ok: false, error: described(error) };
  }
}

/** Usage, where the wire carries it, must say the tokens computed by hand. */
function checkUsage(usage, [input, output]) {
  if (!usage) return;
  assert.deepEqual(
    [usage.prompt_tokens ?? usage.input_tokens, usage.completion_tokens ?? usage.output_tokens],
    [input, output],
  );
}

/** An error as the client's user sees it. */
export function described(error) {
  return {
    class: error.constructor.name,
    status: error.status,
    code: error.code ?? error.errorCode ?? error.error?.error?.code,
    message: error.message,
    request_id: error.headers?.get?.("x-signalbox-request-id") ?? undefined,
  };
}

/** Runs a call that must fail with one of these classes of the client. */
export async function mustFail(call, ...classes) {
  const error = await call().then(
    () => assert.fail("the call should have failed"),
    (error) => error,
  );
  assert.ok(
    classes.some((wanted) => error instanceof wanted),
    `${error.constructor.name}: ${error.message}`,
  );
  return { error: described(error) };
}

/** The gateway's id of a response. */
export function requestId(response) {
  return response.headers.get("x-signalbox-request-id") ?? undefined;
}
