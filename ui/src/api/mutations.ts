import { mutationOptions } from "@tanstack/react-query";
import type { KeyInput, TestRequest } from "@/bindings";
import { platform } from "@/platform";
import { call } from "./call";

/** The mutations that more than one room of the window makes. A feature's own stay in its `mutations.ts`. */
export function createKeyMutationOptions() {
  return mutationOptions({
    mutationFn: (input: KeyInput) => call(platform().commands.keyCreate(input)),
    meta: {
      failureTitle: "The key was not created",
      failure: "inline",
      invalidates: ["keys", "status", "changes"],
    },
  });
}

export function sendTestRequestMutationOptions() {
  return mutationOptions({
    mutationFn: (input: TestRequest) => call(platform().commands.sendTestRequest(input)),
    meta: {
      failureTitle: "The test request failed",
      failure: "inline",
      invalidates: ["requests", "status"],
    },
  });
}
