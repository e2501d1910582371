import type { Drill, DrillFault, DrillInput, Failover } from "@/bindings";
import type { Commands } from "../types";
import { type Answer, failed, ok } from "./answer";
import { type Circuit, circuitOf, type Health, step } from "./health";
import { announce, iso, type World } from "./world";

const TICK_MS = 500;
/** So many failures open a circuit. */
const TRIPS_AT = 3;

const KINDS: Record<DrillFault, { kind: string; status: number | null; message: string }> = {
  outage: { kind: "server_error", status: 503, message: "The drill says: out of service." },
  rate_limit: { kind: "rate_limit", status: 429, message: "The drill says: too many requests." },
  slow_first_byte: { kind: "timeout", status: null, message: "No first token in 2 s." },
  cut_streams: { kind: "truncated", status: 200, message: "The stream broke off." },
};

type Running = { drill: Drill; backup: string; timer: ReturnType<typeof setInterval> | undefined };

/** A drill that goes through the motions: requests by the clock, a circuit that opens, a chain that holds. */
export function drillCommands(
  world: World,
  answer: Answer,
  health: Health,
): Pick<Commands, "drillState" | "drillStart" | "drillStop"> {
  let last: Running | undefined;
  const now = () => (last ? { ...last.drill } : null);
  const end = () => {
    if (!last) return;
    clearInterval(last.timer);
    last.drill = { ...last.drill, running: false };
    const circuit = circuitOf(health, `simulator/${last.drill.input.model}`);
    if (circuit.state === "open" || circuit.state === "cooling_down") {
      circuit.state = "healthy";
      circuit.until = null;
    }
    announce(world, ["providers", "health", "requests"]);
  };
  const tick = () => {
    if (!last) return;
    advance(health, last);
    announce(world, ["requests", "health"]);
    if (Date.now() >= Date.parse(last.drill.ends_at)) end();
  };
  return {
    drillState: () => answer(() => ok(now())),
    drillStart: (input) =>
      answer(() => {
        if (last?.drill.running) return failed("refused", "A drill is running; stop it first.");
        const fault = faultOf(world, input);
        if (fault) return failed("invalid", fault.message, fault.field);
        const other = simulated(world).find((model) => model !== input.model);
        last = {
          drill: begin(input),
          backup: other ?? input.model,
          timer: setInterval(tick, TICK_MS),
        };
        const circuit = circuitOf(health, `simulator/${input.model}`);
        circuit.state = "healthy";
        circuit.events = [];
        announce(world, ["providers", "health"]);
        return ok({ ...last.drill });
      }),
    drillStop: () =>
      answer(() => {
        end();
        return ok(now());
      }),
  };
}

function simulated(world: World): string[] {
  const simulator = world.providers.find((provider) => provider.builtin);
  return (simulator?.models ?? [])
    .filter((model) => model.capabilities.includes("chat"))
    .map((model) => model.name);
}

function faultOf(world: World, input: DrillInput): { field: string; message: string } | undefined {
  if (!simulated(world).includes(input.model))
    return { field: "model", message: `The simulator has no model \`${input.model}\`.` };
  const operation = world.operations.find(({ id }) => id === input.operation);
  if (!operation?.enabled)
    return {
      field: "operation",
      message: `\`${input.operation}\` is no operation for conversations that is switched on.`,
    };
  if (input.percent < 1 || input.percent > 100)
    return { field: "drill", message: "The share is between 1 and 100 percent." };
  if (input.seconds < 1 || input.seconds > 3_600)
    return { field: "drill", message: "A drill takes between a second and an hour." };
  return input.requests_per_second > 50
    ? { field: "drill", message: "A drill sends at most 50 requests in a second." }
    : undefined;
}

function begin(input: DrillInput): Drill {
  const started = Date.now();
  return {
    running: true,
    input,
    started_at: iso(started),
    ends_at: iso(started + input.seconds * 1_000),
    sent: 0,
    succeeded: 0,
    failed: 0,
    failed_over: 0,
    hop_ms_p50: null,
    hop_ms_max: null,
    opened_after_ms: null,
    verdict: "No requests of its own yet; the circuit stayed closed.",
  };
}

/** What the chain did until now. */
function advance(health: Health, { drill, backup }: Running): void {
  const { model, fault, requests_per_second: rate, percent } = drill.input;
  const elapsed = Math.min(Date.now() - Date.parse(drill.started_at), drill.input.seconds * 1_000);
  const circuit = circuitOf(health, `simulator/${model}`);
  const second = circuitOf(health, `simulator/${backup}`);
  const due = Math.floor((elapsed / 1_000) * rate);
  while (drill.sent < due) {
    drill.sent += 1;
    const hit = (drill.sent * 37) % 100 < percent;
    if (circuit.state === "healthy" && hit) {
      failOnce(health, circuit, drill, backup, drill.sent);
      const cut = fault === "cut_streams";
      if (cut) drill.failed += 1;
      else {
        drill.succeeded += 1;
        drill.failed_over += 1;
        count(second, "succeeded");
      }
    } else {
      drill.succeeded += 1;
      count(circuit.state === "healthy" ? circuit : second, "succeeded");
    }
  }
  if (drill.failed_over > 0) {
    drill.hop_ms_p50 = 1.8;
    drill.hop_ms_max = 4.6;
  }
  drill.verdict = verdictOf(drill);
}

function failOnce(
  health: Health,
  circuit: Circuit,
  drill: Drill,
  backup: string,
  number: number,
): void {
  const { model, fault, operation } = drill.input;
  const at = Date.now();
  const { kind, status, message } = KINDS[fault];
  const request_id = `req_01j9xdrill0000000000000${number}`;
  const note = { at: iso(at), kind, http_status: status, message, latency_ms: 4.2, request_id };
  circuit.failures = [note, ...circuit.failures].slice(0, 10);
  count(circuit, "failed");
  if (fault !== "cut_streams") {
    const failover: Failover = {
      request_id,
      at: iso(at),
      operation,
      from_provider: "simulator",
      from_model: model,
      to_provider: "simulator",
      to_model: backup,
      reason: kind,
      hop_ms: 1.8,
    };
    health.failovers = [failover, ...health.failovers];
  }
  const bad = drill.failed + drill.failed_over + 1;
  if (fault === "rate_limit" || bad >= TRIPS_AT) {
    circuit.state = fault === "rate_limit" ? "cooling_down" : "open";
    circuit.until = iso(at + 300_000);
    if (fault === "rate_limit") return;
    step(circuit, "simulator", model, "closed", "open", "too many calls failed", null, at);
    drill.opened_after_ms = at - Date.parse(drill.started_at);
  }
}

function count(circuit: Circuit, what: "succeeded" | "failed"): void {
  const minute = Math.floor(Date.now() / 60_000);
  const known = circuit.drill.get(minute) ?? { succeeded: 0, failed: 0 };
  circuit.drill.set(minute, { ...known, [what]: known[what] + 1 });
}

function verdictOf({ sent, succeeded, failed: bad, failed_over, opened_after_ms }: Drill): string {
  const circuit =
    opened_after_ms === null
      ? "the circuit stayed closed"
      : `the circuit opened after ${(opened_after_ms / 1_000).toFixed(1)} s`;
  if (sent === 0) return `No requests of its own yet; ${circuit}.`;
  return bad === 0
    ? `Nobody noticed: ${succeeded} of ${sent} requests were answered, ${failed_over} of them by the next target; ${circuit}.`
    : `${bad} of ${sent} requests failed, ${failed_over} were answered by the next target; ${circuit}.`;
}
