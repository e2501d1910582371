import type { Setting } from "@/bindings";
import type { Commands } from "../types";
import { type Answer, addChange, failed, ok } from "./answer";
import { announce, type World } from "./world";

const SETTINGS: readonly Setting[] = [
  number("breaker_failures", "Failures that open a circuit.", "3", "failures", 1, 100),
  number("breaker_window_s", "Within how long they count.", "300", "seconds", 10, 3_600),
  number("breaker_open_s", "How long a circuit stays open.", "300", "seconds", 5, 3_600),
  number("max_requests", "Requests at once over all keys.", "1000", "requests", 1, 100_000),
  {
    ...number("unpriced", "What happens to requests whose cost is not known.", "allow", "", 0, 0),
    unit: null,
    least: null,
    most: null,
    choices: ["allow", "family_maximum", "block"],
  },
];

function number(
  name: string,
  text: string,
  usual: string,
  unit: string,
  least: number,
  most: number,
): Setting {
  return { name, text, value: usual, usual, unit, least, most, choices: [] };
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
        const before = found.value;
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
        return ok({ ...found });
      }),
  };
}
