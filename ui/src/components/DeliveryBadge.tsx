import { IconClock } from "@tabler/icons-react";
import type { AlertDelivery, DeliveryState } from "@/bindings";
import { RelativeTime } from "./RelativeTime";
import { StatusBadge, type Tone } from "./StatusBadge";

const STATES: Record<DeliveryState, { tone: Tone; word: string }> = {
  waiting: { tone: "info", word: "Waiting" },
  sent: { tone: "ok", word: "Delivered" },
  failed: { tone: "critical", word: "Failed" },
  dropped: { tone: "neutral", word: "Not needed" },
};

/** How a delivery stands; what waits says until when. */
export function DeliveryBadge({ delivery }: { delivery: AlertDelivery }) {
  const { tone, word } = STATES[delivery.state];
  const tries = delivery.tries > 1 ? `, try ${delivery.tries}` : "";
  if (delivery.state === "waiting") {
    return (
      <StatusBadge tone={delivery.tries > 0 ? "warn" : tone} icon={IconClock}>
        {delivery.tries > 0 ? `Tried ${delivery.tries}×, next ` : "Due "}
        <RelativeTime value={delivery.due_at} format="clock" />
      </StatusBadge>
    );
  }
  return (
    <StatusBadge tone={tone}>
      {word}
      {tries}
    </StatusBadge>
  );
}
