import type { ErrorComponentProps } from "@tanstack/react-router";
import { ErrorState } from "@/components/ErrorState";

/** A screen that broke: the rest of the window goes on working. */
export function RouteError({ error, reset }: ErrorComponentProps) {
  const cause = error instanceof Error ? error : new Error(String(error));
  return <ErrorState title="This screen could not be shown" error={cause} onRetry={reset} />;
}
