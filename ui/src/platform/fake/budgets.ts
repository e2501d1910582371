import type {
  ApiKey,
  Budget,
  BudgetAction,
  BudgetDetail,
  BudgetDraft,
  BudgetGlance,
  BudgetPreview,
  BudgetPurse,
  BudgetRefusal,
  Problem,
  RequestDetail,
  SpendHistory,
  SpendHistoryQuery,
  SpendSplit,
} from "@/bindings";
import type { Commands } from "../types";
import { type Answer, addChange, failed, made, ok } from "./answer";
import type { FakeMode } from "./mode";
import { announce, iso, type World } from "./world";

const DAY_MS = 86_400_000;
const NANO = 1_000_000_000;
const USERS_LARGE = 10_000;

/** One budget of each kind that a person would have; none in an empty world. */
export function makeBudgets(mode: FakeMode, nowMs: number): Budget[] {
  if (mode === "empty") return [];
  const users = mode === "large" ? USERS_LARGE : 6;
  const budgets = [
    budget("everything", "Everything", { kind: "global", value: null }, 50, 31.207_31, 1.94, nowMs),
    budget(
      "chat",
      "Chat messages",
      { kind: "operation", value: "chat_message" },
      20,
      17.3,
      1.12,
      nowMs,
      { action: "downgrade" },
    ),
    budget(
      "planner",
      "Nightly planner",
      { kind: "key", value: "key_01j9x00000000000000000002" },
      5,
      0.412,
      0,
      nowMs,
      { scope_words: "key nightly-planner" },
    ),
    budget("deepseek", "DeepSeek", { kind: "provider", value: "deepseek" }, 200, 61.5, 0.2, nowMs, {
      period: "month",
      action: "notify",
    }),
    budget("trial", "Trial of Tomasz", { kind: "user", value: "tomasz" }, 2, 2.04, 0, nowMs, {
      period: "total",
      overrun_percent: 0,
    }),
  ];
  const each = budget("users", "Each user", { kind: "each_user", value: null }, 2, 0, 0, nowMs, {
    scope_words: "each user",
  });
  return [...budgets, { ...each, purse: null, members: users, used_permille: 910 }];
}

/** One of the newest requests as a budget refuses it: nothing was sent, nothing was spent. */
export function withRefusal(requests: RequestDetail[]): RequestDetail[] {
  const found = requests[5];
  if (!found) return requests;
  found.row = {
    ...found.row,
    status: "failed",
    provider: null,
    model: null,
    attempts: 0,
    tokens_in: 0,
    tokens_out: 0,
    cost: "0",
    cost_status: "exact",
    latency_ms: 0.4,
    first_token_ms: null,
    error_code: "budget_exceeded",
  };
  found.attempts = [];
  found.error_message = "The budget Chat messages has $0.21 left of $20.00; this may cost $0.38.";
  return requests;
}

/** The budget that a new key is given with it. */
export function budgetOfKey(key: Pick<ApiKey, "id" | "name">, limit: string): Budget {
  const usd = Number(limit) / NANO;
  const scope = { kind: "key" as const, value: key.id };
  return budget(`of_${key.id}`, key.name, scope, usd, 0, 0, Date.now(), {
    scope_words: `key ${key.name}`,
  });
}

export function budgetGlance(world: World): BudgetGlance | null {
  const found = world.budgets.find(({ scope, enabled }) => scope.kind === "global" && enabled);
  if (!found?.purse || !found.limits.cost) return null;
  return {
    id: found.id,
    name: found.name,
    period: found.period,
    limit: found.limits.cost,
    settled: found.purse.settled,
    reserved: found.purse.reserved,
    used_permille: found.purse.used_permille,
    stops: found.action !== "notify",
    expected: found.purse.forecast?.expected ?? null,
  };
}

export function budgetCommands(
  world: World,
  answer: Answer,
): Pick<
  Commands,
  | "budgetsList"
  | "budgetMembers"
  | "budgetShow"
  | "budgetPreview"
  | "budgetSet"
  | "budgetRemove"
  | "budgetAdjust"
  | "budgetRefusal"
  | "spendHistory"
> {
  const find = (id: string) => world.budgets.find((known) => known.id === id);
  const changed = (found: Budget, sentence: string, reason: string | null) => {
    addChange(world, {
      kind: "budget",
      subject: found.name,
      sentence,
      before: null,
      after: JSON.stringify(found),
      reason,
      revertible: false,
    });
    announce(world, ["budgets", "changes", "status"]);
  };
  return {
    budgetsList: () =>
      answer(() =>
        ok({
          budgets: world.budgets.map((found) => ({ ...found })),
          anomalies: world.mode === "normal" ? [anomalyAt(Date.now())] : [],
          at: iso(Date.now()),
        }),
      ),
    budgetMembers: (id) =>
      answer(() => {
        const found = find(id);
        return found
          ? ok(membersOf(found, Date.now()))
          : failed("not_found", "There is no such budget.");
      }),
    budgetShow: (id, member) =>
      answer(() => {
        const found = find(id);
        return found
          ? ok(detailOf(world, found, member, Date.now()))
          : failed("not_found", "There is no such budget.");
      }),
    budgetPreview: (draft) => answer(() => ok(previewOf(world, draft, Date.now()))),
    budgetSet: (draft) =>
      answer(() => {
        const known = draft.id === null ? undefined : find(draft.id);
        if (draft.id !== null && !known) return failed("not_found", "There is no such budget.");
        if (known && known.version !== draft.base_version)
          return failed("conflict", "The budget has changed since you opened it.");
        const { problems } = previewOf(world, draft, Date.now());
        if (problems.length > 0) {
          const message = problems.map((problem) => problem.message).join(" ");
          return { status: "error", error: { code: "invalid", message, details: problems } };
        }
        const next = applied(draft, known, Date.now());
        world.budgets = known
          ? world.budgets.map((found) => (found.id === next.id ? next : found))
          : [...world.budgets, next];
        changed(next, `Budget ${next.name} is ${known ? "changed" : "made"}`, draft.reason);
        return made({ ...next });
      }),
    budgetRemove: ({ id, reason }) =>
      answer(() => {
        const found = find(id);
        if (!found) return failed("not_found", "There is no such budget.");
        world.budgets = world.budgets.filter((known) => known.id !== id);
        changed(found, `Budget ${found.name} is removed`, reason);
        return made(null);
      }),
    budgetAdjust: ({ id, member, amount, reason }) =>
      answer(() => {
        const found = find(id);
        if (!found) return failed("not_found", "There is no such budget.");
        if (found.purse && member === "") {
          const settled = (BigInt(found.purse.settled) + BigInt(amount)).toString();
          found.purse = { ...found.purse, ...standing(settled, found.purse.reserved, found) };
        }
        const known = world.adjustments.get(id) ?? [];
        const from = found.purse?.from ?? iso(Date.now());
        const added = {
          at: iso(Date.now()),
          by: "local",
          amount,
          member,
          period_from: from,
          reason,
        };
        world.adjustments.set(id, [added, ...known]);
        changed(found, `What counts in ${found.name} is corrected`, reason);
        return made(detailOf(world, found, member, Date.now()));
      }),
    budgetRefusal: (requestId) => answer(() => ok(refusalOf(world, requestId))),
    spendHistory: (query) => answer(() => ok(historyOf(world.requests, query, Date.now()))),
  };
}

function budget(
  id: string,
  name: string,
  scope: Budget["scope"],
  limitUsd: number,
  settledUsd: number,
  reservedUsd: number,
  nowMs: number,
  other: Partial<Budget> = {},
): Budget {
  const made: Budget = {
    id: `bud_${id}`,
    name,
    scope,
    scope_words: scope.value === null ? "everything" : `${scope.kind} ${scope.value}`,
    period: "day",
    zone: "UTC",
    limits: { cost: nano(limitUsd), tokens: null, requests: null },
    thresholds: [
      { percent: 50, severity: "warning" },
      { percent: 80, severity: "warning" },
      { percent: 100, severity: "critical" },
    ],
    action: "block",
    overrun_percent: 5,
    enabled: true,
    version: 1,
    promise: "",
    purse: null,
    members: 0,
    used_permille: 0,
    ...other,
  };
  made.promise = promiseOf(made);
  made.purse = {
    budget: made.id,
    member: "",
    ...windowOf(made.period, nowMs),
    ...standing(nano(settledUsd), nano(reservedUsd), made),
    tokens: "1840221",
    requests: "1204",
    forecast:
      made.period === "total"
        ? null
        : {
            expected: nano(settledUsd * 1.32 + reservedUsd),
            low: nano(settledUsd * 1.08),
            high: nano(settledUsd * 1.62),
            basis: scope.kind === "key" || scope.kind === "tag" ? "periods" : "daily",
          },
    binding: id === "trial",
    bound_by: null,
  };
  made.used_permille = made.purse.used_permille;
  return made;
}

function standing(settled: string, reserved: string, of: Pick<Budget, "limits">) {
  const limit = BigInt(of.limits.cost ?? "0");
  const used = BigInt(settled) + BigInt(reserved);
  const left = limit > used ? limit - used : 0n;
  const used_permille = limit === 0n ? 0 : Number((used * 1_000n) / limit);
  return { settled, reserved, left: of.limits.cost ? left.toString() : null, used_permille };
}

function windowOf(period: Budget["period"], nowMs: number): Pick<BudgetPurse, "from" | "to"> {
  const now = new Date(nowMs);
  const day = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
  switch (period) {
    case "day":
      return { from: iso(day), to: iso(day + DAY_MS) };
    case "week": {
      const monday = day - ((now.getUTCDay() + 6) % 7) * DAY_MS;
      return { from: iso(monday), to: iso(monday + 7 * DAY_MS) };
    }
    case "month":
      return {
        from: iso(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1)),
        to: iso(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)),
      };
    case "total":
      return { from: iso(0), to: null };
  }
}

function promiseOf(made: Pick<Budget, "action" | "limits" | "overrun_percent">): string {
  const limit = dollars(made.limits.cost ?? "0");
  const does: Record<BudgetAction, string> = {
    block: `Hard stop: requests that could exceed ${limit} are refused.`,
    downgrade: `Hard stop: past ${limit} only targets that still fit are tried, then requests are refused.`,
    require_approval: `Requests that could exceed ${limit} wait for a person.`,
    notify: "Notify only. This does not stop spending.",
  };
  if (made.action === "notify") return does.notify;
  const over = (BigInt(made.limits.cost ?? "0") * BigInt(made.overrun_percent)) / 100n;
  return `${does[made.action]} ${over === 0n ? "It is never passed." : `It can pass the limit by at most ${dollars(over.toString())}.`}`;
}

function membersOf(found: Budget, nowMs: number): BudgetPurse[] {
  return Array.from({ length: found.members }, (_, index): BudgetPurse => {
    const share = 0.91 * 0.72 ** Math.min(index, 30) + 0.0001 * ((index * 7) % 50);
    const limit = Number(found.limits.cost ?? "0") / NANO;
    const settled = nano(limit * share);
    return {
      budget: found.id,
      member: ["ines", "tomasz", "u-4471"][index] ?? `u-${5000 + index}`,
      ...windowOf(found.period, nowMs),
      ...standing(settled, index === 0 ? nano(0.03) : "0", found),
      tokens: String(Math.round(share * 120_000)),
      requests: String(Math.round(share * 400)),
      forecast: null,
      binding: false,
      bound_by: index === 0 ? "Chat messages" : null,
    };
  });
}

function detailOf(world: World, found: Budget, member: string, nowMs: number): BudgetDetail {
  const purse =
    member === ""
      ? found.purse
      : (membersOf(found, nowMs).find((known) => known.member === member) ?? null);
  const length = found.period === "month" ? 30 : found.period === "week" ? 7 : 1;
  const periods =
    purse === null || found.period === "total"
      ? []
      : Array.from({ length: 14 }, (_, index) => {
          const share = index === 0 ? purse.used_permille / 1000 : 0.35 + 0.09 * ((index * 5) % 8);
          const limit = Number(found.limits.cost ?? "0");
          return {
            member,
            from: iso(Date.parse(purse.from) - index * length * DAY_MS),
            to: iso(Date.parse(purse.from) - (index - 1) * length * DAY_MS),
            settled: index === 0 ? purse.settled : String(Math.round(limit * share)),
            tokens: String(Math.round(share * 2_400_000)),
            requests: String(Math.round(share * 1_900)),
            used_permille: Math.round(share * 1000),
          };
        });
  return {
    budget: { ...found },
    purse,
    periods,
    holds: purse && purse.reserved !== "0" ? holdsOf(world, nowMs) : [],
    adjustments: world.adjustments.get(found.id) ?? [],
  };
}

function holdsOf(world: World, nowMs: number) {
  return world.requests.slice(0, 4).map((request, index) => ({
    request_id: request.row.id,
    operation: request.row.operation,
    user: request.row.user,
    amount: nano([0.91, 0.62, 0.3, 0.11][index] ?? 0.1),
    since: iso(nowMs - 4_000 * (index + 1) ** 2),
  }));
}

function previewOf(world: World, draft: BudgetDraft, nowMs: number): BudgetPreview {
  const problems: Problem[] = [];
  if (draft.name.trim() === "") problems.push({ field: "name", message: "A budget needs a name." });
  const { cost, tokens, requests } = draft.limits;
  if (!cost && !tokens && !requests)
    problems.push({
      field: "limits",
      message: "A budget needs a limit in dollars, tokens or requests.",
    });
  const known = world.budgets.find(({ id }) => id === draft.id);
  const used = known?.purse
    ? BigInt(known.purse.settled) + BigInt(known.purse.reserved)
    : undefined;
  const below = cost && used !== undefined && BigInt(cost) < used;
  const window = windowOf(draft.period, nowMs);
  const refused = below ? 212 : 0;
  return {
    problems,
    sentences: known
      ? [`Its limit is ${dollars(cost ?? "0")} instead of ${dollars(known.limits.cost ?? "0")}.`]
      : [`A new budget of ${dollars(cost ?? "0")} counts ${draft.scope.value ?? "everything"}.`],
    promise: promiseOf({
      action: draft.action,
      overrun_percent: draft.overrun_percent,
      limits: draft.limits,
    }),
    warnings: below
      ? [
          `${dollars((used ?? 0n).toString())} is used or held already: nothing more goes out until the period ends.`,
        ]
      : [],
    last_period:
      window.to === null
        ? null
        : {
            from: iso(Date.parse(window.from) - DAY_MS),
            to: window.from,
            requests: 1_904,
            spent: nano(28.77),
            refused,
            refused_cost: nano(refused === 0 ? 0 : 6.12),
            first_refused_at: refused === 0 ? null : iso(Date.parse(window.from) - DAY_MS / 4),
          },
  };
}

function applied(draft: BudgetDraft, known: Budget | undefined, nowMs: number): Budget {
  const base =
    known ??
    budget(String(nowMs), draft.name, draft.scope, 0, 0, 0, nowMs, { period: draft.period });
  const next: Budget = {
    ...base,
    name: draft.name,
    limits: draft.limits,
    thresholds: draft.thresholds,
    action: draft.action,
    overrun_percent: draft.overrun_percent,
    enabled: draft.enabled,
    version: known ? known.version + 1 : 1,
  };
  next.promise = promiseOf(next);
  if (next.purse)
    next.purse = {
      ...next.purse,
      ...standing(next.purse.settled, next.purse.reserved, next),
    };
  next.used_permille = next.purse?.used_permille ?? next.used_permille;
  return next;
}

function refusalOf(world: World, requestId: string): BudgetRefusal | null {
  const found = world.requests.find(({ row }) => row.id === requestId);
  const by = world.budgets.find(({ id }) => id === "bud_chat");
  if (found?.row.error_code !== "budget_exceeded") return null;
  return {
    request_id: requestId,
    at: found.row.started_at,
    budget_id: by?.id ?? null,
    budget_name: by?.name ?? "Chat messages",
    member: "",
    action: "block",
    measure: "cost",
    limit: nano(20),
    left: nano(0.21),
    needed: nano(0.38),
    resets_at: by?.purse?.to ?? null,
    holders: holdsOf(world, Date.parse(found.row.started_at)),
  };
}

function anomalyAt(nowMs: number) {
  return {
    measure: "spend",
    operation: "agent_execution",
    user: null,
    sentence:
      "agent_execution has spent $12.40 today, 3.1 times the $4.00 usual on the days before.",
    since: windowOf("day", nowMs).from,
  };
}

function historyOf(
  requests: readonly RequestDetail[],
  query: SpendHistoryQuery,
  nowMs: number,
): SpendHistory {
  const today = Date.parse(windowOf("day", nowMs).from);
  const first = today - (query.days - 1) * DAY_MS;
  const days = Array.from({ length: query.days }, (_, index) => iso(first + index * DAY_MS));
  const groups = new Map<string, { spend: bigint[]; requests: number[] }>();
  for (const { row } of requests) {
    const index = Math.floor((Date.parse(row.started_at) - first) / DAY_MS);
    const key = keyOf(row, query.split);
    if (index < 0 || (query.only !== null && key !== query.only)) continue;
    const group = groups.get(key) ?? {
      spend: days.map(() => 0n),
      requests: days.map(() => 0),
    };
    group.spend[index] = (group.spend[index] ?? 0n) + BigInt(row.cost ?? "0");
    group.requests[index] = (group.requests[index] ?? 0) + 1;
    groups.set(key, group);
  }
  const series = [...groups]
    .map(([key, group]) => ({
      key,
      spend: group.spend.map(String),
      requests: group.requests,
      total: group.spend.reduce((sum, value) => sum + value, 0n).toString(),
      total_requests: String(group.requests.reduce((sum, value) => sum + value, 0)),
    }))
    .toSorted((a, b) => Number(BigInt(b.total) - BigInt(a.total)));
  const total = series.reduce((sum, { total: own }) => sum + BigInt(own), 0n).toString();
  return { days, series: series.slice(0, 50), total };
}

function keyOf(row: RequestDetail["row"], split: SpendSplit): string {
  switch (split) {
    case "user":
      return row.user ?? "";
    case "operation":
      return row.operation;
    case "provider":
      return row.provider ?? "";
    case "model":
      return row.provider === null ? "" : `${row.provider}/${row.model}`;
  }
}

function nano(usd: number): string {
  return String(Math.round(usd * NANO));
}

function dollars(amount: string): string {
  const cents = BigInt(amount) / 10_000_000n;
  return `$${cents / 100n}.${(cents % 100n).toString().padStart(2, "0")}`;
}
