import type {
  CircuitEvent,
  Failover,
  FailureNote,
  HealthMinute,
  HealthState,
  HealthWindow,
  Provider,
  ProviderHealth,
  TargetHealth,
} from "@/bindings";
import type { Commands } from "../types";
import { addChange, type Answer, failed, ok } from "./answer";
import { createRandom } from "./random";
import { announce, iso, type World } from "./world";

const MINUTE_MS = 60_000;
const STRIP_MINUTES = 60;
const WINDOW_MINUTES = 5;

/** What the made-up backend knows about the circuits, beside what it makes up from the clock. */
export type Health = {
  startedMs: number;
  /** By `provider/model`. */
  circuits: Map<string, Circuit>;
  /** Newest first, beside those that follow from the requests. */
  failovers: Failover[];
};

export type Circuit = {
  state: HealthState;
  until: string | null;
  events: CircuitEvent[];
  failures: FailureNote[];
  /** Calls of a drill by their minute, added to the strip. */
  drill: Map<number, { succeeded: number; failed: number }>;
};

type Trait = { busy: number; bad: number; p50: number };

const QUIET: Trait = { busy: 0, bad: 0, p50: 0 };
const TRAITS: Readonly<Record<string, Trait>> = {
  "deepseek/deepseek-chat": { busy: 34, bad: 0.01, p50: 640 },
  "deepseek/deepseek-reasoner": { busy: 5, bad: 0.02, p50: 4_120 },
  "openai/gpt-5-mini": { busy: 18, bad: 0.004, p50: 410 },
  "openai/gpt-5.2": { busy: 9, bad: 0.05, p50: 1_260 },
  "anthropic/claude-sonnet-4-5": { busy: 12, bad: 0.42, p50: 1_840 },
  "anthropic/claude-haiku-4-5": { busy: 6, bad: 0, p50: 380 },
  "gemini/gemini-2.5-flash": { busy: 2, bad: 1, p50: 148 },
};

export function makeHealth(world: World): Health {
  const startedMs = Date.now();
  const health: Health = { startedMs, circuits: new Map(), failovers: [] };
  if (world.mode === "empty") return health;
  health.circuits.set("openai/gpt-5.2", openCircuit(startedMs));
  health.circuits.set("gemini/gemini-2.5-flash", refusedCircuit(startedMs));
  health.circuits.set("anthropic/claude-sonnet-4-5", {
    ...blank(),
    state: "degraded",
    failures: notes(startedMs, "overloaded", 529, 4, "Overloaded"),
  });
  return health;
}

export function blank(): Circuit {
  return { state: "healthy", until: null, events: [], failures: [], drill: new Map() };
}

export function circuitOf(health: Health, target: string): Circuit {
  const known = health.circuits.get(target);
  if (known) return known;
  const made = blank();
  health.circuits.set(target, made);
  return made;
}

function notes(
  nowMs: number,
  kind: string,
  status: number | null,
  count: number,
  message: string,
): FailureNote[] {
  return Array.from({ length: count }, (_, index) => ({
    at: iso(nowMs - 94_000 - index * 41_000),
    kind,
    http_status: status,
    message,
    latency_ms: 212 + index * 63.4,
    request_id: `req_01j9x00000000000000000${kind.length}${index}`,
  }));
}

function openCircuit(nowMs: number): Circuit {
  const failures = notes(
    nowMs,
    "server_error",
    500,
    7,
    "The server had an error while processing your request.\u202e Sorry about that!",
  );
  const event = (
    id: number,
    before: number,
    from: string,
    to: string,
    cause: string,
  ): CircuitEvent => ({
    id: `evt_${id}`,
    at: iso(nowMs - before),
    provider: "openai",
    model: "gpt-5.2",
    from,
    to,
    cause,
    actor: null,
    calls: to === "open" && from === "closed" ? failures.slice(0, 3) : [],
  });
  return {
    ...blank(),
    state: "open",
    until: iso(nowMs + 206_000),
    failures,
    events: [
      event(5, 94_000, "closed", "open", "too many calls failed"),
      event(4, 1_300_000, "half_open", "closed", "the probe was answered"),
      event(3, 1_312_000, "open", "half_open", "one call may probe again"),
      event(2, 1_612_000, "closed", "open", "too many calls failed"),
    ],
  };
}

function refusedCircuit(nowMs: number): Circuit {
  const failures = notes(
    nowMs,
    "invalid_key",
    401,
    3,
    "API key not valid. Please pass a valid API key.",
  );
  return {
    ...blank(),
    state: "credential_bad",
    failures,
    events: [
      {
        id: "evt_1",
        at: iso(nowMs - 94_000),
        provider: "gemini",
        model: "gemini-2.5-flash",
        from: "closed",
        to: "open",
        cause: "the provider refused the credential",
        actor: null,
        calls: failures.slice(0, 1),
      },
    ],
  };
}

export function healthCommands(
  world: World,
  answer: Answer,
  health: Health,
): Pick<Commands, "providerHealth" | "circuitAction" | "failoversPage"> {
  const all = () => world.providers.map((provider) => healthOf(world, health, provider));
  return {
    providerHealth: () => answer(() => ok(all())),
    circuitAction: ({ provider, model, action, reason }) =>
      answer(() => {
        const found = world.providers.find(({ name }) => name === provider);
        if (!found) return failed("not_found", `There is no provider named ${provider}.`);
        if (action !== "hold" && action !== "reset")
          return failed("invalid", `There is no action \`${action}\`.`, "action");
        const models = found.models.filter(({ name }) => model === null || name === model);
        for (const { name } of models) act(health, provider, name, action, reason);
        const subject = model === null ? provider : `${provider}/${model}`;
        addChange(world, {
          kind: "health",
          subject,
          sentence: `The circuit of ${subject} is ${action === "hold" ? "held open" : "reset"}`,
          before: null,
          after: null,
          reason,
          revertible: false,
        });
        announce(world, ["health", "changes"]);
        return ok(all());
      }),
    failoversPage: (filter, cursor, limit) =>
      answer(() => {
        const rows = [...health.failovers, ...failoversOf(world)].filter(
          (row) =>
            (!filter.operation || row.operation === filter.operation) &&
            (!filter.provider || row.from_provider === filter.provider) &&
            (!filter.model || row.from_model === filter.model),
        );
        const start = cursor === null ? 0 : Number(cursor);
        const end = start + limit;
        return ok({ rows: rows.slice(start, end), next: end < rows.length ? String(end) : null });
      }),
  };
}

function act(
  health: Health,
  provider: string,
  model: string,
  action: "hold" | "reset",
  reason: string | null,
): void {
  const circuit = circuitOf(health, `${provider}/${model}`);
  const to = action === "hold" ? "held" : "closed";
  const from = circuit.state === "held" ? "held" : circuit.state === "open" ? "open" : "closed";
  const words = action === "hold" ? "held open by an admin" : "reset";
  circuit.state = action === "hold" ? "held" : "healthy";
  circuit.until = null;
  if (action === "reset") circuit.failures = [];
  step(circuit, provider, model, from, to, reason ? `${words}: ${reason}` : words, "admin");
}

/** A step of a circuit, written down. */
export function step(
  circuit: Circuit,
  provider: string,
  model: string,
  from: string,
  to: string,
  cause: string,
  actor: string | null,
  atMs = Date.now(),
): void {
  const id = `evt_${model}_${circuit.events.length + 10}`;
  const calls = to === "open" ? circuit.failures.slice(0, 3) : [];
  const event = { id, at: iso(atMs), provider, model, from, to, cause, actor, calls };
  circuit.events = [event, ...circuit.events];
}

const SENTENCES: Record<HealthState, string> = {
  idle: "No calls lately.",
  healthy: "Healthy.",
  degraded: "At most half of its recent calls were answered.",
  cooling_down: "Its provider asked to wait.",
  open: "Its circuit is open after too many failures.",
  probing: "One call finds out whether it serves again.",
  held: "An admin holds its circuit open.",
  credential_bad: "Its provider refuses the credential.",
  off: "Switched off.",
};

/** Best first; the worst of them is the provider's. */
const ORDER: readonly HealthState[] = [
  "idle",
  "healthy",
  "degraded",
  "cooling_down",
  "probing",
  "held",
  "open",
  "credential_bad",
];

function healthOf(world: World, health: Health, provider: Provider): ProviderHealth {
  const off = !provider.enabled || provider.credential.state === "missing";
  const targets = provider.models
    .map((model) => targetOf(world, health, provider.name, model.name))
    .toSorted((a, b) => order(a) - order(b) || calls(b) - calls(a))
    .map((target, index) => ({ ...target, rank: calls(target) > 0 ? index + 1 : null }));
  const worst = targets
    .filter((target) => target.state !== "idle")
    .reduce<HealthState>(
      (found, { state }) => (ORDER.indexOf(state) > ORDER.indexOf(found) ? state : found),
      "idle",
    );
  const state = off ? "off" : worst;
  const strip = (targets[0]?.strip ?? []).map(({ at }, index) => ({
    at,
    succeeded: total(targets.map((target) => target.strip[index]?.succeeded ?? 0)),
    failed: total(targets.map((target) => target.strip[index]?.failed ?? 0)),
  }));
  const first = targets.find((target) => calls(target) > 0)?.window;
  return {
    provider: provider.name,
    state,
    text: provider.credential.state === "missing" ? "No credential yet." : SENTENCES[state],
    window: windowOf(strip, first?.latency_ms_p50 ?? null),
    strip,
    in_use: total(targets.map((target) => target.in_use)),
    max_concurrent: provider.max_concurrent,
    headroom: headroomOf(world, provider.name),
    spend_24h: provider.last_24h.spend,
    targets,
  };
}

function order(target: TargetHealth): number {
  return target.state === "idle" ? ORDER.length : ORDER.indexOf(target.state);
}

function calls(target: TargetHealth): number {
  return total(target.strip.map(({ succeeded, failed: bad }) => succeeded + bad));
}

function targetOf(world: World, health: Health, provider: string, model: string): TargetHealth {
  const target = `${provider}/${model}`;
  const circuit = health.circuits.get(target);
  const trait = (world.mode === "empty" ? undefined : TRAITS[target]) ?? QUIET;
  const strip = stripOf(target, trait, circuit);
  const busy = strip.some(({ succeeded, failed: bad }) => succeeded + bad > 0);
  const standing = circuit?.state ?? "healthy";
  const state = standing === "healthy" && !busy ? "idle" : standing;
  return {
    provider,
    model,
    state,
    text: SENTENCES[state],
    rank: null,
    until: circuit?.until ?? null,
    window: windowOf(strip, busy ? trait.p50 || 3.1 : null),
    strip,
    failures: (circuit?.failures ?? []).slice(0, 10),
    events: circuit?.events ?? [],
    in_use: busy && standing !== "open" ? Math.round(trait.busy / 6) : 0,
  };
}

/** The same minutes whenever it is asked: only the clock moves the strip along. */
function stripOf(target: string, trait: Trait, circuit: Circuit | undefined): HealthMinute[] {
  const thisMinute = Math.floor(Date.now() / MINUTE_MS);
  const openSince = circuit?.state === "open" && circuit.drill.size === 0 ? 1 : -1;
  return Array.from({ length: STRIP_MINUTES }, (_, index) => {
    const minute = thisMinute - STRIP_MINUTES + 1 + index;
    const age = STRIP_MINUTES - 1 - index;
    const random = createRandom(minute * 31 + target.length * 7_919 + target.charCodeAt(3));
    const quiet = age <= openSince || random() < 0.12;
    const made = quiet ? 0 : Math.round(trait.busy * (0.3 + random()));
    const storm = openSince > 0 && (age === 2 || age === 27 || age === 26) ? 0.8 : 0;
    const bad = Math.round(made * Math.max(storm, random() < 0.3 ? trait.bad * 2 : trait.bad));
    const drill = circuit?.drill.get(minute);
    const badNow = Math.min(bad, made);
    return {
      at: iso(minute * MINUTE_MS),
      succeeded: made - badNow + (drill?.succeeded ?? 0),
      failed: badNow + (drill?.failed ?? 0),
    };
  });
}

function windowOf(strip: readonly HealthMinute[], p50: number | null): HealthWindow {
  const last = strip.slice(-WINDOW_MINUTES);
  const succeeded = total(last.map((minute) => minute.succeeded));
  const bad = total(last.map((minute) => minute.failed));
  const known = succeeded + bad > 0 ? p50 : null;
  const times = (factor: number) => (known === null ? null : known * factor);
  return {
    minutes: WINDOW_MINUTES,
    succeeded,
    failed: bad,
    success_rate: succeeded + bad === 0 ? null : succeeded / (succeeded + bad),
    latency_ms_mean: times(1.2),
    latency_ms_p50: known,
    latency_ms_p95: times(2.9),
    latency_ms_p99: times(4.4),
    first_token_ms_p50: times(0.42),
  };
}

function headroomOf(world: World, provider: string): ProviderHealth["headroom"] {
  if (world.mode === "empty") return null;
  const seen_at = iso(Date.now() - 3_000);
  if (provider === "openai")
    return {
      requests_left: 4_812,
      requests_limit: 5_000,
      tokens_left: 1_402_330,
      tokens_limit: 2_000_000,
      resets_at: iso(Date.now() + 14_000),
      seen_at,
    };
  if (provider === "anthropic")
    return {
      requests_left: 31,
      requests_limit: 1_000,
      tokens_left: 18_400,
      tokens_limit: 400_000,
      resets_at: iso(Date.now() + 38_000),
      seen_at,
    };
  return null;
}

/** What the requests of the world tell about changes of target. */
function failoversOf(world: World): Failover[] {
  return world.requests.flatMap(({ row, attempts }) => {
    const [first, second] = attempts;
    if (!first || !second) return [];
    return [
      {
        request_id: row.id,
        at: row.started_at,
        operation: row.operation,
        from_provider: first.provider,
        from_model: first.model,
        to_provider: second.provider,
        to_model: second.model,
        reason: first.failure ?? "server_error",
        hop_ms: 1.4 + (Date.parse(row.started_at) % 70) / 10,
      },
    ];
  });
}

export function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
