import type {
  Change,
  ChangeFilter,
  Operation,
  Problem,
  Provider,
  RequestFilter,
  RequestRow,
  StateAt,
} from "@/bindings";
import { copyText } from "../clipboard";
import type { Commands, Platform } from "../types";
import type { FakeMode } from "./mode";
import { alertCommands } from "./alerts";
import { type Answer, addChange, type Failed, failed, made, type Ok, ok } from "./answer";
import { approvalCommands, pendingCount } from "./approvals";
import { budgetCommands, budgetGlance } from "./budgets";
import { drillCommands } from "./drills";
import { healthCommands, makeHealth } from "./health";
import { keyCommands } from "./keys";
import { targetOptions } from "./operations";
import { makeFigures, makeOverview } from "./overview";
import { peopleCommands } from "./people";
import { desktopCommands } from "./desktop";
import { priceCommands, restorePrices } from "./prices";
import { checkOf, firstCredential, model, PRESETS, READY } from "./providers";
import { createRandom } from "./random";
import { makeRequest } from "./requests";
import { applied, previewOf, simulationOf, stateOf } from "./routes";
import { settingCommands } from "./settings";
import { stopOf, toggleCommands } from "./toggles";
import { monthImpact } from "./impact";
import { announce, iso, makeWorld, type World } from "./world";

const LATENCY_MS = 40;

/** A backend made of memory, for component tests and for a plain browser while developing. */
export function createFakePlatform(
  mode: FakeMode = "normal",
  options: { latencyMs?: number; live?: boolean; nowMs?: number; window?: "main" | "quick" } = {},
): Platform & { world: World } {
  const world = makeWorld(mode, options.nowMs ?? Date.now());
  const latency = options.latencyMs ?? LATENCY_MS;
  if (options.live ?? true) startTraffic(world);
  return {
    name: "fake",
    window: options.window ?? "main",
    world,
    commands: makeCommands(world, latency),
    onTagsChanged: (handler) => {
      world.listeners.add(handler);
      return () => world.listeners.delete(handler);
    },
    openExternal: async (url) => {
      window.open(url, "_blank", "noopener");
    },
    copyText,
  };
}

function makeCommands(world: World, latency: number): Commands {
  const health = makeHealth(world);
  const answer: Answer = <T>(make: () => Ok<T> | Failed) => {
    if (world.mode === "loading") return new Promise(() => undefined);
    if (world.mode === "error")
      return later(latency, () =>
        failed("unavailable", "The backend does not answer: connection refused."),
      );
    return later(latency, make);
  };
  const provider = (name: string) => world.providers.find((candidate) => candidate.name === name);
  const onProvider = (name: string, change: (found: Provider) => void) =>
    answer(() => {
      const found = provider(name);
      if (!found) return failed("not_found", `There is no provider named ${name}.`);
      change(found);
      announce(world, ["providers", "operations", "status"]);
      return ok({ ...found });
    });
  const setCredential = (name: string, secret: string) =>
    onProvider(name, (found) => {
      const hint = `…${secret.slice(-4)}`;
      found.credential = { state: "set", hint, env_var: null, set_at: iso(Date.now()) };
      found.ready = READY;
      found.version += 1;
    });

  const onOperation = <T>(id: string, make: (found: Operation) => Ok<T> | Failed) =>
    answer(() => {
      const found = world.operations.find((operation) => operation.id === id);
      return found ? make(found) : failed("not_found", "There is no such operation.");
    });

  return {
    status: () => answer(() => ok(makeStatus(world))),
    overview: (query) => answer(() => ok(makeOverview(world.requests, query, Date.now()))),
    requestsPage: (filter, cursor, limit) =>
      answer(() => {
        const all = world.requests
          .map((request) => request.row)
          .filter((row) => matches(row, filter));
        const start = cursor === null ? 0 : all.findIndex((row) => row.id === cursor) + 1;
        const rows = all.slice(start, start + limit).map((row) => ({ ...row }));
        return ok({ rows, next: start + limit < all.length ? (rows.at(-1)?.id ?? null) : null });
      }),
    requestFacets: () =>
      answer(() => {
        const rows = world.requests.map((request) => request.row);
        return ok({
          operations: count(rows.map((row) => row.operation)),
          providers: count(rows.map((row) => row.provider)),
          models: count(rows.map((row) => row.model)),
          statuses: count(rows.map((row) => row.status)),
        });
      }),
    requestDetail: (id) =>
      answer(() => {
        const found = world.requests.find((request) => request.row.id === id);
        return found ? ok({ ...found }) : failed("not_found", "There is no request of that id.");
      }),
    requestsExport: (filter, format) =>
      answer(() => {
        const rows = world.requests.filter((request) => matches(request.row, filter)).length;
        return ok({
          path: `/home/ines/Downloads/signalbox-requests.${format}`,
          rows: String(rows),
        });
      }),
    operationsList: () => answer(() => ok(world.operations.map((operation) => ({ ...operation })))),
    targetOptions: () => answer(() => ok(targetOptions(world.providers, world.mode !== "empty"))),
    routePreview: (draft) =>
      onOperation(draft.operation, (now) => ok(previewOf(world, now, draft))),
    routeApply: (draft) =>
      onOperation(draft.operation, (now) => {
        if (now.version !== draft.base_version)
          return failed("conflict", "The route has changed since you opened it.");
        const { problems, sentences } = previewOf(world, now, draft);
        if (problems.length > 0) return refused(problems);
        if (sentences.length === 0) return made({ ...now });
        const before = JSON.stringify(stateOf(now));
        applied(world, now, draft);
        addChange(world, {
          kind: "route",
          subject: now.id,
          sentence: sentences.join("; "),
          before,
          after: JSON.stringify(stateOf(now)),
          reason: draft.reason,
          revertible: true,
        });
        announce(world, ["operations", "changes"]);
        return made({ ...now });
      }),
    routeSimulate: (input) =>
      onOperation(input.draft.operation, (now) => ok(simulationOf(world, now, input))),
    providersList: () => answer(() => ok(world.providers.map((found) => ({ ...found })))),
    providerPresets: () => answer(() => ok(PRESETS)),
    providerAdd: (input) =>
      answer(() => {
        if (provider(input.name))
          return failed("already_exists", `A provider named ${input.name} exists already.`, "name");
        const template = world.providers[0];
        if (!template) return failed("internal", "The made-up world has no providers.");
        const added: Provider = {
          ...template,
          ...input,
          auth: input.auth ?? { scheme: "vendor" },
          max_concurrent: null,
          builtin: false,
          ...firstCredential(input.base_url),
          last_check: null,
          models: [],
          last_24h: { requests: 0, failed: 0, spend: "0", latency_ms_p95: null },
          version: 1,
        };
        world.providers.push(added);
        addChange(world, {
          kind: "provider",
          subject: input.name,
          sentence: `The provider ${input.name} was added.`,
          before: null,
          after: JSON.stringify(input),
          reason: null,
          revertible: false,
        });
        announce(world, ["providers", "changes", "status"]);
        return ok({ ...added });
      }),
    providerUpdate: (patch) => {
      const version = provider(patch.name)?.version;
      if (version !== undefined && version !== patch.base_version)
        return answer(() => failed("conflict", `${patch.name} has changed meanwhile.`));
      return onProvider(patch.name, (found) => {
        if (patch.base_url !== null && patch.base_url !== found.base_url) {
          found.base_url = patch.base_url;
          found.credential = { state: "missing", hint: null, env_var: null, set_at: null };
          found.ready = { ready: false, code: "no_credential", text: "It has no credential yet." };
        }
        if (patch.enabled !== null) found.enabled = patch.enabled;
        if (patch.auth) found.auth = patch.auth;
        if (typeof patch.max_concurrent === "number")
          found.max_concurrent = patch.max_concurrent === 0 ? null : patch.max_concurrent;
        found.version += 1;
      });
    },
    providerRemove: (name) =>
      answer(() => {
        const used = world.operations.find((operation) =>
          operation.targets.some((target) => target.provider === name),
        );
        if (used)
          return failed(
            "refused",
            `${name} is still a target of ${used.id}. Take it out of the route first.`,
          );
        world.providers = world.providers.filter((candidate) => candidate.name !== name);
        announce(world, ["providers", "changes"]);
        return ok(null);
      }),
    providerPasteCredential: (name) => setCredential(name, "sk-pasted-7d2c"),
    providerSetCredential: (name, secret) => setCredential(name, secret),
    providerClearCredential: (name) =>
      onProvider(name, (found) => {
        found.credential = { state: "missing", hint: null, env_var: null, set_at: null };
        found.ready = { ready: false, code: "no_credential", text: "It has no credential yet." };
      }),
    providerVerify: (name) =>
      answer(() => {
        const found = provider(name);
        if (!found) return failed("not_found", `There is no provider named ${name}.`);
        found.last_check = checkOf(found, Date.now());
        announce(world, ["providers"]);
        return ok(found.last_check);
      }),
    modelAdd: (input) =>
      answer(() => {
        const found = provider(input.provider);
        if (!found) return failed("not_found", `There is no provider named ${input.provider}.`);
        const prices =
          input.input_usd_per_mtok === null
            ? null
            : ([
                Number(input.input_usd_per_mtok),
                Number(input.cached_input_usd_per_mtok ?? input.input_usd_per_mtok),
                Number(input.output_usd_per_mtok ?? "0"),
              ] as [number, number, number]);
        const added = model(input.model, ["chat"], input.context_window, prices);
        if (added.price_source)
          added.price_source = { ...added.price_source, url: null, as_of: null };
        found.models = found.models.filter((known) => known.name !== added.name);
        found.models = [...found.models, added];
        announce(world, ["providers", "operations", "changes"]);
        return made(added);
      }),
    ...healthCommands(world, answer, health),
    ...drillCommands(world, answer, health),
    ...priceCommands(world, answer),
    ...settingCommands(world, answer),
    ...alertCommands(world, answer),
    ...peopleCommands(world, answer),
    ...desktopCommands(world, answer),
    ...keyCommands(world, answer),
    secretsPastePassphrase: () => unseal(world, answer, "correct horse battery"),
    secretsUnseal: (passphrase) => unseal(world, answer, passphrase),
    ...toggleCommands(world, answer),
    ...approvalCommands(world, answer),
    ...budgetCommands(world, answer),
    sendTestRequest: (input) =>
      answer(() => {
        const detail = addRequest(world, {
          operation: input.operation,
          simulator: world.mode === "empty",
        });
        return ok({
          request_id: detail.row.id,
          text: `You said: ${input.message}`,
          provider: detail.row.provider ?? "",
          model: detail.row.model ?? "",
          cost: detail.row.cost,
          simulated: detail.row.simulated,
        });
      }),
    changesPage: (filter, cursor, limit) =>
      answer(() => {
        const all = world.changes.filter((change) => passes(change, filter));
        const older = cursor === null ? all : all.filter((change) => change.seq < Number(cursor));
        const rows = older.slice(0, limit);
        return ok({
          rows,
          next: rows.length < older.length ? String(rows.at(-1)?.seq) : null,
          chain: chainReport(world),
        });
      }),
    changeVerify: () => answer(() => ok(chainReport(world))),
    changeRevert: (seq, reason) =>
      answer(() => {
        const found = world.changes.find((change) => change.seq === seq);
        if (!found?.revertible) return failed("refused", "This change cannot be reverted.");
        const change = addChange(world, {
          kind: found.kind,
          subject: found.subject,
          sentence: `Change ${seq} is reverted (${found.sentence})`,
          before: found.after,
          after: found.before,
          reason,
          revertible: true,
        });
        if (found.kind === "price") restorePrices(world, found.before);
        announce(world, ["changes", "operations", "prices"]);
        return made(change);
      }),
    changeRevertPreview: (seq) =>
      answer(() => {
        const found = world.changes.find((change) => change.seq === seq);
        if (!found?.revertible) return failed("refused", "This change cannot be reverted.");
        const later = world.changes.filter(
          (change) =>
            change.seq > seq && change.kind === found.kind && change.subject === found.subject,
        ).length;
        return ok({
          sentence: `Change ${seq} is reverted (${found.sentence})`,
          before: found.after,
          after: found.before,
          later,
          month: found.kind === "route" || found.kind === "price" ? monthImpact() : null,
        });
      }),
    changesCount: (filter) =>
      answer(() => ok(world.changes.filter((change) => passes(change, filter)).length)),
    changesExport: (filter, format) =>
      answer(() =>
        ok({
          path: `/home/ines/Downloads/signalbox-history.${format}`,
          rows: String(world.changes.filter((change) => passes(change, filter)).length),
        }),
      ),
    stateAt: (at) => answer(() => ok(stateAt(world, at))),
  };
}

function passes(change: Change, filter: ChangeFilter): boolean {
  const at = Date.parse(change.at);
  const text = filter.text?.toLowerCase() ?? "";
  const words = `${change.sentence}\n${change.subject}\n${change.reason ?? ""}`.toLowerCase();
  return (
    (!filter.kind || change.kind === filter.kind) &&
    (!filter.subject || change.subject === filter.subject) &&
    (!filter.actor || change.actor === filter.actor) &&
    (!filter.from || at >= Date.parse(filter.from)) &&
    (!filter.to || at < Date.parse(filter.to)) &&
    words.includes(text)
  );
}

/** Each thing as the newest entry until then left it. */
function stateAt(world: World, at: string) {
  const then = world.changes.filter(({ at: when }) => Date.parse(when) <= Date.parse(at));
  const things = new Map<string, StateAt["things"][number]>();
  for (const { kind, subject: name, after, seq, at: since } of then.toReversed()) {
    const id = `${kind}/${name}`;
    if (after === null) things.delete(id);
    else things.set(id, { kind, name, state: after, seq, since });
  }
  return { at, things: [...things.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

/** Any passphrase of a good length is the right one here. */
function unseal(world: World, answer: Answer, passphrase: string) {
  return answer<null>(() => {
    if (passphrase.length < 12) {
      return failed("invalid", "The passphrase does not open the secrets.", "passphrase");
    }
    world.sealed = false;
    announce(world, ["status", "providers", "keys"]);
    return ok(null);
  });
}

function makeStatus(world: World) {
  const dayStart = new Date().setUTCHours(0, 0, 0, 0);
  const today = makeFigures(
    world.requests.filter((request) => Date.parse(request.row.started_at) >= dayStart),
  );
  return {
    gateway: world.sealed ? ("sealed" as const) : ("running" as const),
    base_url: "http://127.0.0.1:4180/v1",
    listen: "127.0.0.1:4180",
    problem: world.sealed ? "Secrets are sealed until their passphrase is given." : null,
    awaits_passphrase: world.sealed,
    stopped: stopOf(world),
    version: "0.1.0",
    data_dir: "/home/ines/.local/share/signalbox",
    database: "Local file",
    durability: "process",
    in_flight: world.requests.slice(0, 10).filter((request) => request.row.status === "in_flight")
      .length,
    spend_today: today.spend,
    requests_today: today.requests,
    approvals_pending: pendingCount(world),
    simulator: { on: true, base_url: "http://127.0.0.1:4181/v1" },
    budget: budgetGlance(world),
    first_run: {
      provider_connected: world.providers.some((found) => found.credential.state === "set"),
      key_created: world.keys.length > 0,
      first_request: world.requests.at(-1)?.row.id ?? null,
    },
    person: "local",
    role: "admin",
    four_eyes: false,
    history: chainReport(world),
    at: iso(Date.now()),
  };
}

/** A new request every few seconds, so that live views have something to show. */
function startTraffic(world: World): void {
  if (world.mode !== "normal" && world.mode !== "large") return;
  setInterval(() => addRequest(world), 2_500);
}

const trafficRandom = createRandom(7);

function addRequest(world: World, forced?: { operation: string; simulator: boolean }) {
  const now = Date.now();
  for (const running of world.requests.slice(0, 6)) {
    if (running.row.status === "in_flight")
      running.row = {
        ...running.row,
        status: "succeeded",
        latency_ms: 1240,
        cost: "812000",
        cost_status: "exact",
      };
  }
  const detail = makeRequest(trafficRandom, world.operations, world.providers, now, 0, now, forced);
  world.requests.unshift(detail);
  announce(world, ["requests"]);
  return detail;
}

function chainReport(world: World) {
  return {
    intact: true,
    entries: world.changes.length,
    first_bad: null,
    checked_at: iso(Date.now()),
  };
}

function matches(row: RequestRow, filter: RequestFilter): boolean {
  const at = Date.parse(row.started_at);
  return (
    (!filter.operation || row.operation === filter.operation) &&
    (!filter.provider || row.provider === filter.provider) &&
    (!filter.model || row.model === filter.model) &&
    (!filter.status || row.status === filter.status) &&
    (!filter.cost_status || row.cost_status === filter.cost_status) &&
    (!filter.user || row.user === filter.user) &&
    (filter.simulated === undefined ||
      filter.simulated === null ||
      row.simulated === filter.simulated) &&
    (!filter.cost_min || BigInt(row.cost ?? "0") >= BigInt(filter.cost_min)) &&
    (!filter.from || at >= Date.parse(filter.from)) &&
    (!filter.to || at < Date.parse(filter.to)) &&
    (!filter.id_prefix || row.id.startsWith(filter.id_prefix))
  );
}

function count(values: readonly (string | null)[]) {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .map(([value, found]) => ({ value, count: found }))
    .toSorted((a, b) => b.count - a.count);
}

function refused(problems: Problem[]): Failed {
  const message = problems.map((problem) => problem.message).join(" ");
  return { status: "error", error: { code: "invalid", message, details: problems } };
}

function later<T>(ms: number, make: () => T): Promise<T> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(make()), ms);
  });
}
