import {
  IconBrandDiscord,
  IconBrandSlack,
  IconDeviceDesktop,
  IconMail,
  IconWebhook,
} from "@tabler/icons-react";
import type {
  AlertChannel,
  AlertChannelInput,
  AlertRule,
  AlertRuleInput,
  AlertSeverity,
  ChannelMeans,
  MailSecurity,
} from "@/bindings";

export type MeansKind = ChannelMeans["kind"];

export const MEANS: Record<MeansKind, { word: string; icon: typeof IconMail; about: string }> = {
  desktop: {
    word: "Desktop",
    icon: IconDeviceDesktop,
    about: "Notifications of this computer, while Signalbox runs.",
  },
  discord: {
    word: "Discord",
    icon: IconBrandDiscord,
    about: "A webhook of a Discord channel. Its URL is the secret.",
  },
  slack: {
    word: "Slack",
    icon: IconBrandSlack,
    about: "An incoming webhook of Slack, Mattermost or the like. Its URL is the secret.",
  },
  webhook: {
    word: "Webhook",
    icon: IconWebhook,
    about: "Signed JSON for any program, in the shape of Standard Webhooks.",
  },
  email: { word: "E-mail", icon: IconMail, about: "Plain mail by SMTP." },
};

/** What can be added; the desktop's channel is always there. */
export const ADDABLE: readonly MeansKind[] = ["discord", "slack", "webhook", "email"];

export const SEVERITY_CHOICES: { value: AlertSeverity; label: string }[] = [
  { value: "info", label: "Info" },
  { value: "warning", label: "Warning" },
  { value: "critical", label: "Critical" },
];

export function severityWord(severity: AlertSeverity): string {
  return SEVERITY_CHOICES.find(({ value }) => value === severity)?.label ?? severity;
}

export const SECURITY_CHOICES: { value: MailSecurity; label: string }[] = [
  { value: "start_tls", label: "STARTTLS (port 587)" },
  { value: "tls", label: "TLS from the first byte (port 465)" },
  { value: "none", label: "None, local servers only" },
];

/** Where a channel leads, in words, without its secret. */
export function placeWords(channel: AlertChannel): string {
  const { means } = channel;
  switch (means.kind) {
    case "desktop":
      return means.shows_text ? "With the sentence" : "Without the sentence";
    case "webhook":
      return means.url;
    case "email":
      return `${means.to.join(", ")} by ${means.host}`;
    case "discord":
    case "slack":
      return channel.secret?.hint ?? "No URL yet";
  }
}

/** A channel as the fields of its form. */
export type ChannelFields = {
  kind: MeansKind;
  name: string;
  enabled: boolean;
  least: AlertSeverity;
  local: boolean;
  shows_text: boolean;
  url: string;
  host: string;
  port: string;
  security: MailSecurity;
  username: string;
  from: string;
  to: string;
};

export const NEW_CHANNEL: ChannelFields = {
  kind: "discord",
  name: "",
  enabled: true,
  least: "warning",
  local: false,
  shows_text: false,
  url: "",
  host: "",
  port: "587",
  security: "start_tls",
  username: "",
  from: "",
  to: "",
};

export function fieldsOf(channel: AlertChannel): ChannelFields {
  const { name, enabled, least, local, means } = channel;
  const common = { ...NEW_CHANNEL, kind: means.kind, name, enabled, least, local };
  switch (means.kind) {
    case "desktop":
      return { ...common, shows_text: means.shows_text };
    case "webhook":
      return { ...common, url: means.url };
    case "email":
      return {
        ...common,
        host: means.host,
        port: String(means.port),
        security: means.security,
        username: means.username ?? "",
        from: means.from,
        to: means.to.join(", "),
      };
    case "discord":
    case "slack":
      return common;
  }
}

export function inputOf(fields: ChannelFields): AlertChannelInput {
  const { name, enabled, least, local } = fields;
  return { name: name.trim(), enabled, least, local, means: meansOf(fields) };
}

function meansOf(fields: ChannelFields): ChannelMeans {
  switch (fields.kind) {
    case "desktop":
      return { kind: "desktop", shows_text: fields.shows_text };
    case "webhook":
      return { kind: "webhook", url: fields.url.trim() };
    case "email":
      return {
        kind: "email",
        host: fields.host.trim(),
        port: Number.parseInt(fields.port, 10) || 0,
        security: fields.security,
        username: fields.username.trim() === "" ? null : fields.username.trim(),
        from: fields.from.trim(),
        to: addresses(fields.to),
      };
    case "discord":
    case "slack":
      return { kind: fields.kind };
  }
}

export function addresses(text: string): string[] {
  return text
    .split(/[,;\n]/)
    .map((address) => address.trim())
    .filter((address) => address !== "");
}

/** The backend names fields of the means; the form has them flat. */
export function flatErrors(errors: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(errors).map(([field, message]) => [field.replace(/^means\./, ""), message]),
  );
}

/** A rule as the fields of its form. */
export type RuleFields = {
  enabled: boolean;
  severity: AlertSeverity;
  /** `all` channels that take the severity, or those named. */
  told: "all" | "named";
  channels: string[];
  quiet: boolean;
  from: string;
  until: string;
  zone: string;
  window: string;
  window_unit: WindowUnit;
  escalates: boolean;
  after_min: string;
  escalation_channels: string[];
  reason: string;
};

export type WindowUnit = "minutes" | "hours" | "days";

const UNIT_S: Record<WindowUnit, number> = { minutes: 60, hours: 3_600, days: 86_400 };

export function ruleFieldsOf(rule: AlertRule, zone: string): RuleFields {
  return {
    enabled: rule.enabled,
    severity: rule.severity,
    told: rule.channels === null ? "all" : "named",
    channels: rule.channels ?? [],
    quiet: rule.quiet !== null,
    from: rule.quiet?.from ?? "22:00",
    until: rule.quiet?.until ?? "07:00",
    zone: rule.quiet?.zone ?? zone,
    ...spanOf(rule.window_s),
    escalates: rule.escalation !== null,
    after_min: String(rule.escalation?.after_min ?? 30),
    escalation_channels: rule.escalation?.channels ?? [],
    reason: "",
  };
}

export function ruleInputOf(kind: string, fields: RuleFields): AlertRuleInput {
  const reason = fields.reason.trim();
  return {
    kind,
    enabled: fields.enabled,
    severity: fields.severity,
    channels: fields.told === "all" ? null : fields.channels,
    quiet: fields.quiet
      ? { from: fields.from, until: fields.until, zone: fields.zone.trim() }
      : null,
    window_s: Math.round((Number.parseFloat(fields.window) || 0) * UNIT_S[fields.window_unit]),
    escalation: fields.escalates
      ? {
          after_min: Number.parseInt(fields.after_min, 10) || 0,
          channels: fields.escalation_channels,
        }
      : null,
    reason: reason === "" ? null : reason,
  };
}

function spanOf(seconds: number): { window: string; window_unit: WindowUnit } {
  const unit: WindowUnit =
    seconds % UNIT_S.days === 0 ? "days" : seconds % UNIT_S.hours === 0 ? "hours" : "minutes";
  return { window: String(seconds / UNIT_S[unit]), window_unit: unit };
}

/** `1 day`, `2 hours`. */
export function spanWords(seconds: number): string {
  const { window, window_unit } = spanOf(seconds);
  return `${window} ${window === "1" ? window_unit.slice(0, -1) : window_unit}`;
}

/** Where alerts of a rule are told, by the names of channels. */
export function toldWords(rule: AlertRule, channels: readonly AlertChannel[]): string {
  if (!rule.enabled) return "Not told";
  const taking =
    rule.channels === null
      ? channels.filter((channel) => channel.ready && takes(channel, rule.severity))
      : channels.filter((channel) => rule.channels?.includes(channel.id));
  if (taking.length === 0) return "Inbox only";
  return taking.map(({ name }) => name).join(", ");
}

const RANK: Record<AlertSeverity, number> = { info: 0, warning: 1, critical: 2 };

function takes(channel: AlertChannel, severity: AlertSeverity): boolean {
  return RANK[channel.least] <= RANK[severity];
}
