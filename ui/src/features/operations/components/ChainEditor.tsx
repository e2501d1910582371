import { Button } from "@mantine/core";
import { IconArrowDown, IconPlus, IconScale } from "@tabler/icons-react";
import { useRef, useState } from "react";
import { flushSync } from "react-dom";
import type { DraftCard } from "../draft";
import { keepFocus } from "../keepFocus";
import { realShare, sumShares } from "../shares";
import type { TargetCatalogue } from "../targets";
import { useCardDrag } from "../useCardDrag";
import type { RouteEditor } from "../useRouteEditor";
import { spokenMove, targetName, tripSentence } from "../words";
import { CardSettingsRow } from "./CardSettingsRow";
import classes from "./ChainEditor.module.css";
import { EmptyChain } from "./EmptyChain";
import { TargetCard } from "./TargetCard";
import { TargetSelect } from "./TargetSelect";

type Props = { editor: RouteEditor; catalogue: TargetCatalogue };

/** Where a target is being added: at the end, or below a card and with its settings. */
type Adding = { like: DraftCard | undefined };

/** The chain as numbered cards, ordered by dragging, by buttons or by Alt and the arrow keys. */
export function ChainEditor({ editor, catalogue }: Props) {
  const { cards, strategy, allowed_providers: allowed } = editor.draft.present;
  const [spoken, setSpoken] = useState("");
  const [adding, setAdding] = useState<Adding>();
  const addButton = useRef<HTMLButtonElement>(null);
  const names = cards.map(targetName);
  const weighted = strategy === "weighted";

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
  const toggle = (card: DraftCard) => {
    editor.edit({ type: "toggleTarget", id: card.id });
    setSpoken(`${targetName(card)} ${card.enabled ? "switched off" : "switched on"}`);
  };
  const stopAdding = (target?: { provider: string; model: string }) => {
    const like = adding?.like?.id;
    flushSync(() => {
      setAdding(undefined);
      if (target) {
        editor.edit({ type: "add", ...target, ...(like === undefined ? {} : { like }) });
      }
    });
    addButton.current?.focus();
  };
  const drag = useCardDrag((index, to) => {
    const card = cards[index];
    if (card) move(card, to);
  });
  const newCard = (
    <div className={classes.adding}>
      <TargetSelect
        catalogue={catalogue}
        place={cards.length + 1}
        value={null}
        taken={new Set(names)}
        onChoose={(provider, model) => stopAdding({ provider, model })}
        onCancel={() => stopAdding()}
        onLeave={() => setAdding(undefined)}
        unfolded
      />
    </div>
  );

  return (
    <>
      {cards.length === 0 && !adding ? <EmptyChain editor={editor} catalogue={catalogue} /> : null}
      <ol className={classes.cards}>
        {cards.map((card, index) => (
          <li key={card.id} className={classes.item} {...drag.itemProps(index)}>
            <TargetCard
              card={card}
              place={index + 1}
              count={cards.length}
              ready={
                allowed.length === 0 || allowed.includes(card.provider)
                  ? catalogue.ready(card)
                  : NOT_ALLOWED
              }
              share={catalogue.share(card)}
              handleProps={drag.handleProps(index)}
              onMove={(to) => move(card, to)}
              onToggle={() => toggle(card)}
              onDuplicate={() => setAdding({ like: card })}
              onRemove={() => remove(card)}
              settings={
                <CardSettingsRow
                  card={card}
                  index={index}
                  weighted={weighted}
                  realShare={realShare(cards, card)}
                  problemAt={editor.problemAt}
                  onChange={(change) => editor.edit({ type: "setCard", id: card.id, change })}
                />
              }
            >
              <TargetSelect
                catalogue={catalogue}
                place={index + 1}
                value={names[index] ?? null}
                taken={new Set(names.filter((_, other) => other !== index))}
                error={editor.problemAt(`targets[${index}].model`)}
                onChoose={(provider, model) =>
                  editor.edit({ type: "retarget", id: card.id, provider, model })
                }
              />
            </TargetCard>
            <p className={classes.trip} data-testid={`route-trip-${index + 1}`}>
              <IconArrowDown size={14} aria-hidden />
              {tripSentence(cards, index, strategy)}
            </p>
            {adding?.like?.id === card.id ? newCard : null}
          </li>
        ))}
      </ol>
      {weighted && cards.length > 0 ? <Shares editor={editor} /> : null}
      {adding && !cards.some((card) => card.id === adding.like?.id) ? (
        newCard
      ) : (
        <Button
          ref={addButton}
          variant="default"
          size="compact-sm"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => setAdding({ like: undefined })}
          title="Add target (A)"
          data-testid="route-add-target"
        >
          Add target
        </Button>
      )}
      {editor.problemAt("targets") === undefined ? null : (
        <p className={classes.problem} role="alert">
          {editor.problemAt("targets")}
        </p>
      )}
      <span className="visually-hidden" aria-live="polite" data-testid="route-spoken">
        {spoken}
      </span>
    </>
  );
}

const NOT_ALLOWED = {
  ready: false,
  code: "not_allowed",
  text: "its provider is not among the allowed ones below",
};

/** What the shares add up to, and a way to make that 100. */
function Shares({ editor }: { editor: RouteEditor }) {
  const sum = sumShares(editor.draft.present.cards);
  return (
    <p className={classes.shares} data-off={sum !== 100}>
      <span role="status" data-testid="route-share-sum">
        Shares of the targets that are on: <strong>{sum}</strong>
        {sum === 100 ? " of 100" : sum === 0 ? "" : ", taken in proportion"}
      </span>
      <Button
        variant="default"
        size="compact-xs"
        leftSection={<IconScale size={14} aria-hidden />}
        disabled={sum === 100}
        onClick={() => editor.edit({ type: "evenShares" })}
        data-testid="route-balance-shares"
      >
        Balance shares
      </Button>
    </p>
  );
}
