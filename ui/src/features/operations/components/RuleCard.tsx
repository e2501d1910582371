import { SegmentedControl, TextInput, Tooltip, UnstyledButton } from "@mantine/core";
import {
  IconCheck,
  IconChevronDown,
  IconChevronUp,
  IconGripVertical,
  IconLinkOff,
  IconPlus,
  IconTrash,
} from "@tabler/icons-react";
import type { KeyboardEvent, PointerEventHandler } from "react";
import type { RouteRule } from "@/bindings";
import type { DraftRule } from "../draft";
import { ruleSentence } from "../words";
import { CardButton } from "./CardButton";
import { ConditionField } from "./ConditionField";
import classes from "./RuleList.module.css";
import cardClasses from "./TargetCard.module.css";

type Props = {
  rule: DraftRule;
  /** 1 is looked at first. */
  place: number;
  count: number;
  /** The targets it can name. */
  chain: readonly string[];
  problemAt: (part: string) => string | undefined;
  handleProps: Record<
    "onPointerDown" | "onPointerMove" | "onPointerUp" | "onPointerCancel",
    PointerEventHandler<HTMLElement>
  >;
  onChange: (change: Partial<RouteRule>) => void;
  onMove: (to: number) => void;
  onRemove: () => void;
};

const EFFECTS = [
  { value: "prefer", label: "Try first" },
  { value: "only", label: "Only these" },
];

/** One rule: its name, when it holds, and what it does to which targets. */
export function RuleCard(props: Props) {
  const { rule, place, count, chain, problemAt, handleProps, onChange, onMove, onRemove } = props;
  const name = rule.name || `Rule ${place}`;
  const onKeyDown = (event: KeyboardEvent) => {
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    event.stopPropagation();
    onMove(event.key === "ArrowUp" ? place - 2 : place);
  };
  const toggle = (target: string) =>
    onChange({
      targets: rule.targets.includes(target)
        ? rule.targets.filter((named) => named !== target)
        : // In the order of the chain, as they are tried.
          [...chain, ...rule.targets].filter(
            (named, index, all) =>
              all.indexOf(named) === index && (named === target || rule.targets.includes(named)),
          ),
    });
  return (
    <div
      role="group"
      aria-label={`Rule ${name}, ${place} of ${count}`}
      className={classes.card}
      onKeyDownCapture={onKeyDown}
      data-testid={`rule-card-${place}`}
    >
      <div className={classes.head}>
        <Tooltip label="Drag, or press Alt and ↑ or ↓">
          <button
            type="button"
            className={cardClasses.handle}
            aria-label={`Move the rule ${name}: drag, or Alt and the arrow keys`}
            {...handleProps}
          >
            <IconGripVertical size={14} aria-hidden />
            <span aria-hidden>{place}</span>
          </button>
        </Tooltip>
        <TextInput
          className={classes.name}
          size="xs"
          value={rule.name}
          onChange={(event) => onChange({ name: event.currentTarget.value })}
          placeholder="What it is for"
          aria-label={`Name of rule ${place}`}
          error={problemAt("name")}
          maxLength={80}
          data-testid={`rule-name-${place}`}
        />
        <div className={classes.buttons}>
          <CardButton
            label={`Move the rule ${name} up`}
            idle={place === 1}
            run={() => onMove(place - 2)}
          >
            <IconChevronUp size={16} aria-hidden />
          </CardButton>
          <CardButton
            label={`Move the rule ${name} down`}
            idle={place === count}
            run={() => onMove(place)}
          >
            <IconChevronDown size={16} aria-hidden />
          </CardButton>
          <CardButton label={`Remove the rule ${name}`} run={onRemove}>
            <IconTrash size={16} aria-hidden />
          </CardButton>
        </div>
      </div>
      <ConditionField
        label={`Condition of rule ${name}`}
        value={rule.when}
        onChange={(when) => onChange({ when })}
        error={problemAt("when")}
        data-testid={`rule-when-${place}`}
      />
      <div className={classes.effect}>
        <SegmentedControl
          size="xs"
          data={EFFECTS}
          value={rule.effect}
          onChange={(effect) => onChange({ effect })}
          aria-label={`What rule ${name} does to its targets`}
          data-testid={`rule-effect-${place}`}
        />
        <div
          className={classes.targets}
          role="group"
          aria-label={`Targets of rule ${name}`}
          // Where the focus goes when the choice is at fault.
          tabIndex={-1}
          data-testid={`rule-targets-${place}`}
        >
          {chain.map((target) => (
            <Chip
              key={target}
              target={target}
              active={rule.targets.includes(target)}
              run={() => toggle(target)}
            />
          ))}
          {rule.targets
            .filter((target) => !chain.includes(target))
            .map((target) => (
              <Chip key={target} target={target} active lost run={() => toggle(target)} />
            ))}
        </div>
      </div>
      {problemAt("targets") === undefined ? (
        <p className={classes.says}>{ruleSentence(rule)}</p>
      ) : (
        <p className={classes.problem} role="alert">
          {problemAt("targets")}
        </p>
      )}
    </div>
  );
}

type ChipProps = { target: string; active: boolean; lost?: boolean; run: () => void };

/** A target of the chain, in the rule or not; or one that is no longer in the chain. */
function Chip({ target, active, lost = false, run }: ChipProps) {
  const Icon = lost ? IconLinkOff : active ? IconCheck : IconPlus;
  return (
    <UnstyledButton
      className={classes.target}
      data-active={active}
      data-lost={lost}
      aria-pressed={active}
      title={lost ? `${target} is not in the chain any more: take it out` : target}
      onClick={run}
    >
      <Icon size={14} aria-hidden />
      <span className="ellipsis">{target}</span>
    </UnstyledButton>
  );
}
