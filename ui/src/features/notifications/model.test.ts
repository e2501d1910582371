import { expect, test } from "vitest";
import type { AlertChannel, AlertRule } from "@/bindings";
import {
  addresses,
  fieldsOf,
  inputOf,
  NEW_CHANNEL,
  ruleFieldsOf,
  ruleInputOf,
  spanWords,
  toldWords,
} from "./model";

const CHANNEL: AlertChannel = {
  id: "chn_1",
  name: "ops",
  enabled: true,
  least: "warning",
  local: false,
  means: {
    kind: "email",
    host: "smtp.example.com",
    port: 465,
    security: "tls",
    username: null,
    from: "desk@example.com",
    to: ["ann@example.com", "ben@example.com"],
  },
  secret_need: "none",
  secret: null,
  ready: true,
  problem: null,
  version: 1,
  last: null,
};

const RULE: AlertRule = {
  kind: "anomaly",
  title: "Unusual spending",
  enabled: true,
  can_be_off: true,
  severity: "warning",
  usual_severity: "warning",
  channels: null,
  quiet: { from: "22:00", until: "07:00", zone: "Europe/Berlin" },
  window_s: 5_400,
  usual_window_s: 86_400,
  escalation: { after_min: 15, channels: ["chn_1"] },
  is_usual: false,
};

test("a channel survives its form", () => {
  expect(inputOf(fieldsOf(CHANNEL)).means).toEqual(CHANNEL.means);
  expect(inputOf({ ...NEW_CHANNEL, name: " ops " })).toEqual({
    name: "ops",
    enabled: true,
    least: "warning",
    local: false,
    means: { kind: "discord" },
  });
  expect(addresses("a@b.c; d@e.f,\n")).toEqual(["a@b.c", "d@e.f"]);
});

test("a rule survives its form", () => {
  const input = ruleInputOf("anomaly", ruleFieldsOf(RULE, "UTC"));
  expect(input).toMatchObject({
    quiet: RULE.quiet,
    window_s: 5_400,
    escalation: RULE.escalation,
    channels: null,
  });
});

test("who is told is said by name, and nobody means the inbox alone", () => {
  const critical: AlertChannel = { ...CHANNEL, id: "chn_2", name: "pager", least: "critical" };
  expect(toldWords(RULE, [CHANNEL, critical])).toBe("ops");
  expect(toldWords({ ...RULE, severity: "critical" }, [CHANNEL, critical])).toBe("ops, pager");
  expect(toldWords({ ...RULE, channels: ["chn_2"] }, [CHANNEL, critical])).toBe("pager");
  expect(toldWords({ ...RULE, channels: [] }, [CHANNEL])).toBe("Inbox only");
  expect(toldWords({ ...RULE, enabled: false }, [CHANNEL])).toBe("Not told");
});

test("a span is said in its largest whole unit", () => {
  expect([60, 3_600, 5_400, 86_400, 2_678_400].map(spanWords)).toEqual([
    "1 minute",
    "1 hour",
    "90 minutes",
    "1 day",
    "31 days",
  ]);
});
