import { Checkbox } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { PriceImportPreview } from "@/bindings";
import { FactSection } from "@/components/Facts";
import { Sheet } from "@/components/Sheet";
import classes from "../prices.module.css";
import { CardView, ChangeTable } from "./CardView";

type Props = {
  preview: PriceImportPreview;
  target: string;
  chosen: boolean;
  onToggle: () => void;
  onClose: () => void;
};

/** One price of a list in full: what moves, why to look twice, and the card that would hold. */
export function ImportRowSheet({ preview, target, chosen, onToggle, onClose }: Props) {
  const changed = preview.changed.find((row) => row.target === target);
  const added = preview.new.find((row) => row.target === target);
  const notes = changed?.notes ?? added?.notes ?? [];
  const cards = changed?.cards ?? added?.cards ?? [];
  return (
    <Sheet
      label={`Listed price of ${target}`}
      title={target}
      onClose={onClose}
      data-testid="import-detail"
    >
      <div className={classes.sections}>
        <Checkbox label="Take this price over" checked={chosen} onChange={onToggle} />
        {changed && changed.suspicious.length > 0 ? (
          <ul className={classes.warnings}>
            {changed.suspicious.map((reason) => (
              <li key={reason}>
                <IconAlertTriangle size={14} aria-hidden />
                {reason}
              </li>
            ))}
          </ul>
        ) : null}
        {changed ? (
          <FactSection title="What changes">
            <ChangeTable changes={changed.changes} />
            {changed.batch_percent_before === changed.batch_percent_after ? null : (
              <p className={classes.cardFoot}>
                A batch pays {changed.batch_percent_before} % → {changed.batch_percent_after} %.
              </p>
            )}
          </FactSection>
        ) : null}
        <FactSection title="What would hold">
          <ol className={classes.cards}>
            {cards.map((card, index) => (
              <CardView
                key={card.effective_from}
                card={card}
                proposed
                until={cards[index + 1]?.effective_from}
              />
            ))}
          </ol>
        </FactSection>
        {notes.length === 0 ? null : (
          <FactSection title="Notes of the list">
            <ul className={classes.notes}>
              {notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </FactSection>
        )}
      </div>
    </Sheet>
  );
}
