import { flushSync } from "react-dom";

/** A card that moves in the document loses the focus on the way; this gives it back. */
export function keepFocus(change: () => void): void {
  const focused = document.activeElement;
  flushSync(change);
  if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected) {
    focused.focus();
  }
}
