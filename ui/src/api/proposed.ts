import type { AppError, Proposed } from "@/bindings";
import { notifyAsked } from "@/lib/notices";
import { call } from "./call";

type Outcome<T> = { status: "ok"; data: Proposed<T> } | { status: "error"; error: AppError };

/**
 * What a change that moves money made. Null when another admin has to approve it first: a notice says so, and nothing has
 * changed yet.
 */
export async function callProposed<T>(outcome: Promise<Outcome<T>>): Promise<T | null> {
  const proposed = await call(outcome);
  if (proposed.outcome === "applied") return proposed.value;
  notifyAsked(proposed.request);
  return null;
}
