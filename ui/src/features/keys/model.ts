import type { ApiKey, KeyLimits, Operation } from "@/bindings";
import { formatCount, plural } from "@/lib/numbers";
import { wholeDaysBetween } from "@/lib/time";

export type KeyState = "active" | "revoked";

/** A key that nobody used for this long is worth a question. */
export const IDLE_DAYS = 90;
/** Longest name the backend takes. */
export const NAME_CHARS_MAX = 80;
/** In use by somebody, as far as a revocation is concerned. */
const RECENT_MS = 86_400_000;

export function keyState(key: ApiKey): KeyState {
  return key.revoked_at === null ? "active" : "revoked";
}

/** What may be shown of a key: `sbx_live_…9f3a`. */
export function maskedKey(key: Pick<ApiKey, "prefix" | "last4">): string {
  return `${key.prefix}…${key.last4}`;
}

/** Which operations it may use, in words. */
export function scopeWords(operations: readonly string[]): string {
  if (operations.length === 0) return "All operations";
  return operations.length === 1 ? (operations[0] ?? "") : plural(operations.length, "operation");
}

/** Sizes of requests are shown in these. */
export const BYTES_PER_KIB = 1024;

/** The limits of a key in words, e.g. `600/min, 20 at once`. */
export function limitWords(limits: KeyLimits): string {
  const { requests_per_minute: rate, concurrent, body_bytes: bytes } = limits;
  const words = [
    rate ? `${formatCount(rate)}/min` : "",
    concurrent ? `${formatCount(concurrent)} at once` : "",
    bytes ? `${sizeText(bytes)} each` : "",
  ].filter((word) => word !== "");
  return words.length === 0 ? "No limits of its own" : words.join(", ");
}

function sizeText(bytes: number): string {
  const kib = bytes / BYTES_PER_KIB;
  const [amount, unit] = kib < 1 ? [bytes, "B"] : kib < 1024 ? [kib, "KiB"] : [kib / 1024, "MiB"];
  return `${formatCount(Math.round(amount * 10) / 10)} ${unit}`;
}

/** Whether two sets of limits allow the same; what is absent and what is null are the same. */
export function sameLimits(a: KeyLimits, b: KeyLimits): boolean {
  return (["requests_per_minute", "concurrent", "body_bytes"] as const).every(
    (limit) => (a[limit] ?? null) === (b[limit] ?? null),
  );
}

/** Whether nobody used a living key for a long time (or ever, since it was made long ago). */
export function isIdle(key: ApiKey, nowMs: number): boolean {
  if (key.revoked_at !== null) return false;
  return wholeDaysBetween(key.last_used_at ?? key.created_at, nowMs) >= IDLE_DAYS;
}

/** Whether a program used it within a day, so that a revocation will be noticed. */
export function isInUse(key: ApiKey, nowMs: number): boolean {
  return key.last_used_at !== null && nowMs - Date.parse(key.last_used_at) < RECENT_MS;
}

/** The keys that match what was typed and the state that was chosen. */
export function filterKeys(
  keys: readonly ApiKey[],
  state: KeyState | undefined,
  typed: string | undefined,
): ApiKey[] {
  const wanted = (typed ?? "").trim().toLowerCase();
  return keys.filter(
    (key) =>
      (state === undefined || keyState(key) === state) &&
      (wanted === "" ||
        [key.name, key.last4, ...key.operations].some((text) =>
          text.toLowerCase().includes(wanted),
        )),
  );
}

/** What stands in the way of a name, or nothing. The backend has the last word. */
export function nameProblem(name: string): string | undefined {
  return name.trim() === ""
    ? "Give the key a name: the program or machine that will use it."
    : undefined;
}

/** Operations a first request can be sent to with these scopes: chat, enabled ones first. */
export function snippetOperations(
  operations: readonly Operation[],
  scopes: readonly string[],
): string[] {
  const usable = operations.filter(
    (operation) =>
      operation.capability === "chat" && (scopes.length === 0 || scopes.includes(operation.id)),
  );
  return usable
    .toSorted((a, b) => Number(b.enabled) - Number(a.enabled))
    .map((operation) => operation.id);
}
