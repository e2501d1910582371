import { useSyncExternalStore } from "react";

/** How the question about the kill switch was opened: a keyboard's next Enter stops, a mouse must aim again. */
export type Opening = "keyboard" | "mouse";

/** What a person types to let AI traffic run again; the backend takes nothing else. */
export const RELEASE_WORD = "RESUME";

let opening: Opening | undefined;
const listeners = new Set<() => void>();

/** Opens the question: whether to stop all AI traffic, or, while it is stopped, to let it run again. */
export function askKillSwitch(by: Opening): void {
  set(by);
}

export function closeKillSwitch(): void {
  set(undefined);
}

/** How it was opened, while it is open. */
export function useKillSwitchOpening(): Opening | undefined {
  return useSyncExternalStore(subscribe, () => opening);
}

function set(next: Opening | undefined): void {
  opening = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
