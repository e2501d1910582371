import type { AppError, Code, Problem } from "@/bindings";

/** A command that was refused or failed: what the backend said, as an `Error` that React Query can carry. */
export class CommandError extends Error {
  readonly code: Code;
  readonly details: readonly Problem[];

  constructor(error: AppError) {
    super(error.message);
    this.name = "CommandError";
    this.code = error.code;
    this.details = error.details;
  }
}

type Outcome<T> = { status: "ok"; data: T } | { status: "error"; error: AppError };

/** Unwraps a command: its data, or a thrown `CommandError`. */
export async function call<T>(outcome: Promise<Outcome<T>>): Promise<T> {
  const settled = await outcome;
  if (settled.status === "error") throw new CommandError(toAppError(settled.error));
  return settled.data;
}

/** Tauri itself rejects with plain text (an unknown command, a bad argument); that is a fault of ours. */
function toAppError(error: unknown): AppError {
  if (typeof error === "object" && error !== null && "message" in error && "code" in error) {
    return error as AppError;
  }
  return { code: "internal", message: String(error), details: [] };
}

/** The text of a field from the problems of an error, e.g. for a form. */
export function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof CommandError)) return {};
  return Object.fromEntries(error.details.map((problem) => [problem.field, problem.message]));
}
