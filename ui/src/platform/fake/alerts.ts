import type {
  Alert,
  AlertChannel,
  AlertChannelInput,
  AlertDelivery,
  AlertRule,
  AlertSeverity,
  ChannelSecretNeed,
  OpenAlerts,
} from "@/bindings";
import type { Commands } from "../types";
import { type Answer, type Failed, failed, type Ok, ok } from "./answer";
import type { FakeMode } from "./mode";
import { announce, iso, type World } from "./world";

type AlertCommands = Pick<
  Commands,
  | "alertsPage"
  | "alertsOpen"
  | "alertsAcknowledge"
  | "deliveriesPage"
  | "alertRulesList"
  | "alertRuleSet"
  | "channelsList"
  | "channelAdd"
  | "channelUpdate"
  | "channelRemove"
  | "channelPasteSecret"
  | "channelSetSecret"
  | "channelRenewSigningKey"
  | "channelTest"
>;

const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;

/** Kind, title, severity, window; as the backend has them. */
const KINDS: readonly [string, string, AlertSeverity, number][] = [
  ["budget_threshold", "Budget threshold passed", "warning", 31 * DAY_S],
  ["budget_exhausted", "Budget exhausted", "critical", 31 * DAY_S],
  ["overspend_forecast", "Budget will not last", "warning", DAY_S],
  ["anomaly", "Unusual spending", "warning", DAY_S],
  ["circuit_opened", "Circuit opened", "warning", HOUR_S],
  ["circuit_closed", "Circuit closed", "info", HOUR_S],
  ["failover_limit", "Failover limit reached", "warning", HOUR_S],
  ["credential_invalid", "Provider refuses its key", "critical", DAY_S],
  ["key_expiring", "API key expires soon", "warning", 31 * DAY_S],
  ["approval_waiting", "Approval waiting", "info", DAY_S],
  ["approval_expiring", "Approval expires soon", "warning", DAY_S],
  ["unpriced_usage", "Usage without a price", "warning", DAY_S],
  ["token_spike", "Token spike", "warning", HOUR_S],
  ["toggle_tampered", "Locked toggle was tampered with", "critical", HOUR_S],
  ["history_broken", "Change history is broken", "critical", DAY_S],
  ["disk_nearly_full", "Disk nearly full", "critical", DAY_S],
  ["kill_switch", "Kill switch", "critical", 60],
  ["overrun", "Cost passed its reservation", "warning", HOUR_S],
];

const ALWAYS_ON = new Set(["toggle_tampered", "history_broken"]);

type Told = [
  kind: string,
  subject: string,
  sentence: string,
  times: number,
  state: "open" | "seen" | "over",
];

const TOLD: readonly Told[] = [
  [
    "credential_invalid",
    "anthropic",
    "anthropic refuses its credential: give it a new one.",
    1,
    "open",
  ],
  [
    "circuit_opened",
    "openai/gpt-5-mini",
    "openai/gpt-5-mini is left alone for now: too many calls failed.",
    3,
    "open",
  ],
  [
    "unpriced_usage",
    "deepseek/deepseek-chat",
    "deepseek/deepseek-chat answered without a price: what it costs is not known.",
    214,
    "open",
  ],
  [
    "key_expiring",
    "key_01j9x00000000000000000002",
    "The key nightly-planner (…c07e, owner Grace) expires within a week, at 2026-11-25 12:00 UTC. Then its programs are refused.",
    1,
    "open",
  ],
  [
    "circuit_closed",
    "deepseek/deepseek-chat",
    "deepseek/deepseek-chat is called again: its probe was answered.",
    1,
    "seen",
  ],
  [
    "circuit_opened",
    "deepseek/deepseek-chat",
    "deepseek/deepseek-chat is left alone for now: too many calls failed.",
    7,
    "over",
  ],
  [
    "disk_nearly_full",
    "data directory",
    "The disk of the data directory has 812 MiB left.",
    1,
    "seen",
  ],
];

const ROUNDS: Record<FakeMode, number> = {
  sealed: 2,
  normal: 2,
  empty: 0,
  error: 0,
  loading: 0,
  large: 1_500,
};

/** Alerts, channels, rules and deliveries of the made-up backend. */
export function alertCommands(world: World, answer: Answer): AlertCommands {
  const now = Date.now();
  let channels = makeChannels(world.mode, now);
  const rules = KINDS.map(makeRule);
  const alerts = makeAlerts(world.mode, now);
  let deliveries = makeDeliveries(alerts, channels);
  const shown = (channel: AlertChannel): AlertChannel => ({
    ...withState(channel),
    last: deliveries.find((delivery) => delivery.channel_id === channel.id) ?? null,
  });
  const onChannel = <T>(id: string, make: (found: AlertChannel) => Ok<T> | Failed) =>
    answer(() => {
      const found = channels.find((channel) => channel.id === id);
      return found ? make(found) : failed("not_found", "There is no such channel.");
    });
  const setSecret = (found: AlertChannel, hint: string) => {
    const rotates = found.secret_need === "signing_key" && found.secret !== null;
    found.secret = {
      hint,
      set_at: iso(Date.now()),
      previous_until: rotates ? iso(Date.now() + DAY_S * 1_000) : null,
    };
    found.version += 1;
    announce(world, ["alerts", "changes"]);
    return ok(shown(found));
  };
  const taken = (input: AlertChannelInput, id: string | undefined) =>
    channels.some((channel) => channel.name === input.name && channel.id !== id)
      ? failed("already_exists", `There is a channel named \`${input.name}\` already.`)
      : undefined;

  return {
    alertsPage: (filter, cursor, limit) =>
      answer(() => {
        const all = alerts.filter(
          (alert) =>
            (!filter.kind || alert.kind === filter.kind) &&
            (!filter.severity || alert.severity === filter.severity) &&
            (!filter.open || isOpen(alert)),
        );
        return ok(pageOf(all, cursor, limit));
      }),
    alertsOpen: () => answer(() => ok(openOf(alerts))),
    alertsAcknowledge: (ids) =>
      answer(() => {
        for (const alert of alerts) {
          if ((ids === null || ids.includes(alert.id)) && alert.acknowledged_at === null) {
            alert.acknowledged_at = iso(Date.now());
            alert.acknowledged_by = "local";
          }
        }
        announce(world, ["alerts"]);
        return ok(openOf(alerts));
      }),
    deliveriesPage: (filter, cursor, limit) =>
      answer(() => {
        const all = deliveries.filter(
          (delivery) =>
            (!filter.channel || delivery.channel_id === filter.channel) &&
            (!filter.alert || delivery.alert_id === filter.alert) &&
            (!filter.state || delivery.state === filter.state),
        );
        return ok(pageOf(all, cursor, limit));
      }),
    alertRulesList: () => answer(() => ok(rules.map((rule) => ({ ...rule })))),
    alertRuleSet: (input) =>
      answer(() => {
        const found = rules.find((rule) => rule.kind === input.kind);
        if (!found) return failed("invalid", "There is no such kind of alert.", "kind");
        if (input.window_s < 60)
          return failed("invalid", "From 60 to 31622400 seconds.", "window_s");
        if (input.escalation && input.escalation.channels.length === 0)
          return failed("invalid", "Name a channel that is told then.", "escalation.channels");
        const { enabled, severity, channels: told, quiet, window_s, escalation } = input;
        Object.assign(found, { enabled, severity, quiet, window_s, escalation, channels: told });
        found.is_usual = false;
        announce(world, ["alerts", "changes"]);
        return ok({ ...found });
      }),
    channelsList: () => answer(() => ok(channels.map(shown))),
    channelAdd: (input) =>
      answer(() => {
        const fault = wrong(input) ?? taken(input, undefined);
        if (fault) return fault;
        const added = channelOf(`chn_${channels.length + 1}`, input, null);
        channels = [...channels, added];
        announce(world, ["alerts", "changes"]);
        return ok(shown(added));
      }),
    channelUpdate: ({ id, base_version, channel: input }) =>
      onChannel(id, (found) => {
        if (found.version !== base_version)
          return failed("conflict", "The channel was changed meanwhile.");
        const fault = wrong(input) ?? taken(input, id);
        if (fault) return fault;
        Object.assign(found, input, { version: found.version + 1 });
        announce(world, ["alerts", "changes"]);
        return ok(shown(found));
      }),
    channelRemove: (id) =>
      onChannel(id, () => {
        channels = channels.filter((channel) => channel.id !== id);
        announce(world, ["alerts", "changes"]);
        return ok(null);
      }),
    channelPasteSecret: (id) => onChannel(id, (found) => setSecret(found, "discord.com …k3Qa")),
    channelSetSecret: (id, secret) =>
      onChannel(id, (found) =>
        found.secret_need === "signing_key" && !secret.startsWith("whsec_")
          ? failed(
              "invalid",
              "A signing key is `whsec_` and 32 to 64 random bytes in base64.",
              "secret",
            )
          : setSecret(found, `…${secret.slice(-4)}`),
      ),
    channelRenewSigningKey: (id) =>
      onChannel(id, (found) => {
        setSecret(found, "whsec_…Zq7x");
        return ok({ channel: shown(found), copied: true, saved_to: null });
      }),
    channelTest: (id) =>
      onChannel(id, (found) => {
        const problem =
          found.means.kind === "slack" ? "The receiver answered 404: no_service." : null;
        const state = problem === null ? "sent" : "failed";
        const trial = deliveryOf(`t${deliveries.length}`, null, found, state, Date.now(), problem);
        deliveries = [{ ...trial, cause: "test" }, ...deliveries];
        announce(world, ["alerts"]);
        return ok({ sent: problem === null, problem });
      }),
  };
}

function wrong(input: AlertChannelInput): Failed | undefined {
  if (input.name === "") return failed("invalid", "One line of 1 to 80 characters.", "name");
  if (input.means.kind === "webhook" && !/^https:\/\/\S+$/.test(input.means.url) && !input.local) {
    return failed(
      "invalid",
      "Only https URLs are called, unless the place is marked as local.",
      "means.url",
    );
  }
  if (input.means.kind === "email" && input.means.to.length === 0) {
    return failed("invalid", "From 1 to 20 receivers.", "means.to");
  }
  return undefined;
}

function pageOf<Row extends { id: string }>(all: Row[], cursor: string | null, limit: number) {
  const start = cursor === null ? 0 : all.findIndex((row) => row.id === cursor) + 1;
  const rows = all.slice(start, start + limit).map((row) => ({ ...row }));
  return { rows, next: start + limit < all.length ? (rows.at(-1)?.id ?? null) : null };
}

function isOpen(alert: Alert): boolean {
  return alert.acknowledged_at === null && alert.resolved_at === null;
}

function openOf(alerts: readonly Alert[]): OpenAlerts {
  const count = (severity: AlertSeverity) =>
    alerts.filter((alert) => isOpen(alert) && alert.severity === severity).length;
  return { info: count("info"), warning: count("warning"), critical: count("critical") };
}

function makeRule([kind, title, severity, window_s]: (typeof KINDS)[number]): AlertRule {
  const rule: AlertRule = {
    kind,
    title,
    enabled: true,
    can_be_off: !ALWAYS_ON.has(kind),
    severity,
    usual_severity: severity,
    channels: null,
    quiet: null,
    window_s,
    usual_window_s: window_s,
    escalation: null,
    is_usual: true,
  };
  if (kind !== "circuit_opened") return rule;
  return {
    ...rule,
    quiet: { from: "22:00", until: "07:00", zone: "Europe/Berlin" },
    escalation: { after_min: 30, channels: ["chn_3"] },
    is_usual: false,
  };
}

function makeAlerts(mode: FakeMode, nowMs: number): Alert[] {
  const told = Array.from({ length: ROUNDS[mode] }, () => TOLD).flat();
  return told.map(([kind, subject, sentence, times, state], index) => {
    const known = KINDS.find(([word]) => word === kind);
    const first = nowMs - index * 5_400_000 - 180_000;
    return {
      id: `alr_${String(told.length - index).padStart(6, "0")}`,
      kind,
      title: known?.[1] ?? kind,
      severity: known?.[2] ?? "info",
      subject,
      sentence,
      first_at: iso(first),
      last_at: iso(first + (times - 1) * 600),
      times,
      acknowledged_at: state === "seen" ? iso(first + 900_000) : null,
      acknowledged_by: state === "seen" ? "local" : null,
      resolved_at: state === "over" ? iso(first + 1_200_000) : null,
    };
  });
}

const NEEDS: Record<AlertChannelInput["means"]["kind"], ChannelSecretNeed> = {
  desktop: "none",
  discord: "url",
  slack: "url",
  webhook: "signing_key",
  email: "none",
};

function channelOf(id: string, input: AlertChannelInput, hint: string | null): AlertChannel {
  const { means } = input;
  const asksPassword = means.kind === "email" && means.username !== null;
  return {
    ...input,
    id,
    secret_need: asksPassword ? "password" : NEEDS[means.kind],
    secret:
      hint === null ? null : { hint, set_at: iso(Date.now() - 7_200_000), previous_until: null },
    ready: false,
    problem: null,
    version: 1,
    last: null,
  };
}

function withState(channel: AlertChannel): AlertChannel {
  const problem = !channel.enabled
    ? "Switched off."
    : channel.secret_need !== "none" && channel.secret === null
      ? "Its secret is not set yet."
      : null;
  return { ...channel, ready: problem === null, problem };
}

function makeChannels(mode: FakeMode, _nowMs: number): AlertChannel[] {
  const common = { enabled: true, least: "warning" as const, local: false };
  const desktop = channelOf(
    "chn_1",
    {
      ...common,
      name: "Desktop notifications",
      local: true,
      means: { kind: "desktop", shows_text: false },
    },
    null,
  );
  if (mode === "empty") return [desktop];
  const some = [
    desktop,
    channelOf("chn_2", { ...common, name: "ops", means: { kind: "discord" } }, "discord.com …k3Qa"),
    channelOf(
      "chn_3",
      {
        ...common,
        name: "on call",
        least: "critical",
        means: {
          kind: "email",
          host: "smtp.example.com",
          port: 587,
          security: "start_tls",
          username: "desk",
          from: "Signalbox <desk@example.com>",
          to: ["ann@example.com", "ben@example.com"],
        },
      },
      "set",
    ),
    channelOf(
      "chn_4",
      {
        ...common,
        name: "incident desk",
        means: { kind: "webhook", url: "https://desk.example.com/hooks/signalbox" },
      },
      null,
    ),
    channelOf(
      "chn_5",
      { ...common, name: "old team chat", least: "info", means: { kind: "slack" } },
      "hooks.slack.com …9fUe",
    ),
  ];
  if (mode !== "large") return some;
  const many = Array.from({ length: 40 }, (_, index) =>
    channelOf(
      `chn_${index + 6}`,
      { ...common, name: `team ${index + 1}`, means: { kind: "discord" } },
      "discord.com …k3Qa",
    ),
  );
  return [...some, ...many];
}

function makeDeliveries(alerts: readonly Alert[], channels: readonly AlertChannel[]) {
  return alerts.flatMap((alert, index) => {
    const at = Date.parse(alert.first_at);
    const [, discord, mail, , slack] = channels;
    if (!discord || !mail || !slack || alert.severity === "info") return [];
    const rows = [
      deliveryOf(`${index}a`, alert, discord, "sent", at, null),
      index === 0
        ? {
            ...deliveryOf(
              `${index}b`,
              alert,
              mail,
              "waiting",
              at,
              "the mail server: transient error (450): come back later",
            ),
            tries: 2,
            due_at: iso(at + 600_000),
          }
        : deliveryOf(`${index}b`, alert, mail, "sent", at, null),
      deliveryOf(`${index}c`, alert, slack, "failed", at, "the receiver answered 404: no_service"),
    ];
    return rows;
  });
}

function deliveryOf(
  id: string,
  alert: Alert | null,
  channel: AlertChannel,
  state: AlertDelivery["state"],
  atMs: number,
  error: string | null,
): AlertDelivery {
  return {
    id: `dlv_${id}`,
    alert_id: alert?.id ?? null,
    channel_id: channel.id,
    channel: channel.name,
    means: channel.means.kind,
    cause: "raised",
    state,
    tries: 1,
    created_at: iso(atMs),
    due_at: iso(atMs),
    ended_at: state === "waiting" ? null : iso(atMs + 420),
    error,
  };
}
