import { expect, test } from "vitest";
import { doneSteps, openStep } from "./progress";

const NOTHING = {
  provider_connected: false,
  key_created: false,
  first_request: null,
  protected: false,
};

test("a new installation opens at the first step with nothing done", () => {
  expect(openStep(NOTHING, undefined)).toBe("connect");
  expect(doneSteps(NOTHING, undefined)).toEqual({
    connect: false,
    key: false,
    protect: false,
    send: false,
  });
});

test("choosing the simulator counts as connected once a person has gone on", () => {
  expect(doneSteps(NOTHING, "key").connect).toBe(true);
});

test("what exists already is done, and the first missing step opens", () => {
  const progress = { ...NOTHING, provider_connected: true, key_created: true, protected: true };
  expect(openStep(progress, undefined)).toBe("send");
  expect(openStep({ ...progress, key_created: false }, undefined)).toBe("key");
  expect(openStep({ ...progress, protected: false }, undefined)).toBe("protect");
});

test("a step in the address wins, so every step can be skipped and gone back to", () => {
  expect(openStep(NOTHING, "send")).toBe("send");
});
