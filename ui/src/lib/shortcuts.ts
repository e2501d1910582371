import { useEffect, useSyncExternalStore } from "react";

/** One shortcut as people read it (`G O`, `⌘K`, `?`) and what it does. `mod+x` stands for Ctrl or ⌘. */
export type Shortcut = {
  /** `?`, `t`, `shift+a`, `mod+b`, `mod+shift+z`, or a sequence of two: `g o`. */
  keys: string;
  label: string;
  run: () => void;
};

type Group = { title: string; shortcuts: readonly Shortcut[] };

const SEQUENCE_MS = 1_200;
const groups = new Map<symbol, Group>();
const listeners = new Set<() => void>();
let snapshot: Group[] = [];
let firstKey: { key: string; at: number } | undefined;
let singleKeysEnabled = true;

export function setSingleKeys(enabled: boolean): void {
  singleKeysEnabled = enabled;
}

/** Registers shortcuts for as long as the component is shown; `?` lists them under `title`. */
export function useShortcuts(title: string, shortcuts: readonly Shortcut[]): void {
  // The keyboard is the outside system this effect keeps in step with.
  useEffect(() => {
    const id = Symbol(title);
    groups.set(id, { title, shortcuts });
    publish();
    return () => {
      groups.delete(id);
      publish();
    };
  }, [title, shortcuts]);
}

/** What is active now, for the list behind `?`. */
export function useActiveShortcuts(): Group[] {
  return useSyncExternalStore(subscribe, () => snapshot);
}

/** Starts listening; call once. Returns the way to stop. */
export function listenToKeyboard(): () => void {
  document.addEventListener("keydown", onKeyDown);
  return () => document.removeEventListener("keydown", onKeyDown);
}

const isMac = typeof navigator !== "undefined" && /Mac/.test(navigator.platform);

/** `g o` → `G O`, `mod+b` → `Ctrl B` or `⌘B`. */
export function displayKeys(keys: string): string {
  return keys
    .split(" ")
    .map((step) =>
      step
        .split("+")
        .map(displayKey)
        .join(isMac ? "" : " "),
    )
    .join(" ");
}

const KEY_WORDS: Readonly<Record<string, string>> = {
  mod: isMac ? "⌘" : "Ctrl",
  shift: isMac ? "⇧" : "Shift",
  alt: isMac ? "⌥" : "Alt",
  arrowup: "↑",
  arrowdown: "↓",
  backspace: "⌫",
  escape: "Esc",
};

function displayKey(part: string): string {
  return KEY_WORDS[part] ?? (part.length === 1 ? part.toUpperCase() : part);
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (event.altKey) return;
    if (event.shiftKey && runIfFound(event, `mod+shift+${key}`)) return;
    runIfFound(event, `mod+${key}`);
    return;
  }
  if (event.altKey || !singleKeysEnabled || isTyping(event.target) || isDialogOpen()) return;
  const now = Date.now();
  if (firstKey && now - firstKey.at < SEQUENCE_MS) {
    const sequence = `${firstKey.key} ${key}`;
    firstKey = undefined;
    if (runIfFound(event, sequence)) return;
  }
  if (startsSequence(key)) {
    firstKey = { key, at: now };
    return;
  }
  // Shift makes a letter another key only where something listens to it.
  if (event.shiftKey && runIfFound(event, `shift+${key}`)) return;
  runIfFound(event, key);
}

function runIfFound(event: KeyboardEvent, keys: string): boolean {
  // The most recently registered wins: a page's shortcut is nearer than the shell's.
  for (const group of [...groups.values()].toReversed()) {
    const shortcut = group.shortcuts.find((candidate) => candidate.keys === keys);
    if (shortcut) {
      event.preventDefault();
      shortcut.run();
      return true;
    }
  }
  return false;
}

function startsSequence(key: string): boolean {
  return [...groups.values()].some((group) =>
    group.shortcuts.some((shortcut) => shortcut.keys.startsWith(`${key} `)),
  );
}

/** Single keys belong to the text while one is being written. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && ["checkbox", "radio"].includes(target.type))
    return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

function isDialogOpen(): boolean {
  return document.querySelector('[role="dialog"][aria-modal="true"]') !== null;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function publish(): void {
  snapshot = [...groups.values()];
  for (const listener of listeners) listener();
}
