import type { ApiKey, KeyLimits, KeyScope } from "@/bindings";
import type { Commands } from "../types";
import { type Answer, type Failed, failed, ok } from "./answer";
import { budgetOfKey } from "./budgets";
import { announce, iso, key, type World } from "./world";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type KeyCommands = Pick<
  Commands,
  | "keysList"
  | "keyCreate"
  | "keySetLimits"
  | "keySetScope"
  | "keyRotate"
  | "keyEndOverlap"
  | "keyPasteOwnCredential"
  | "keySetOwnCredential"
  | "keyClearOwnCredential"
  | "keyRevoke"
>;

/** Making, changing and ending keys, as the backend does it. */
export function keyCommands(world: World, answer: Answer): KeyCommands {
  const change = (id: string, edit: (found: ApiKey) => Failed | undefined) =>
    answer(() => {
      const found = world.keys.find((candidate) => candidate.id === id);
      if (!found) return failed("not_found", "There is no such key.");
      if (found.revoked_at !== null) {
        return failed("refused", `The key \`${found.name}\` is revoked.`);
      }
      const fault = edit(found);
      if (fault) return fault;
      announce(world, ["keys", "changes"]);
      return ok({ ...found });
    });
  const bring = (id: string, provider: string, secret: string) =>
    change(id, (found) => {
      if (secret.length < 8) return failed("invalid", "This does not look like a key.", "secret");
      const others = found.own_credentials.filter((own) => own.provider !== provider);
      const hint = `…${secret.slice(-4)}`;
      found.own_credentials = [...others, { provider, hint, set_at: iso(Date.now()), ready: true }];
      return undefined;
    });
  return {
    keysList: () => answer(() => ok(world.keys.map((found) => ({ ...found })))),
    keyCreate: (input) =>
      answer(() => {
        const { name = "", scope = {}, limits = {}, budget_per_day: limit } = input;
        if (name.trim() === "") return failed("invalid", "The key needs a name.", "name");
        const fault = limitFault(limits) ?? scopeFault(scope);
        if (fault) return fault;
        const created = {
          ...key(String(world.keys.length + 1), name, "5e1b", [], Date.now(), null),
          limits: wholeLimits(limits),
        };
        give(created, scope);
        world.keys = [created, ...world.keys];
        if (limit) world.budgets = [...world.budgets, budgetOfKey(created, limit)];
        announce(world, ["keys", "budgets", "status", "changes"]);
        return ok({ key: created, copied: true, saved_to: null });
      }),
    keySetLimits: ({ id, limits }) =>
      change(id, (found) => {
        const fault = limitFault(limits);
        if (!fault) found.limits = wholeLimits(limits);
        return fault;
      }),
    keySetScope: ({ id, scope }) =>
      change(id, (found) => {
        const fault = scopeFault(scope);
        if (!fault) give(found, scope);
        return fault;
      }),
    keyRotate: async ({ id, overlap_hours: overlap }) => {
      const made = await change(id, (found) => {
        const until = iso(Date.now() + overlap * HOUR_MS);
        found.former = overlap === 0 ? null : { last4: found.last4, until };
        found.last4 = "6ac0";
        return undefined;
      });
      if (made.status === "error") return made;
      return ok({ key: made.data, copied: true, saved_to: null });
    },
    keyEndOverlap: (id) =>
      change(id, (found) => {
        found.former = null;
        return undefined;
      }),
    keyPasteOwnCredential: (id, provider) => bring(id, provider, "sk-fake-from-clipboard-91ab"),
    keySetOwnCredential: (id, provider, secret) => bring(id, provider, secret),
    keyClearOwnCredential: (id, provider) =>
      change(id, (found) => {
        found.own_credentials = found.own_credentials.filter((own) => own.provider !== provider);
        return undefined;
      }),
    keyRevoke: (id) =>
      change(id, (found) => {
        found.revoked_at = iso(Date.now());
        found.state = "revoked";
        found.idle = false;
        found.expires_soon = false;
        found.former = null;
        found.own_credentials = [];
        return undefined;
      }),
  };
}

function give(found: ApiKey, scope: KeyScope): void {
  found.owner = scope.owner?.trim() ? scope.owner.trim() : null;
  found.operations = scope.operations ?? [];
  found.targets = scope.targets ?? [];
  found.expires_at = scope.expires_at ?? null;
  const left = found.expires_at === null ? Infinity : Date.parse(found.expires_at) - Date.now();
  found.state = left > 0 ? "active" : "expired";
  found.expires_soon = left > 0 && left <= 7 * DAY_MS;
}

function scopeFault({ expires_at: end }: KeyScope): Failed | undefined {
  return end && Date.parse(end) <= Date.now()
    ? failed("invalid", "A key can only expire in the future; revoke it instead.", "expires_at")
    : undefined;
}

function wholeLimits(limits: KeyLimits): KeyLimits {
  const { requests_per_minute = null, concurrent = null, body_bytes = null } = limits;
  return { requests_per_minute, concurrent, body_bytes };
}

function limitFault(limits: KeyLimits): Failed | undefined {
  const zero = Object.entries(limits).find(([, limit]) => limit === 0);
  return (
    zero &&
    failed(
      "invalid",
      "A limit of 0 lets nothing through; revoke the key instead.",
      `limits.${zero[0]}`,
    )
  );
}
