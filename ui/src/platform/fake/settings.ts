import type { Setting } from "@/bindings";
import type { Commands } from "../types";
import { type Answer, addChange, failed, made, ok } from "./answer";
import { announce, type World } from "./world";

const SETTINGS: readonly Setting[] = [
  number(
    "breaker_failures",
    "Failures within the window that open a target's circuit.",
    "3",
    "failures",
    [1, 100],
  ),
  number(
    "breaker_window_s",
    "Length of the window in which failures are counted.",
    "300",
    "seconds",
    [10, 3_600],
  ),
  number(
    "breaker_open_s",
    "How long a circuit stays open before one call probes whether the target is back.",
    "300",
    "seconds",
    [5, 3_600],
  ),
  choice(
    "unpriced_policy",
    "What becomes of a request whose target has no price: served and reported, reserved at its provider's dearest price, or not sent there.",
    "allow",
    ["allow", "family_maximum", "block"],
  ),
  number(
    "max_requests",
    "Requests that may run at once; more are asked to come back.",
    "2048",
    "requests",
    [1, 100_000],
  ),
  number(
    "stream_first_byte_ms",
    "How long a stream may take to begin before the next target is tried.",
    "30000",
    "ms",
    [100, 600_000],
  ),
  number(
    "stream_idle_ms",
    "How long a stream may be silent between two pieces before it counts as broken.",
    "120000",
    "ms",
    [100, 600_000],
  ),
  number(
    "complete_answer_ms",
    "How long a complete answer may take before the next target is tried.",
    "300000",
    "ms",
    [100, 3_600_000],
  ),
];

function number(
  name: string,
  text: string,
  usual: string,
  unit: string,
  [least, most]: [number, number],
): Setting {
  return { name, text, value: usual, usual, unit, least, most, choices: [] };
}

function choice(name: string, text: string, usual: string, choices: string[]): Setting {
  return { name, text, value: usual, usual, unit: null, least: null, most: null, choices };
}

export function settingCommands(
  world: World,
  answer: Answer,
): Pick<Commands, "settingsList" | "settingSet"> {
  const settings = SETTINGS.map((setting) => ({ ...setting }));
  return {
    settingsList: () => answer(() => ok(settings.map((setting) => ({ ...setting })))),
    settingSet: ({ name, value, reason }) =>
      answer(() => {
        const found = settings.find((setting) => setting.name === name);
        if (!found) return failed("not_found", `There is no setting ${name}.`);
        const fault = faultOf(found, value);
        if (fault) return failed("invalid", fault, "value");
        const before = found.value;
        if (before === value) return made({ ...found });
        found.value = value;
        addChange(world, {
          kind: "setting",
          subject: name,
          sentence: `${name} is ${value} instead of ${before}`,
          before: JSON.stringify(before),
          after: JSON.stringify(value),
          reason,
          revertible: true,
        });
        announce(world, ["changes", "status"]);
        return made({ ...found });
      }),
  };
}

function faultOf({ choices, least, most, unit }: Setting, value: string): string | undefined {
  if (choices.length > 0)
    return choices.includes(value) ? undefined : `One of ${choices.join(", ")}.`;
  const fits =
    /^\d+$/.test(value) && Number(value) >= (least ?? 0) && Number(value) <= (most ?? Infinity);
  return fits ? undefined : `A whole number from ${least} to ${most} (${unit}).`;
}
