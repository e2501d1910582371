import { IconKeyOff, IconPlugConnectedX, IconPower } from "@tabler/icons-react";
import type { ComponentProps } from "react";
import type { Provider } from "@/bindings";
import { StatusBadge } from "@/components/StatusBadge";
import { type ProviderState, providerState } from "../model";

type Look = Pick<ComponentProps<typeof StatusBadge>, "tone" | "icon"> & { word: string };

const LOOKS: Record<ProviderState, Look> = {
  ready: { tone: "ok", word: "Ready" },
  failed_check: { tone: "critical", word: "Check failed" },
  no_credential: { tone: "warn", word: "No credential", icon: IconKeyOff },
  not_ready: { tone: "neutral", word: "Not callable yet", icon: IconPlugConnectedX },
  off: { tone: "neutral", word: "Off", icon: IconPower },
};

/** Whether a provider can be called, the same on the card and in the detail. */
export function ProviderStateBadge({ provider, boxed }: { provider: Provider; boxed?: boolean }) {
  const { word, ...look } = LOOKS[providerState(provider)];
  return (
    <StatusBadge {...look} boxed={boxed ?? false} title={provider.ready.text}>
      {word}
    </StatusBadge>
  );
}
