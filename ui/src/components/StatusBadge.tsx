import {
  IconAlertTriangle,
  IconBan,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconInfoCircle,
  IconLoader2,
} from "@tabler/icons-react";
import type { ComponentType, ReactNode } from "react";
import type { RequestStatus } from "@/bindings";
import classes from "./StatusBadge.module.css";

export type Tone = "ok" | "warn" | "critical" | "info" | "neutral";

type Icon = ComponentType<{ size?: number; stroke?: number; "aria-hidden"?: boolean }>;

const TONE_ICONS: Record<Tone, Icon> = {
  ok: IconCircleCheck,
  warn: IconAlertTriangle,
  critical: IconCircleX,
  info: IconInfoCircle,
  neutral: IconCircleDashed,
};

type Props = {
  tone: Tone;
  children: ReactNode;
  icon?: Icon;
  /** With a tinted box around it; without, just icon and word. */
  boxed?: boolean;
  title?: string | undefined;
};

/** A state: always an icon, a word and a colour together. */
export function StatusBadge({ tone, children, icon, boxed = false, title }: Props) {
  const Glyph = icon ?? TONE_ICONS[tone];
  return (
    <span className={classes.badge} data-tone={tone} data-boxed={boxed} title={title}>
      <Glyph size={14} stroke={2} aria-hidden />
      <span>{children}</span>
    </span>
  );
}

const REQUEST_STATES: Record<RequestStatus, { tone: Tone; word: string; icon?: Icon }> = {
  in_flight: { tone: "info", word: "In flight", icon: IconLoader2 },
  succeeded: { tone: "ok", word: "Succeeded" },
  failed: { tone: "critical", word: "Failed" },
  cancelled: { tone: "neutral", word: "Cancelled", icon: IconBan },
  interrupted: { tone: "warn", word: "Interrupted" },
};

export function requestStatusWord(status: RequestStatus): string {
  return REQUEST_STATES[status].word;
}

/** The state of a request, the same on every screen. */
export function RequestStatusBadge({ status, boxed }: { status: RequestStatus; boxed?: boolean }) {
  const state = REQUEST_STATES[status];
  return (
    <StatusBadge
      tone={state.tone}
      {...(state.icon ? { icon: state.icon } : {})}
      boxed={boxed ?? false}
    >
      {state.word}
    </StatusBadge>
  );
}
