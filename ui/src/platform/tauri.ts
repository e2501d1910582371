import { invoke } from "@tauri-apps/api/core";
import { type CacheTag, commands, events } from "@/bindings";
import { copyText } from "./clipboard";
import type { Platform } from "./types";

export function isTauri(): boolean {
  return "__TAURI_INTERNALS__" in window;
}

/** The desktop shell. */
export const tauriPlatform: Platform = {
  name: "tauri",
  commands,
  onTagsChanged: listenToTags,
  openExternal: (url) => invoke("plugin:opener|open_url", { url }),
  copyText,
};

function listenToTags(handler: (tags: CacheTag[]) => void): () => void {
  let stopped = false;
  const listening = events.cacheTagsChanged.listen((event) => {
    if (!stopped) handler(event.payload.tags);
  });
  return () => {
    stopped = true;
    void listening.then((unlisten) => unlisten());
  };
}
