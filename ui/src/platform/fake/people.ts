import type { Person } from "@/bindings";
import type { Commands } from "../types";
import { type Answer, addChange, failed, made, ok } from "./answer";
import { announce, iso, type World } from "./world";

const MACHINE = "`local` is whoever sits at this machine, and stays its admin.";

export function peopleCommands(
  world: World,
  answer: Answer,
): Pick<Commands, "peopleList" | "personAdd" | "personUpdate"> {
  const since = iso(Date.now() - 40 * 86_400_000);
  const local = person("local", "admin", since, { is_you: true, fixed: MACHINE });
  const people =
    world.mode === "empty"
      ? [local]
      : [person("anna", "admin", since), person("ben", "viewer", since), local];
  const entry = (subject: string, sentence: string, reason: string | null) => {
    addChange(world, {
      kind: "person",
      subject,
      sentence,
      before: null,
      after: JSON.stringify({ name: subject }),
      reason,
      revertible: false,
    });
    announce(world, ["people", "changes"]);
  };
  return {
    peopleList: () => answer(() => ok(people.map((found) => ({ ...found })))),
    personAdd: ({ name, role, reason }) =>
      answer(() => {
        if (!/^[a-z0-9._@-]+$/.test(name))
          return failed("invalid", "Lower-case letters, digits and . - _ @.", "name");
        if (people.some((known) => known.name === name))
          return failed("already_exists", `Person \`${name}\` exists already.`);
        const added = person(name, role, iso(Date.now()));
        people.push(added);
        people.sort((a, b) => (a.name < b.name ? -1 : 1));
        entry(name, `${name} may come in as ${role}`, reason);
        return made({ ...added });
      }),
    personUpdate: ({ name, role, enabled, reason }) =>
      answer(() => {
        const found = people.find((known) => known.name === name);
        if (!found) return failed("not_found", `There is no person ${name}.`);
        if (found.fixed !== null) return failed("refused", found.fixed);
        found.role = role ?? found.role;
        found.enabled = enabled ?? found.enabled;
        entry(
          name,
          found.enabled ? `${name} is ${found.role}` : `${name} may no longer come in`,
          reason,
        );
        return made({ ...found });
      }),
  };
}

function person(name: string, role: string, created_at: string, more: Partial<Person> = {}) {
  return { name, role, enabled: true, created_at, is_you: false, fixed: null, ...more };
}
