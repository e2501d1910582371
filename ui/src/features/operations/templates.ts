/** What an empty chain can begin with. */

import type { TargetOption } from "@/bindings";
import { targetName } from "./words";

type Target = { provider: string; model: string };

export type Template = {
  id: "single" | "fallback" | "cheapest";
  title: string;
  says: string;
  strategy: string;
  targets: readonly Target[];
};

/** How many targets "cheapest first" starts with. */
const CHEAPEST_TARGETS = 3;

/**
 * Three beginnings out of what can do the work: what is ready goes before what is not, real models before the simulator.
 * Without anything to choose from there are none.
 */
export function makeTemplates(options: readonly TargetOption[]): Template[] {
  const usable = bestOf(options);
  const [best] = usable.toSorted(byQuality);
  if (!best) return [];
  const other = usable.toSorted(byQuality).find((option) => option.provider !== best.provider);
  const cheap = usable.toSorted(byPrice).slice(0, CHEAPEST_TARGETS);
  const templates: Template[] = [
    {
      id: "single",
      title: "One model",
      says: "It answers everything. If it fails, the client gets the error.",
      strategy: "priority",
      targets: [pick(best)],
    },
  ];
  if (other) {
    templates.push({
      id: "fallback",
      title: "Primary + fallback",
      says: "A second provider takes over when the first fails.",
      strategy: "priority",
      targets: [pick(best), pick(other)],
    });
  }
  if (cheap.length > 1) {
    templates.push({
      id: "cheapest",
      title: "Cheapest first",
      says: "Each request goes where it costs least; the others stand by.",
      strategy: "cheapest",
      targets: cheap.map(pick),
    });
  }
  return templates;
}

/** Only the best class of options there is: ready and real, else ready, else all. */
function bestOf(options: readonly TargetOption[]): readonly TargetOption[] {
  const ready = options.filter((option) => option.ready.ready);
  const real = ready.filter((option) => !option.simulated);
  return [real, ready, options].find((found) => found.length > 0) ?? [];
}

function pick({ provider, model }: Target): Target {
  return { provider, model };
}

function byQuality(a: TargetOption, b: TargetOption): number {
  return (b.quality ?? -1) - (a.quality ?? -1) || byPrice(a, b);
}

/** What has no price comes last: it may cost anything. */
function byPrice(a: TargetOption, b: TargetOption): number {
  const [left, right] = [price(a), price(b)];
  if (left === right) return targetName(a).localeCompare(targetName(b));
  if (left === undefined) return 1;
  if (right === undefined) return -1;
  return left < right ? -1 : 1;
}

/** Three parts in to one part out, the usual shape of a chat. */
function price(option: TargetOption): bigint | undefined {
  const { input_per_mtok: input, output_per_mtok: output } = option;
  if (input === null && output === null) return undefined;
  return BigInt(input ?? "0") * 3n + BigInt(output ?? "0");
}
