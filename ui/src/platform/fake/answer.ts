import type { AppError, Change, Code, Proposed } from "@/bindings";
import { iso, type World } from "./world";

export type Ok<T> = { status: "ok"; data: T };
export type Failed = { status: "error"; error: AppError };

/** How a made-up command answers: late, never or with a failure, as the mode of the world says. */
export type Answer = <T>(make: () => Ok<T> | Failed) => Promise<Ok<T> | Failed>;

export function ok<T>(data: T): Ok<T> {
  return { status: "ok", data };
}

/** A change that moves money, in force at once: the made-up installation has one admin who acts. */
export function made<T>(value: T): Ok<Proposed<T>> {
  return ok({ outcome: "applied", value });
}

export function failed(code: Code, message: string, field?: string): Failed {
  return { status: "error", error: { code, message, details: field ? [{ field, message }] : [] } };
}

export function addChange(
  world: World,
  change: Omit<Change, "seq" | "id" | "at" | "actor" | "source" | "hash" | "approval">,
): Change {
  const seq = (world.changes[0]?.seq ?? 0) + 1;
  const added: Change = {
    ...change,
    seq,
    id: `chg_${seq}`,
    at: iso(Date.now()),
    actor: "admin",
    source: "window",
    approval: null,
    hash: "4c1f09ab77e2",
  };
  world.changes = [added, ...world.changes];
  return added;
}
