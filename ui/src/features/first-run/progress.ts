import type { FirstRun } from "@/bindings";

/** What exists, and whether a budget stops spending. */
export type Progress = FirstRun & { protected: boolean };

export const STEPS = ["connect", "key", "protect", "send"] as const;
export type Step = (typeof STEPS)[number];

/** Which steps are behind a person. `reached` is the step they have gone on to: choosing the simulator leaves no other trace. */
export function doneSteps(progress: Progress, reached: Step | undefined): Record<Step, boolean> {
  const sent = progress.first_request !== null;
  return {
    connect: progress.provider_connected || sent || STEPS.indexOf(reached ?? "connect") > 0,
    key: progress.key_created,
    protect: progress.protected,
    send: sent,
  };
}

/** The step that is open: the one in the address, else the first that is not done. */
export function openStep(progress: Progress, chosen: Step | undefined): Step {
  if (chosen) return chosen;
  const done = doneSteps(progress, undefined);
  return STEPS.find((step) => !done[step]) ?? "send";
}
