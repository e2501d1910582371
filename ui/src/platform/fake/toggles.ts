import type { Toggle, TrafficStop } from "@/bindings";
import type { Commands } from "../types";
import { type Answer, addChange, failed, made, ok } from "./answer";
import { announce, iso, type World } from "./world";

const RELEASE_WORD = "RESUME";

/** Flips of the last thirty days, by how many days ago they were. */
function flipsOn(daysAgo: Readonly<Record<number, number>>): number[] {
  return Array.from({ length: 30 }, (_, index) => daysAgo[29 - index] ?? 0);
}

const LOCKED = {
  band: "locked" as const,
  enabled: false,
  usual: false,
  controlled_by: "admin" as const,
  per_operation: false,
  operations: [],
  changed_at: null,
  changed_by: null,
  note: null,
  flips: flipsOn({}),
};

const KEPT = "Prompts and answers are stored with their requests, on this machine's database.";
const NOT_KEPT = "Prompts and answers are not stored.";

function makeToggles(isNew: boolean): Toggle[] {
  return [
    {
      ...LOCKED,
      name: "advisor_can_change_routes",
      effect:
        "The advisor never switches models by itself: a person applies each change of a route.",
      otherwise: "The advisor switches models by itself.",
      lock: "Where requests go decides what they cost and who reads them. That is a person's decision.",
    },
    {
      ...LOCKED,
      name: "advisor_can_approve_costs",
      effect: "Nothing but a person approves money.",
      otherwise: "Programs approve money.",
      lock: "An approval that a program can give is none: whoever steers the program would hold the purse.",
    },
    {
      ...LOCKED,
      name: "log_payloads",
      band: "safety",
      effect: NOT_KEPT,
      otherwise: KEPT,
      lock: null,
      per_operation: true,
      ...(isNew
        ? {}
        : {
            changed_at: iso(Date.now() - 3 * 86_400_000),
            changed_by: "anna",
            note: "the bug is found",
            flips: flipsOn({ 3: 1, 4: 1, 12: 4, 21: 2 }),
          }),
    },
  ];
}

/** Who stopped the traffic of a made-up world. */
const stops = new WeakMap<World, TrafficStop>();

export function stopOf(world: World): TrafficStop | null {
  return stops.get(world) ?? null;
}

export function toggleCommands(
  world: World,
  answer: Answer,
): Pick<Commands, "togglesList" | "toggleSet" | "killSwitchEngage" | "killSwitchRelease"> {
  const toggles = makeToggles(world.mode === "empty");
  const inFlight = () =>
    world.requests.slice(0, 10).filter(({ row }) => row.status === "in_flight").length;
  const state = () =>
    ok({ stopped: stopOf(world), in_flight: inFlight(), release_word: RELEASE_WORD });
  const tell = (kind: "toggle" | "kill_switch", subject: string, sentence: string) => {
    const revertible = kind === "toggle";
    addChange(world, {
      kind,
      subject,
      sentence,
      before: null,
      after: null,
      reason: null,
      revertible,
    });
    announce(world, ["toggles", "status", "changes"]);
  };
  return {
    togglesList: () => answer(() => ok(toggles.map((toggle) => ({ ...toggle })))),
    toggleSet: ({ name, operation, enabled, reason }) =>
      answer(() => {
        const found = toggles.find((toggle) => toggle.name === name);
        if (!found) return failed("not_found", `There is no toggle \`${name}\`.`);
        if (found.lock !== null) return failed("refused", `\`${name}\` is locked in the build.`);
        const by = { changed_at: iso(Date.now()), changed_by: "local" };
        if (operation !== null) {
          found.operations = found.operations.filter((own) => own.operation !== operation);
          if (enabled !== null)
            found.operations = [...found.operations, { operation, enabled, ...by }];
        } else {
          found.enabled = enabled ?? found.usual;
          [found.effect, found.otherwise] = found.enabled ? [KEPT, NOT_KEPT] : [NOT_KEPT, KEPT];
          Object.assign(found, by, { note: reason });
        }
        found.flips = [...found.flips.slice(0, -1), (found.flips.at(-1) ?? 0) + 1];
        tell("toggle", name, `${name} is ${enabled === true ? "on" : "off"}`);
        return made({ ...found });
      }),
    killSwitchEngage: ({ reason }) =>
      answer(() => {
        if (!stops.has(world)) {
          stops.set(world, { at: iso(Date.now()), by: "local", source: "window", reason });
          tell("kill_switch", "kill_switch", "All AI traffic is stopped");
        }
        return state();
      }),
    killSwitchRelease: ({ typed }) =>
      answer(() => {
        if (typed.trim() !== RELEASE_WORD)
          return failed("invalid", "Type RESUME to let AI traffic run again.", "typed");
        stops.delete(world);
        tell("kill_switch", "kill_switch", "AI traffic runs again");
        return state();
      }),
  };
}
