import { IconAlertTriangle, IconFlame, IconShieldCheck } from "@tabler/icons-react";
import { StatusBadge } from "@/components/StatusBadge";
import type { Risk, ApprovalState } from "@/bindings";
import { RISKS, STATES } from "../model";

const RISK_ICONS = { low: IconShieldCheck, medium: IconAlertTriangle, high: IconFlame };

/** How much harm it could do: icon, word and colour. */
export function RiskBadge({ risk, boxed = false }: { risk: Risk; boxed?: boolean }) {
  const { word, tone } = RISKS[risk];
  return (
    <StatusBadge tone={tone} icon={RISK_ICONS[risk]} boxed={boxed}>
      {word}
    </StatusBadge>
  );
}

/** What has become of it. */
export function StateBadge({ state, boxed = false }: { state: ApprovalState; boxed?: boolean }) {
  const { word, tone } = STATES[state];
  return (
    <StatusBadge tone={tone} boxed={boxed}>
      {word}
    </StatusBadge>
  );
}
