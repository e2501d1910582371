import { Button } from "@mantine/core";
import { IconCoin } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ErrorState } from "@/components/ErrorState";
import { Fact, Facts, FactSection } from "@/components/Facts";
import { Sheet } from "@/components/Sheet";
import { SheetSteps } from "@/components/SheetSteps";
import { Skeleton } from "@/components/Skeletons";
import { StatusBadge } from "@/components/StatusBadge";
import type { PriceHistory } from "@/bindings";
import { formatCount } from "@/lib/numbers";
import { capabilityWord } from "../model";
import classes from "../prices.module.css";
import { priceHistoryQueryOptions } from "../queries";
import { BlockNote } from "./BlockNote";
import { CardView } from "./CardView";
import { OwnPriceSheet } from "./OwnPriceSheet";

type Props = {
  target: string;
  /** With the form for a price of one's own. */
  editing: boolean;
  onEdit: (edit: boolean) => void;
  onClose: () => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
};

/** Every price a model had, has and will have, and the way to set another. */
export function PriceSheet(props: Props) {
  const { target, editing, onEdit, onClose, onPrevious, onNext } = props;
  const history = useQuery(priceHistoryQueryOptions(target));
  if (editing && history.data)
    return <OwnPriceSheet history={history.data} onDone={() => onEdit(false)} onClose={onClose} />;
  return (
    <Sheet
      label={`Prices of ${target}`}
      title={target}
      actions={<SheetSteps what="model" onPrevious={onPrevious} onNext={onNext} />}
      onClose={onClose}
      data-testid="price-detail"
    >
      {history.data ? (
        <History history={history.data} onEdit={() => onEdit(true)} />
      ) : history.error ? (
        <ErrorState
          title="The prices of this model could not be read"
          error={history.error}
          onRetry={() => void history.refetch()}
          compact
        />
      ) : (
        <Skeleton label="its prices" shape="text" rows={10} />
      )}
    </Sheet>
  );
}

function History({ history, onEdit }: { history: PriceHistory; onEdit: () => void }) {
  const { row, cards, note, aliases } = history;
  return (
    <div className={classes.sections}>
      {row.block ? <BlockNote target={row.target} block={row.block} /> : null}
      <div className={classes.lead}>
        {row.card ? null : <StatusBadge tone="warn">Unpriced</StatusBadge>}
        <Button
          variant="default"
          size="compact-sm"
          leftSection={<IconCoin size={14} aria-hidden />}
          onClick={onEdit}
          data-testid="price-set"
        >
          Set own price
        </Button>
        <Link to="/changes" search={{ kind: "price", subject: row.target }}>
          Changes of its prices
        </Link>
      </div>
      <section aria-label="Model">
        <Facts>
          <Fact name="Can">{row.capabilities.map(capabilityWord).join(", ") || "not known"}</Fact>
          {row.context_window === null ? null : (
            <Fact name="Context window">
              <span className="tabular">{formatCount(row.context_window)}</span> tokens
            </Fact>
          )}
          <Fact name="In use">
            {row.in_use ? "An operation's route leads to it" : "By no route"}
          </Fact>
          {aliases.length === 0 ? null : (
            <Fact name="Bills also">
              <span className="mono">{aliases.join(", ")}</span>
            </Fact>
          )}
          {note === null ? null : <Fact name="Note">{note}</Fact>}
        </Facts>
      </section>
      <FactSection title="Prices, newest first">
        {cards.length === 0 ? (
          <p className="muted">
            It never had a price: its requests run, but what they cost stays unknown and out of
            every total.
          </p>
        ) : (
          <ol className={classes.cards}>
            {cards.map((card, index) => (
              <CardView
                key={card.effective_from}
                card={card}
                until={cards[index - 1]?.effective_from}
              />
            ))}
          </ol>
        )}
      </FactSection>
    </div>
  );
}
