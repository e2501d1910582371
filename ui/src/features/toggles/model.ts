import { IconLock, IconShieldHalf, IconToggleRight } from "@tabler/icons-react";
import type { Toggle, ToggleBand } from "@/bindings";

const LABELS: Readonly<Record<string, string>> = {
  advisor_can_change_routes: "The advisor changes routes",
  advisor_can_approve_costs: "Programs approve money",
  log_payloads: "Keep prompts and answers",
};

/** What a toggle is about; one that this window does not know yet is shown as it is written. */
export function labelOf(name: string): string {
  return LABELS[name] ?? name;
}

const CONSEQUENCES: Readonly<Record<string, string>> = {
  log_payloads:
    "Prompts and answers are kept in the database from then on, where whoever can open it can read them. What has been kept stays there when it is switched off.",
};

/** What follows from switching it on, beyond its own sentence. */
export function consequenceOf(name: string): string | undefined {
  return CONSEQUENCES[name];
}

export type Band = {
  band: ToggleBand;
  title: string;
  note: string;
  icon: typeof IconLock;
};

export const BANDS: readonly Band[] = [
  {
    band: "locked",
    title: "Locked",
    note: "Locked in the build. No role, API or import can change this.",
    icon: IconLock,
  },
  {
    band: "safety",
    title: "Safety",
    note: "These touch privacy or safety, so switching one on asks first.",
    icon: IconShieldHalf,
  },
  {
    band: "feature",
    title: "Features",
    note: "These take effect at once.",
    icon: IconToggleRight,
  },
];

/** The bands that have a toggle, each with its own. */
export function banded(toggles: readonly Toggle[]): { band: Band; toggles: Toggle[] }[] {
  return BANDS.map((band) => ({
    band,
    toggles: toggles.filter((toggle) => toggle.band === band.band),
  })).filter(({ toggles }) => toggles.length > 0);
}
