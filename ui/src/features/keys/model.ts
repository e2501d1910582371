import type { ApiKey, Budget, KeyLimits, KeyScope, Operation, Provider } from "@/bindings";
import { limitWords as budgetWords, periodWords } from "@/lib/budget";
import { formatCount, plural } from "@/lib/numbers";

/** A key that nobody used for this long is worth a question; the backend says which ones are. */
export const IDLE_DAYS = 90;
/** How long a replaced secret opens, unless another overlap is chosen. */
export const OVERLAP_HOURS = 24;
/** Longest name the backend takes. */
export const NAME_CHARS_MAX = 80;
/** In use by somebody, as far as a revocation is concerned. */
const RECENT_MS = 86_400_000;

/** What may be shown of a key: `sbx_live_…9f3a`. */
export function maskedKey(key: Pick<ApiKey, "prefix" | "last4">): string {
  return `${key.prefix}…${key.last4}`;
}

/** Which operations it may use and where it may go, in words. */
export function scopeWords({
  operations,
  targets,
}: Pick<ApiKey, "operations" | "targets">): string {
  const what = someWords(operations, "operation") ?? "All operations";
  const where = someWords(targets, "target");
  return where === undefined ? what : `${what}, to ${where}`;
}

function someWords(chosen: readonly string[], noun: string): string | undefined {
  return chosen.length < 2 ? chosen[0] : plural(chosen.length, noun);
}

/** What a key is for, as it is edited. */
export function scopeOf(key: ApiKey): KeyScope {
  const { owner, operations, targets, expires_at } = key;
  return { owner, operations, targets, expires_at };
}

/** Whether two scopes say the same; the order in which something was chosen does not matter. */
export function sameScope(a: KeyScope, b: KeyScope): boolean {
  return canonical(a) === canonical(b);
}

function canonical({ owner, operations = [], targets = [], expires_at = null }: KeyScope): string {
  return JSON.stringify([
    (owner ?? "").trim(),
    operations.toSorted(),
    targets.toSorted(),
    expires_at === null ? null : Date.parse(expires_at),
  ]);
}

/** What a scope can name of providers: each as a whole, then its models. */
export function targetChoices(
  providers: readonly Provider[],
): { group: string; items: { value: string; label: string }[] }[] {
  return providers.map(({ name, models }) => ({
    group: name,
    items: [
      { value: name, label: `${name} (every model)` },
      ...models.map((model) => ({
        value: `${name}/${model.name}`,
        label: `${name}/${model.name}`,
      })),
    ],
  }));
}

/** The last moment of a day here, `2027-01-31` as an instant; undefined when it is no day. */
export function endOfDay(day: string): string | undefined {
  const at = new Date(`${day}T23:59:59`);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** The day here on which an instant falls, as a date field has it. */
export function dayOf(iso: string): string {
  const at = new Date(iso);
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 10);
}

/** The last moment of the day here that is so many days away. */
export function inDays(days: number, nowMs: number): string {
  const at = new Date(nowMs);
  at.setDate(at.getDate() + days);
  at.setHours(23, 59, 59, 0);
  return at.toISOString();
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

/** Whether a program used it within a day, so that a revocation will be noticed. */
export function isInUse(key: ApiKey, nowMs: number): boolean {
  return key.last_used_at !== null && nowMs - Date.parse(key.last_used_at) < RECENT_MS;
}

/** The keys that match what was typed and the state that was chosen. */
export function filterKeys(
  keys: readonly ApiKey[],
  state: ApiKey["state"] | undefined,
  typed: string | undefined,
): ApiKey[] {
  const wanted = (typed ?? "").trim().toLowerCase();
  return keys.filter(
    (key) =>
      (state === undefined || key.state === state) &&
      (wanted === "" ||
        [
          key.name,
          key.owner ?? "",
          key.last4,
          key.former?.last4 ?? "",
          ...key.operations,
          ...key.targets,
        ].some((text) => text.toLowerCase().includes(wanted))),
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

/** Budgets that a key's requests are counted in: its own, those of every request, and those of some of its requests. */
export type BindingBudgets = { own: Budget[]; all: Budget[]; some: Budget[] };

/** Budgets of users and labels depend on what a request names, so they are not among them. */
export function bindingBudgets(
  key: Pick<ApiKey, "id" | "operations" | "targets">,
  budgets: readonly Budget[],
): BindingBudgets {
  const binding: BindingBudgets = { own: [], all: [], some: [] };
  for (const budget of budgets.filter(({ enabled }) => enabled)) {
    const { kind, value } = budget.scope;
    switch (kind) {
      case "key":
        if (value === key.id) binding.own.push(budget);
        break;
      case "global":
        binding.all.push(budget);
        break;
      case "operation":
        if (key.operations.length === 0 || key.operations.includes(value ?? ""))
          binding.some.push(budget);
        break;
      case "provider":
      case "model":
        if (key.targets.length === 0 || key.targets.some((target) => overlaps(target, value ?? "")))
          binding.some.push(budget);
        break;
      case "each_user":
      case "each_operation":
        binding.some.push(budget);
        break;
      case "user":
      case "tag":
        break;
    }
  }
  return binding;
}

/** Whether one of two targets holds the other: a provider holds its models. */
function overlaps(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

/** What the budgets of each key alone allow, in words, by the key's id. */
export function ownBudgets(budgets: readonly Budget[]): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const { scope, limits, period, enabled } of budgets) {
    if (scope.kind !== "key" || scope.value === null || !enabled) continue;
    const own = `${budgetWords(limits)} ${periodWords(period)}`;
    const known = words.get(scope.value);
    words.set(scope.value, known === undefined ? own : `${known}, ${own}`);
  }
  return words;
}
