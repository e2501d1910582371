import { useSyncExternalStore } from "react";
import type { Zone } from "./time";

export type Density = "compact" | "default" | "comfortable";

/** What one person likes on one machine. Nothing here changes what the product does. */
export type Preferences = {
  zone: Zone;
  density: Density;
  sidebarCollapsed: boolean;
  sheetWidth: number;
  singleKeyShortcuts: boolean;
};

const STORAGE_KEY = "signalbox-preferences";
const DEFAULTS: Preferences = {
  zone: "local",
  density: "default",
  sidebarCollapsed: false,
  sheetWidth: 560,
  singleKeyShortcuts: true,
};

let current = load();
const listeners = new Set<() => void>();

export function preferences(): Preferences {
  return current;
}

export function setPreferences(patch: Partial<Preferences>): void {
  current = { ...current, ...patch };
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(current));
  } catch {
    // A full or forbidden storage costs the memory of a preference, nothing else.
  }
  for (const listener of listeners) listener();
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, preferences);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function load(): Preferences {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "{}");
    return { ...DEFAULTS, ...(typeof stored === "object" ? stored : {}) };
  } catch {
    return DEFAULTS;
  }
}
