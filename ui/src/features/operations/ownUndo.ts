import type { KeyboardEvent } from "react";

/** For text that is not part of the draft: undo in it is about the text, not about the draft. */
export function keepOwnUndo(event: KeyboardEvent): void {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") event.stopPropagation();
}
