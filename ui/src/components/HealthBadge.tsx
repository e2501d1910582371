import {
  IconBolt,
  IconClockPause,
  IconHandStop,
  IconHeartbeat,
  IconKeyOff,
  IconMoonStars,
  IconPower,
  IconStethoscope,
} from "@tabler/icons-react";
import type { ComponentProps } from "react";
import type { HealthState } from "@/bindings";
import { StatusBadge } from "./StatusBadge";

type Look = Pick<ComponentProps<typeof StatusBadge>, "tone" | "icon"> & { word: string };

const LOOKS: Record<HealthState, Look> = {
  healthy: { tone: "ok", word: "Healthy" },
  degraded: { tone: "warn", word: "Degraded", icon: IconHeartbeat },
  cooling_down: { tone: "warn", word: "Cooling down", icon: IconClockPause },
  open: { tone: "critical", word: "Open", icon: IconBolt },
  probing: { tone: "info", word: "Probing", icon: IconStethoscope },
  held: { tone: "warn", word: "Held", icon: IconHandStop },
  credential_bad: { tone: "critical", word: "Credential bad", icon: IconKeyOff },
  off: { tone: "neutral", word: "Off", icon: IconPower },
  idle: { tone: "neutral", word: "Idle", icon: IconMoonStars },
};

type Props = {
  state: HealthState;
  boxed?: boolean;
  /** The sentence behind the word. */
  title?: string;
};

/** How a provider or a target stands, the same on every screen. */
export function HealthBadge({ state, boxed = false, title }: Props) {
  const { word, ...look } = LOOKS[state];
  return (
    <StatusBadge {...look} boxed={boxed} title={title}>
      {word}
    </StatusBadge>
  );
}
