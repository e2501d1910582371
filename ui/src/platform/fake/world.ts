import type {
  ApiKey,
  ApprovalDetail,
  Budget,
  BudgetAdjustment,
  CacheTag,
  Change,
  Model,
  Operation,
  Provider,
  RequestDetail,
} from "@/bindings";
import { makeApprovals } from "./approvals";
import { makeBudgets, withRefusal } from "./budgets";
import { makeChanges } from "./changes";
import type { FakeMode } from "./mode";
import { makeOperations, manyOperations } from "./operations";
import { makePrices, type PricedModel } from "./priceBook";
import { makeProviders, manyProviders } from "./providers";
import { makeRequests } from "./requests";

/** Everything the made-up backend knows. */
export type World = {
  mode: FakeMode;
  providers: Provider[];
  operations: Operation[];
  /** Newest first. */
  requests: RequestDetail[];
  keys: ApiKey[];
  /** Its secrets wait for their passphrase. */
  sealed: boolean;
  budgets: Budget[];
  /** Corrections by budget, newest first. */
  adjustments: Map<string, BudgetAdjustment[]>;
  /** Newest first. */
  changes: Change[];
  /** Riskiest and oldest first where they wait. */
  approvals: ApprovalDetail[];
  /** All price cards of each model, by `provider/model`. */
  prices: Map<string, PricedModel>;
  listeners: Set<(tags: CacheTag[]) => void>;
};

const REQUESTS: Record<FakeMode, number> = {
  normal: 3_000,
  empty: 0,
  error: 0,
  loading: 0,
  large: 100_000,
  sealed: 3_000,
};

export function makeWorld(mode: FakeMode, nowMs: number): World {
  const empty = mode === "empty";
  const named = makeProviders(nowMs, empty);
  const providers = mode === "large" ? [...named, ...manyProviders(named)] : named;
  const common = makeOperations(providers, nowMs, !empty);
  const operations = mode === "large" ? [...common, ...manyOperations(common)] : common;
  return {
    mode,
    providers,
    operations,
    requests: withRefusal(makeRequests(operations, providers, REQUESTS[mode], nowMs)),
    keys: empty
      ? []
      : mode === "large"
        ? [...makeKeys(nowMs), ...manyKeys(nowMs)]
        : makeKeys(nowMs),
    sealed: mode === "sealed",
    budgets: makeBudgets(mode, nowMs),
    adjustments: new Map(),
    changes: makeChanges(nowMs, mode),
    approvals: makeApprovals(nowMs, mode),
    prices: makePrices(providers, operations, nowMs, mode),
    listeners: new Set(),
  };
}

export function announce(world: World, tags: CacheTag[]): void {
  for (const listener of world.listeners) listener(tags);
}

export function findModel(
  world: Pick<World, "providers">,
  provider: string,
  model: string,
): Model | undefined {
  return world.providers
    .find((candidate) => candidate.name === provider)
    ?.models.find((candidate) => candidate.name === model);
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function makeKeys(nowMs: number): ApiKey[] {
  const day = 86_400_000;
  return [
    {
      ...key("1", "support-desk", "9f3a", [], nowMs - 41 * day, nowMs - 4_000),
      owner: "Support team",
      limits: { requests_per_minute: 600, concurrent: 20, body_bytes: null },
    },
    {
      ...key(
        "2",
        "nightly-planner",
        "c07e",
        ["job_planning", "email_analysis"],
        nowMs - 30 * day,
        nowMs - 7_600_000,
      ),
      owner: "Grace",
      targets: ["deepseek", "anthropic/claude-haiku-4-5"],
      expires_at: iso(nowMs + 4 * day),
      expires_soon: true,
      former: { last4: "20fd", until: iso(nowMs + day / 2) },
      limits: { requests_per_minute: 30, concurrent: null, body_bytes: 262_144 },
    },
    {
      ...key("3", "laptop of Ines", "b1d4", [], nowMs - 12 * day, null),
      owner: "Ines",
      own_credentials: [
        { provider: "deepseek", hint: "…e81c", set_at: iso(nowMs - 2 * day), ready: true },
      ],
    },
    {
      ...key("5", "newsletter", "4d2e", ["chat_message"], nowMs - 300 * day, nowMs - 130 * day),
      owner: "Marketing",
      idle: true,
    },
    {
      ...key("6", "contractor", "0b9c", ["chat_message"], nowMs - 95 * day, nowMs - 6 * day),
      expires_at: iso(nowMs - 5 * day),
      state: "expired",
    },
    {
      ...key("4", "old CI runner", "77aa", ["chat_message"], nowMs - 200 * day, nowMs - 120 * day),
      revoked_at: iso(nowMs - 20 * day),
      state: "revoked",
    },
  ];
}

const KEYS_LARGE = 10_000;

function manyKeys(nowMs: number): ApiKey[] {
  return Array.from({ length: KEYS_LARGE }, (_, index) => {
    const number = String(index + 1_000);
    const made = nowMs - (index % 400) * 86_400_000;
    return key(number, `service-${number}`, number.slice(-4), ["chat_message"], made, made);
  });
}

export function key(
  id: string,
  name: string,
  last4: string,
  operations: string[],
  created: number,
  used: number | null,
): ApiKey {
  return {
    id: `key_01j9x0000000000000000000${id}`,
    name,
    prefix: "sbx_live_",
    last4,
    owner: null,
    operations,
    targets: [],
    created_at: iso(created),
    expires_at: null,
    last_used_at: used === null ? null : iso(used),
    last_used_for: used === null ? null : (operations[0] ?? "chat_message"),
    revoked_at: null,
    state: "active",
    expires_soon: false,
    idle: false,
    former: null,
    limits: { requests_per_minute: null, concurrent: null, body_bytes: null },
    own_credentials: [],
  };
}
