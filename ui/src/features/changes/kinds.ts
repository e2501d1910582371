import {
  IconAdjustments,
  IconCpu,
  IconKey,
  IconLockPassword,
  IconPackage,
  IconPlugConnected,
  IconRoute,
} from "@tabler/icons-react";
import type { ComponentType } from "react";

type Icon = ComponentType<{ size?: number; stroke?: number; "aria-hidden"?: boolean }>;

/** The kinds of things that change, as the backend names them. */
const KINDS: Readonly<Record<string, { word: string; icon: Icon }>> = {
  route: { word: "Route", icon: IconRoute },
  provider: { word: "Provider", icon: IconPlugConnected },
  credential: { word: "Credential", icon: IconLockPassword },
  model: { word: "Model", icon: IconCpu },
  key: { word: "API key", icon: IconKey },
  setting: { word: "Setting", icon: IconAdjustments },
  install: { word: "Installation", icon: IconPackage },
};

export const KIND_OPTIONS = Object.entries(KINDS).map(([value, { word }]) => ({
  value,
  label: word,
}));

/** Word and icon of a kind; one this window does not know is shown by its name. */
export function kindOf(kind: string): { word: string; icon: Icon } {
  return KINDS[kind] ?? { word: kind, icon: IconAdjustments };
}

const SOURCES: Readonly<Record<string, string>> = {
  window: "in the window",
  cli: "on the command line",
  install: "by the installation",
};

/** By which way a change came, in words. */
export function sourceWords(source: string): string {
  return SOURCES[source] ?? `by ${source}`;
}
