import { Switch, Tooltip } from "@mantine/core";
import {
  IconBan,
  IconChevronDown,
  IconChevronUp,
  IconCopyPlus,
  IconGripVertical,
  IconPlugConnectedX,
  IconTrash,
} from "@tabler/icons-react";
import type { KeyboardEvent, PointerEventHandler, ReactNode } from "react";
import type { Readiness } from "@/bindings";
import { StatusBadge } from "@/components/StatusBadge";
import { preferences } from "@/lib/preferences";
import { isTyping } from "@/lib/shortcuts";
import type { DraftCard } from "../draft";
import { shareText, targetName } from "../words";
import { CardButton } from "./CardButton";
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
  onDuplicate: () => void;
  onRemove: () => void;
  /** What can be set on it. */
  settings: ReactNode;
  /** The dropdown. */
  children: ReactNode;
};

/** One target of the chain. */
export function TargetCard(props: Props) {
  const { card, place, count, ready, share, handleProps } = props;
  const { onMove, onToggle, onDuplicate, onRemove } = props;
  const name = targetName(card);
  // While the key comes down, before the dropdown sees it: to that, an arrow means to unfold.
  const onKeyDown = (event: KeyboardEvent) => {
    const run = event.altKey
      ? { ArrowUp: () => onMove(place - 2), ArrowDown: () => onMove(place) }[event.key]
      : isSingleKey(event)
        ? { d: onDuplicate, ".": onToggle }[event.key.toLowerCase()]
        : undefined;
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  };
  return (
    <div
      role="group"
      aria-label={`${name}, ${place} of ${count}`}
      className={classes.card}
      data-off={!card.enabled}
      style={{ backgroundSize: ghostSize(share ?? 0) }}
      onKeyDownCapture={onKeyDown}
      data-testid={`route-card-${place}`}
    >
      <Tooltip label="Drag, or press Alt and ↑ or ↓">
        <button
          type="button"
          className={classes.handle}
          aria-label={`Move ${name}, number ${place}: drag, or Alt and the arrow keys`}
          {...handleProps}
        >
          <IconGripVertical size={14} aria-hidden />
          <span aria-hidden>{place}</span>
        </button>
      </Tooltip>
      <div className={classes.main}>{props.children}</div>
      <div className={classes.buttons}>
        <Tooltip label={card.enabled ? "Used in this chain ( . )" : "Skipped in this chain ( . )"}>
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
        <CardButton label={`Duplicate ${name} (D)`} run={onDuplicate}>
          <IconCopyPlus size={16} aria-hidden />
        </CardButton>
        <CardButton label={`Remove ${name}`} run={onRemove}>
          <IconTrash size={16} aria-hidden />
        </CardButton>
      </div>
      <p className={classes.facts}>
        <State card={card} ready={ready} />
        <span className="muted tabular">{shareText(share)}</span>
      </p>
      {props.settings}
    </div>
  );
}

/** How far the ghost behind a card reaches: its lower edge, and its tint. */
function ghostSize(share: number): string {
  return `${share * 100}% 2px, ${share * 100}% 100%`;
}

/** Single keys belong to a text that is being written; a switch writes none. */
function isSingleKey(event: KeyboardEvent): boolean {
  const { target } = event;
  const isSwitch = target instanceof HTMLInputElement && target.type === "checkbox";
  return (
    preferences().singleKeyShortcuts &&
    !event.ctrlKey &&
    !event.metaKey &&
    (isSwitch || !isTyping(target))
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
