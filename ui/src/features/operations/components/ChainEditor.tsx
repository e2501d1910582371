import { Button } from "@mantine/core";
import { IconArrowDown, IconPlus } from "@tabler/icons-react";
import { useRef, useState } from "react";
import { flushSync } from "react-dom";
import type { DraftAction, DraftCard } from "../draft";
import type { TargetCatalogue } from "../targets";
import type { RouteEditor } from "../useRouteEditor";
import { useCardDrag } from "../useCardDrag";
import { spokenMove, targetName, tripSentence } from "../words";
import classes from "./ChainEditor.module.css";
import { TargetCard } from "./TargetCard";
import { TargetSelect } from "./TargetSelect";

type Props = { editor: RouteEditor; catalogue: TargetCatalogue };

/** The chain as numbered cards, ordered by dragging, by buttons or by Alt and the arrow keys. */
export function ChainEditor({ editor, catalogue }: Props) {
  const { cards } = editor.draft.present;
  const [spoken, setSpoken] = useState("");
  const [adding, setAdding] = useState(false);
  const addButton = useRef<HTMLButtonElement>(null);
  const names = cards.map(targetName);
  const problems = new Map(editor.problems.map((problem) => [problem.field, problem.message]));

  const move = (card: DraftCard, to: number) => {
    const place = Math.min(Math.max(to, 0), cards.length - 1);
    keepFocus(() => editor.edit({ type: "move", id: card.id, to: place }));
    setSpoken(spokenMove(card, place + 1, cards.length));
  };
  const remove = (card: DraftCard) => {
    flushSync(() => editor.edit({ type: "remove", id: card.id }));
    addButton.current?.focus();
    setSpoken(`${targetName(card)} removed`);
  };
  const stopAdding = (action?: DraftAction) => {
    flushSync(() => {
      setAdding(false);
      if (action) editor.edit(action);
    });
    addButton.current?.focus();
  };
  const drag = useCardDrag((index, to) => {
    const card = cards[index];
    if (card) move(card, to);
  });

  return (
    <>
      {cards.length === 0 ? (
        <p className={classes.empty}>
          The chain is empty: nothing could answer. Add at least one target.
        </p>
      ) : (
        <ol className={classes.cards}>
          {cards.map((card, index) => (
            <li key={card.id} className={classes.item} {...drag.itemProps(index)}>
              <TargetCard
                card={card}
                place={index + 1}
                count={cards.length}
                ready={catalogue.ready(card)}
                share={catalogue.share(card)}
                handleProps={drag.handleProps(index)}
                onMove={(to) => move(card, to)}
                onToggle={() => editor.edit({ type: "toggleTarget", id: card.id })}
                onRemove={() => remove(card)}
              >
                <TargetSelect
                  catalogue={catalogue}
                  place={index + 1}
                  value={names[index] ?? null}
                  taken={new Set(names.filter((_, other) => other !== index))}
                  error={problems.get(`targets[${index}].model`)}
                  onChoose={(provider, model) =>
                    editor.edit({ type: "retarget", id: card.id, provider, model })
                  }
                />
              </TargetCard>
              <p className={classes.trip}>
                <IconArrowDown size={14} aria-hidden />
                {tripSentence(cards, index)}
              </p>
            </li>
          ))}
        </ol>
      )}
      {adding ? (
        <div className={classes.adding}>
          <TargetSelect
            catalogue={catalogue}
            place={cards.length + 1}
            value={null}
            taken={new Set(names)}
            onChoose={(provider, model) => stopAdding({ type: "add", provider, model })}
            onCancel={() => stopAdding()}
            onLeave={() => setAdding(false)}
            unfolded
          />
        </div>
      ) : (
        <Button
          ref={addButton}
          variant="default"
          size="compact-sm"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => setAdding(true)}
          title="Add target (A)"
          data-testid="route-add-target"
        >
          Add target
        </Button>
      )}
      {problems.has("targets") ? (
        <p className={classes.problem} role="alert">
          {problems.get("targets")}
        </p>
      ) : null}
      <span className="visually-hidden" aria-live="polite" data-testid="route-spoken">
        {spoken}
      </span>
    </>
  );
}

/** A card that moves in the document loses the focus on the way; this gives it back. */
function keepFocus(change: () => void): void {
  const focused = document.activeElement;
  flushSync(change);
  if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected) {
    focused.focus();
  }
}
