import { invoke } from "@tauri-apps/api/core";
import { getCurrentWindow } from "@tauri-apps/api/window";
import { type CacheTag, commands, events } from "@/bindings";
import { copyText } from "./clipboard";
import type { Platform } from "./types";

export function isTauri(): boolean {
  return "__TAURI_INTERNALS__" in window;
}

/** The desktop shell, once it is known that there is one. */
export function createTauriPlatform(): Platform {
  return {
    name: "tauri",
    window: getCurrentWindow().label === "quick" ? "quick" : "main",
    commands,
    onTagsChanged: listenToTags,
    openExternal: (url) => invoke("plugin:opener|open_url", { url }),
    copyText,
  };
}

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
