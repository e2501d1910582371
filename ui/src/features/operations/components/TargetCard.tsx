import { ActionIcon, Switch, Tooltip } from "@mantine/core";
import {
  IconBan,
  IconChevronDown,
  IconChevronUp,
  IconGripVertical,
  IconPlugConnectedX,
  IconTrash,
} from "@tabler/icons-react";
import type { KeyboardEvent, PointerEventHandler, ReactNode } from "react";
import type { Readiness } from "@/bindings";
import { StatusBadge } from "@/components/StatusBadge";
import type { DraftCard } from "../draft";
import { shareText, targetName } from "../words";
import classes from "./TargetCard.module.css";

type Props = {
  card: DraftCard;
  /** 1 is tried first. */
  place: number;
  count: number;
  ready: Readiness;
  share: number | null;
  handleProps: Record<
    "onPointerDown" | "onPointerMove" | "onPointerUp" | "onPointerCancel",
    PointerEventHandler<HTMLElement>
  >;
  /** To an index, counted from 0; beyond the ends means the ends. */
  onMove: (to: number) => void;
  onToggle: () => void;
  onRemove: () => void;
  /** The dropdown. */
  children: ReactNode;
};

/** One target of the chain. */
export function TargetCard(props: Props) {
  const { card, place, count, ready, share, handleProps, onMove, onToggle, onRemove } = props;
  const name = targetName(card);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    // Before the dropdown sees it: to that, an arrow means to unfold.
    event.preventDefault();
    event.stopPropagation();
    onMove(event.key === "ArrowUp" ? place - 2 : place);
  };
  return (
    <div
      role="group"
      aria-label={`${name}, ${place} of ${count}`}
      className={classes.card}
      data-off={!card.enabled}
      onKeyDownCapture={onKeyDown}
      data-testid={`route-card-${place}`}
    >
      <Tooltip label="Drag, or press Alt and ↑ or ↓">
        <button
          type="button"
          className={classes.handle}
          aria-label={`Move ${name}: drag, or Alt and the arrow keys`}
          {...handleProps}
        >
          <IconGripVertical size={14} aria-hidden />
          <span aria-hidden>{place}</span>
        </button>
      </Tooltip>
      <div className={classes.main}>{props.children}</div>
      <div className={classes.buttons}>
        <Tooltip label={card.enabled ? "Used in this chain" : "Skipped in this chain"}>
          <Switch
            size="xs"
            checked={card.enabled}
            onChange={onToggle}
            aria-label={`Use ${name}`}
            data-testid={`route-target-enabled-${place}`}
          />
        </Tooltip>
        <CardButton label={`Move ${name} up`} idle={place === 1} run={() => onMove(place - 2)}>
          <IconChevronUp size={16} aria-hidden />
        </CardButton>
        <CardButton label={`Move ${name} down`} idle={place === count} run={() => onMove(place)}>
          <IconChevronDown size={16} aria-hidden />
        </CardButton>
        <CardButton label={`Remove ${name}`} run={onRemove}>
          <IconTrash size={16} aria-hidden />
        </CardButton>
      </div>
      <p className={classes.facts}>
        <State card={card} ready={ready} />
        <span className="muted tabular">{shareText(share)}</span>
      </p>
      {share ? <span className={classes.share} style={{ width: `${share * 100}%` }} /> : null}
    </div>
  );
}

function State({ card, ready }: { card: DraftCard; ready: Readiness }) {
  if (!card.enabled) {
    return (
      <StatusBadge tone="neutral" icon={IconBan}>
        Skipped: switched off in this route
      </StatusBadge>
    );
  }
  if (ready.ready) return <StatusBadge tone="ok">Ready</StatusBadge>;
  return (
    <StatusBadge tone="warn" icon={IconPlugConnectedX}>
      Skipped: {ready.text}
    </StatusBadge>
  );
}

type CardButtonProps = { label: string; idle?: boolean; run: () => void; children: ReactNode };

/** Stays focusable where it has nothing to do, so that the focus does not fall out of the card at the ends. */
function CardButton({ label, idle = false, run, children }: CardButtonProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        size={24}
        aria-label={label}
        aria-disabled={idle}
        data-disabled={idle || undefined}
        onClick={() => {
          if (!idle) run();
        }}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
