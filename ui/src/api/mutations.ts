import { mutationOptions } from "@tanstack/react-query";
import type {
  BudgetDraft,
  KeyInput,
  KillSwitchInput,
  KillSwitchReleaseInput,
  TestRequest,
} from "@/bindings";
import { platform } from "@/platform";
import { call } from "./call";
import { callProposed } from "./proposed";

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

const TRAFFIC = ["toggles", "status", "changes", "requests"] as const;

/** Stops all AI traffic; whoever asks for it says why it may not last. */
export function engageKillSwitchMutationOptions() {
  return mutationOptions({
    mutationFn: (input: KillSwitchInput) => call(platform().commands.killSwitchEngage(input)),
    meta: {
      failureTitle: "The stop may not outlast this run",
      failure: "inline",
      invalidates: TRAFFIC,
    },
  });
}

/** Lets AI traffic run again; the dialog says why it does not. */
export function releaseKillSwitchMutationOptions() {
  return mutationOptions({
    mutationFn: (input: KillSwitchReleaseInput) =>
      call(platform().commands.killSwitchRelease(input)),
    meta: {
      failureTitle: "AI traffic is still stopped",
      failure: "inline",
      invalidates: TRAFFIC,
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

export function setBudgetMutationOptions() {
  return mutationOptions({
    mutationFn: (draft: BudgetDraft) => callProposed(platform().commands.budgetSet(draft)),
    meta: {
      failureTitle: "The budget was not changed",
      failure: "inline",
      invalidates: ["budgets", "status", "changes"],
    },
  });
}
