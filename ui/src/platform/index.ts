import type { Platform } from "./types";

export type { Commands, Platform } from "./types";

let installed: Platform | undefined;

/** Chosen once at the start, before anything renders (or by a test). */
export function installPlatform(platform: Platform): void {
  installed = platform;
}

/** The host. Only queries, mutations and the few host gestures (copy, open a link) call this. */
export function platform(): Platform {
  if (!installed) throw new Error("No platform is installed.");
  return installed;
}
