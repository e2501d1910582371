import type { CacheTag, commands } from "@/bindings";

/** The typed commands exactly as the generated bindings offer them; a fake must have every one. */
export type Commands = typeof commands;

/** Everything the window needs from the machine it runs on. Grows only when a screen needs it. */
export interface Platform {
  readonly name: "tauri" | "fake";
  /** Which of the windows this is: the main one, or the small one for quick approvals. */
  readonly window: "main" | "quick";
  readonly commands: Commands;
  /** Calls `handler` with what changed in the backend; returns the way to stop. */
  onTagsChanged(handler: (tags: CacheTag[]) => void): () => void;
  /** Opens a web address in the person's browser. */
  openExternal(url: string): Promise<void>;
  /** Puts non-secret text on the clipboard. Secrets are copied by the backend, never through here. */
  copyText(text: string): Promise<void>;
}
