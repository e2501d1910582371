/** Routes in the made-up backend: what a draft would change and mean, and making it the route. */

import type {
  Impact,
  Operation,
  Problem,
  RouteDraft,
  RoutePreview,
  RouteRule,
  Simulation,
  SimulationInput,
} from "@/bindings";
import { formatMoneyTotal } from "@/lib/money";
import { formatCount } from "@/lib/numbers";
import { CelError, type CelValue, holds } from "./cel";
import { decide, featuresOf, shownFeatures } from "./decide";
import { routeTarget, targetOptions, trip } from "./operations";
import { iso, type World } from "./world";
import { monthImpact } from "./impact";

const DAY_MS = 86_400_000;
/** Most requests that are decided again for an impact. */
const SAMPLE = 400;

export function previewOf(world: World, now: Operation, draft: RouteDraft): RoutePreview {
  const problems = problemsOf(world, draft);
  return {
    sentences: sentencesOf(now, draft),
    before: JSON.stringify(stateOf(now)),
    after: JSON.stringify(stateOf(draft)),
    problems,
    warnings: warningsOf(world, draft),
    impact: problems.length === 0 ? impactOf(world, now, draft) : null,
    month: problems.length === 0 ? monthImpact() : null,
  };
}

/** The route as the draft wants it. */
export function applied(world: World, now: Operation, draft: RouteDraft): void {
  const shares = new Map(now.targets.map((card) => [nameOf(card), card.share_24h]));
  const { enabled, strategy, balance, rules, deadline_ms, cache_ttl_s } = draft;
  const { allowed_providers, approval } = draft;
  Object.assign(now, {
    enabled,
    strategy,
    balance,
    rules,
    deadline_ms,
    cache_ttl_s,
    allowed_providers,
    approval,
  });
  now.version += 1;
  now.changed_at = iso(Date.now());
  now.targets = draft.targets.map((card) => ({
    ...routeTarget(world.providers, nameOf(card), shares.get(nameOf(card)) ?? null),
    ...card,
    trip: trip(card.timeout_ms),
  }));
}

export function simulationOf(
  world: World,
  operation: Operation,
  input: SimulationInput,
): Simulation {
  const { request, draft } = input;
  const past =
    request.kind === "past"
      ? world.requests.find((known) => known.row.id === request.request_id)
      : undefined;
  const now = new Date();
  const features = featuresOf(operation.id, request, past, now);
  const options = targetOptions(world.providers, world.mode !== "empty");
  const decision = decide(operation, draft, options, features, now);
  return {
    decision,
    features: shownFeatures(features),
    estimate: decision.candidates.find((view) => view.verdict === "chosen")?.estimate ?? null,
    micros: 9 + draft.targets.length * 1.7 + draft.rules.length * 2.4,
    problems: problemsOf(world, draft),
  };
}

function nameOf(target: { provider: string; model: string }): string {
  return `${target.provider}/${target.model}`;
}

type State = Omit<RouteDraft, "operation" | "base_version" | "reason">;

/** What the history keeps of a route. */
export function stateOf(state: State) {
  return {
    enabled: state.enabled,
    strategy: state.strategy,
    targets: state.targets.map((card) => ({
      target: nameOf(card),
      enabled: card.enabled,
      weight: card.weight,
      ...(card.timeout_ms === null ? {} : { timeout_ms: card.timeout_ms }),
      ...(card.max_output === null ? {} : { max_output: card.max_output }),
    })),
    ...(state.rules.length === 0 ? {} : { rules: state.rules }),
    balance: state.balance,
    deadline_ms: state.deadline_ms,
    cache_ttl_s: state.cache_ttl_s,
    allowed_providers: state.allowed_providers,
    ...(state.approval === null ? {} : { approval: state.approval }),
  };
}

const EXAMPLE: Readonly<Record<string, CelValue>> = {
  input_tokens: 1,
  max_output_tokens: 0,
  has_images: false,
  has_audio: false,
  has_tools: false,
  json_output: false,
  streamed: false,
  user: "",
  operation: "",
  surface: "",
  key: "",
  tags: {},
  complexity: "simple",
  hour_utc: 0,
  weekday_utc: 1,
};

function problemsOf(world: World, draft: RouteDraft): Problem[] {
  const problems: Problem[] = [];
  const add = (field: string, message: string) => problems.push({ field, message });
  const names = draft.targets.map(nameOf);
  if (names.length === 0) add("targets", "A route needs at least one target.");
  for (const [index, card] of draft.targets.entries()) {
    const provider = world.providers.find((known) => known.name === card.provider);
    if (!provider?.models.some((model) => model.name === card.model))
      add(`targets[${index}].model`, `There is no target ${nameOf(card)}.`);
    if (names.indexOf(nameOf(card)) < index)
      add(`targets[${index}].model`, `${nameOf(card)} stands in the chain twice.`);
    if (card.timeout_ms !== null && (card.timeout_ms < 100 || card.timeout_ms > 600_000))
      add(
        `targets[${index}].timeout_ms`,
        `${card.timeout_ms} ms is not between 100 and 600000 ms.`,
      );
    if (card.max_output === 0) add(`targets[${index}].max_output`, "It must be above 0.");
    if (card.weight > 10_000) add(`targets[${index}].weight`, "A share is at most 10000.");
  }
  const on = draft.targets.filter((card) => card.enabled);
  if (draft.strategy === "weighted" && on.length > 0 && on.every((card) => card.weight === 0))
    add("targets", "At least one target that is on needs a share above 0.");
  for (const [index, rule] of draft.rules.entries()) {
    if (rule.name.trim() === "") add(`rules[${index}].name`, "A rule needs a name.");
    else if (draft.rules.slice(0, index).some((known) => known.name === rule.name))
      add(`rules[${index}].name`, "Another rule has this name.");
    const fault = conditionFault(rule.when);
    if (fault !== undefined) add(`rules[${index}].when`, fault);
    if (rule.targets.length === 0)
      add(`rules[${index}].targets`, "A rule needs at least one target.");
    for (const target of rule.targets)
      if (!names.includes(target)) add(`rules[${index}].targets`, `${target} is not in the chain.`);
  }
  if (draft.deadline_ms !== null && (draft.deadline_ms < 500 || draft.deadline_ms > 3_600_000))
    add("deadline_ms", `${draft.deadline_ms} is not between 500 and 3600000.`);
  if (draft.cache_ttl_s !== null && (draft.cache_ttl_s < 1 || draft.cache_ttl_s > 2_592_000))
    add("cache_ttl_s", `${draft.cache_ttl_s} is not between 1 and 2592000.`);
  return problems;
}

function conditionFault(when: string): string | undefined {
  if (when.trim() === "") return "A condition must not be empty.";
  try {
    holds(when, EXAMPLE);
    return undefined;
  } catch (error) {
    if (error instanceof CelError) return error.message;
    throw error;
  }
}

const ORDINALS = ["first", "second", "third", "fourth", "fifth"];

function sentencesOf(now: Operation, draft: RouteDraft): string[] {
  const before = now.targets.map(nameOf);
  const after = draft.targets.map(nameOf);
  const sentences: string[] = [];
  if (draft.enabled !== now.enabled)
    sentences.push(`${now.id} is switched ${draft.enabled ? "on" : "off"}`);
  for (const gone of before.filter((target) => !after.includes(target)))
    sentences.push(`${gone} leaves the chain`);
  const stays = before.filter((target) => after.includes(target));
  const kept = after.filter((target) => before.includes(target));
  for (const [place, card] of draft.targets.entries()) {
    const name = nameOf(card);
    const old = now.targets.find((target) => nameOf(target) === name);
    const ordinal = ORDINALS[place] ?? `number ${place + 1}`;
    if (!old) {
      sentences.push(`${name} joins as ${ordinal}`);
      continue;
    }
    if (kept.indexOf(name) < stays.indexOf(name)) sentences.push(`${name} moves to ${ordinal}`);
    if (old.enabled !== card.enabled)
      sentences.push(`${name} is switched ${card.enabled ? "on" : "off"}`);
    if (old.weight !== card.weight)
      sentences.push(`${name} gets the share ${card.weight} instead of ${old.weight}`);
    if (old.timeout_ms !== card.timeout_ms)
      sentences.push(
        `${name} may take ${limit(card.timeout_ms, "ms", "the usual time")} instead of ${limit(old.timeout_ms, "ms", "the usual time")}`,
      );
    if (old.max_output !== card.max_output)
      sentences.push(
        `${name} may write ${limit(card.max_output, "tokens", "what the client asks")} instead of ${limit(old.max_output, "tokens", "what the client asks")}`,
      );
  }
  return [...sentences, ...settingSentences(now, draft)];
}

function settingSentences(now: Operation, draft: RouteDraft): string[] {
  const sentences: string[] = [];
  if (now.strategy !== draft.strategy)
    sentences.push(`targets are picked by ${draft.strategy} instead of ${now.strategy}`);
  if (JSON.stringify(now.balance) !== JSON.stringify(draft.balance))
    sentences.push(
      `cost counts ${draft.balance.cost} %, time ${draft.balance.latency} %, quality ${draft.balance.quality} %`,
    );
  for (const rule of now.rules)
    if (!draft.rules.some((kept) => kept.name === rule.name))
      sentences.push(`the rule \`${rule.name}\` is removed`);
  for (const rule of draft.rules) {
    const known = now.rules.find((candidate) => candidate.name === rule.name);
    if (!known) sentences.push(`the rule \`${rule.name}\` is added: when ${rule.when}`);
    else if (JSON.stringify(known) !== JSON.stringify(rule))
      sentences.push(`the rule \`${rule.name}\` changes: when ${rule.when}`);
  }
  if (stays(now.rules, draft.rules) !== stays(draft.rules, now.rules))
    sentences.push(`the rules are looked at in the order ${stays(draft.rules, now.rules)}`);
  if (now.deadline_ms !== draft.deadline_ms)
    sentences.push(
      `a request may take ${limit(draft.deadline_ms, "ms", "the usual time")} over all attempts instead of ${limit(now.deadline_ms, "ms", "the usual time")}`,
    );
  if (now.cache_ttl_s !== draft.cache_ttl_s)
    sentences.push(
      draft.cache_ttl_s === null
        ? "identical requests no longer share an answer"
        : `identical requests share an answer for ${draft.cache_ttl_s} s`,
    );
  if (JSON.stringify(now.allowed_providers) !== JSON.stringify(draft.allowed_providers))
    sentences.push(
      draft.allowed_providers.length === 0
        ? "its data may go to any provider of the route"
        : `its data may go only to ${draft.allowed_providers.join(", ")}`,
    );
  if (JSON.stringify(now.approval) !== JSON.stringify(draft.approval))
    sentences.push(policyInWords(draft.approval));
  return sentences;
}

function policyInWords(policy: RouteDraft["approval"]): string {
  if (policy === null) return "its requests need nobody's approval";
  const when = [
    policy.always ? "always" : "",
    policy.above === null ? "" : `when it may cost more than $${Number(policy.above) / 1e9}`,
    policy.rule === null ? "" : `when ${policy.rule}`,
  ].filter((part) => part !== "");
  const hold =
    policy.hold_s === 0
      ? "the client is told to come back"
      : `the client is kept waiting for up to ${policy.hold_s} s`;
  return `a request needs a person ${when.join(", or ")}; ${hold}, and its approval is good for ${policy.expires_s} s`;
}

/** The names of the rules that are in the other list too, in the order of this one. */
function stays(list: readonly RouteRule[], other: readonly RouteRule[]): string {
  return list
    .filter((rule) => other.some((known) => known.name === rule.name))
    .map((rule) => `\`${rule.name}\``)
    .join(", ");
}

function limit(given: number | null, unit: string, none: string): string {
  return given === null ? none : `${given} ${unit}`;
}

function warningsOf(world: World, draft: RouteDraft): string[] {
  const warnings: string[] = [];
  let ready = 0;
  for (const card of draft.targets.filter((target) => target.enabled)) {
    const provider = world.providers.find((known) => known.name === card.provider);
    const model = provider?.models.find((known) => known.name === card.model);
    if (provider?.ready.ready) ready += 1;
    else warnings.push(`${nameOf(card)} is skipped for now: the provider has no credential yet.`);
    if (model && !model.priced)
      warnings.push(`${nameOf(card)} has no price: its requests will be marked unpriced.`);
    if (draft.allowed_providers.length > 0 && !draft.allowed_providers.includes(card.provider))
      warnings.push(`${nameOf(card)} is skipped: this operation's data may not go there.`);
  }
  if (ready === 0) warnings.push("No target of this chain can answer at the moment.");
  return warnings;
}

/** The last day's requests decided again. */
function impactOf(world: World, now: Operation, draft: RouteDraft): Impact | null {
  const since = Date.now() - DAY_MS;
  const all = world.requests.filter(
    ({ row }) => row.operation === now.id && Date.parse(row.started_at) >= since,
  );
  if (all.length === 0) return null;
  const options = targetOptions(world.providers, true);
  const counts = new Map<string, { before: number; after: number }>();
  const count = (name: string, when: "before" | "after") => {
    const known = counts.get(name) ?? { before: 0, after: 0 };
    counts.set(name, { ...known, [when]: known[when] + 1 });
  };
  const sample = all.slice(0, SAMPLE);
  const [costs, latencies, times] = [[0n, 0n], [] as number[], [] as number[]];
  let [moved, refused, unpriced] = [0, 0, false];
  for (const past of sample) {
    const was = `${past.row.provider}/${past.row.model}`;
    const features = featuresOf(
      now.id,
      { kind: "past", request_id: past.row.id },
      past,
      new Date(past.row.started_at),
    );
    const decision = decide(now, draft, options, features, new Date(past.row.started_at));
    const first = decision.candidates.find((view) => view.verdict === "chosen");
    count(was, "before");
    costs[0] = (costs[0] ?? 0n) + BigInt(past.row.cost ?? "0");
    if (past.row.latency_ms !== null) latencies.push(past.row.latency_ms);
    if (!first) {
      refused += 1;
      continue;
    }
    const name = nameOf(first);
    count(name, "after");
    if (name !== was) moved += 1;
    if (first.estimate === null) unpriced = true;
    else
      costs[1] =
        (costs[1] ?? 0n) + (name === was ? BigInt(past.row.cost ?? "0") : BigInt(first.estimate));
    const usual = options.find((option) => nameOf(option) === name)?.latency_ms_p50;
    times.push(
      name === was ? (past.row.latency_ms ?? 0) : (usual ?? 900) * (0.6 + (times.length % 10) / 6),
    );
  }
  const scale = (nano: bigint) => ((nano * BigInt(all.length)) / BigInt(sample.length)).toString();
  const before = scale(costs[0] ?? 0n);
  const after = unpriced ? null : scale(costs[1] ?? 0n);
  return {
    text: impactText(before, after, moved, sample.length),
    requests: all.length,
    sampled: sample.length,
    moved,
    cost_before: before,
    cost_after: after,
    latency_ms_p95_before: percentile95(latencies),
    latency_ms_p95_after: percentile95(times),
    refused,
    shares: [...counts].map(([name, share]) => ({
      provider: name.slice(0, name.indexOf("/")),
      model: name.slice(name.indexOf("/") + 1),
      before: share.before / sample.length,
      after: share.after / sample.length,
    })),
  };
}

function impactText(before: string, after: string | null, moved: number, of: number): string {
  const difference = after === null ? null : BigInt(after) - BigInt(before);
  const cost =
    difference === null
      ? "The cost is not known, a price is missing"
      : difference === 0n
        ? "About the same cost"
        : `About ${difference > 0n ? "+" : "−"} ${formatMoneyTotal(String(difference < 0n ? -difference : difference))} a day`;
  return `${cost}; ${formatCount(moved)} of ${formatCount(of)} requests would go elsewhere first.`;
}

function percentile95(values: number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * 0.95), sorted.length - 1)] ?? null;
}
