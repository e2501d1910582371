import { IconBan, IconCalendarClock, IconRoute } from "@tabler/icons-react";
import type { PriceRate, PriceRow } from "@/bindings";
import type { Column } from "@/components/DataTable";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import { capabilityWord, isFree, mainRates, originWords } from "./model";
import classes from "./prices.module.css";

/** Below this the table scrolls sideways in its own frame. */
export const PRICES_MIN_WIDTH = 940;

/** Fixed widths for what is compared, so that reading more rows moves nothing. */
export const PRICE_COLUMNS: readonly Column<PriceRow>[] = [
  {
    id: "model",
    header: "Model",
    width: "minmax(200px, 2fr)",
    cell: (row) => (
      <span className={classes.model} title={row.target}>
        {row.block ? (
          <IconBan size={14} role="img" aria-label="Blocked: no route leads to it" />
        ) : null}
        <span>
          <span className="muted">{row.provider}/</span>
          {row.model}
        </span>
      </span>
    ),
  },
  {
    id: "capabilities",
    header: "Can",
    width: "minmax(96px, 0.8fr)",
    cell: (row) => {
      const words = row.capabilities.map(capabilityWord).join(", ");
      return (
        <span className="muted" title={words}>
          {words}
        </span>
      );
    },
  },
  {
    id: "input",
    header: "Input",
    width: "minmax(150px, 0.9fr)",
    align: "end",
    hint: "Dollars per million tokens, or per lot of its own unit",
    cell: (row) => <InputCell row={row} />,
  },
  {
    id: "cached",
    header: "Cached",
    width: "80px",
    align: "end",
    hint: "Dollars per million tokens read from the provider's cache",
    cell: (row) => <Rate rate={row.card ? mainRates(row.card).cached : undefined} />,
  },
  {
    id: "output",
    header: "Output",
    width: "88px",
    align: "end",
    hint: "Dollars per million tokens",
    cell: (row) => <OutputCell row={row} />,
  },
  {
    id: "batch",
    header: "Batch",
    width: "64px",
    align: "end",
    hint: "Share of the price a batch pays",
    cell: (row) =>
      row.card?.batch_percent ? `${row.card.batch_percent} %` : <span className="muted">–</span>,
  },
  {
    id: "origin",
    header: "From",
    width: "92px",
    cell: (row) => (row.card ? <OriginMark origin={row.card.origin} /> : null),
  },
  {
    id: "since",
    header: "Since",
    width: "132px",
    cell: (row) => <SinceCell row={row} />,
  },
  {
    id: "used",
    header: "In use",
    width: "64px",
    hint: "Whether an operation's route leads to it",
    cell: (row) =>
      row.in_use ? (
        <span className={classes.used} title="An operation's route leads to it">
          <IconRoute size={14} aria-hidden /> Yes
        </span>
      ) : (
        <span className="muted">–</span>
      ),
  },
];

function InputCell({ row: { card } }: { row: PriceRow }) {
  if (!card) {
    return (
      <StatusBadge
        tone="warn"
        title="Requests run, but what they cost is not known and in no total"
      >
        Unpriced
      </StatusBadge>
    );
  }
  const { input, own } = mainRates(card);
  if (!own) return <Rate rate={input} />;
  return (
    <span>
      <Rate rate={own} />
      <span className="muted"> / {own.lot}</span>
    </span>
  );
}

function OutputCell({ row: { card } }: { row: PriceRow }) {
  const rates = card ? mainRates(card) : undefined;
  return (
    <span>
      <Rate rate={rates?.output} />
      {rates && (rates.more > 0 || (card?.tiers.length ?? 0) > 0) ? (
        <span className="muted" title="It has more rates or tiers: open it to see them">
          {" "}
          +
        </span>
      ) : null}
    </span>
  );
}

export function Rate({ rate }: { rate: PriceRate | undefined }) {
  if (!rate) return <span className="muted">–</span>;
  return isFree(rate) ? <span title="$0">free</span> : <Money value={rate.amount} />;
}

function SinceCell({ row: { card, planned } }: { row: PriceRow }) {
  return (
    <span className={classes.since}>
      <RelativeTime value={card?.effective_from ?? null} />
      {planned ? (
        <span
          className={classes.planned}
          title={`Another price holds from ${planned.effective_from} on`}
        >
          <IconCalendarClock size={14} role="img" aria-label="another price is planned" />
        </span>
      ) : null}
    </span>
  );
}

export function OriginMark({ origin }: { origin: string }) {
  const { word, says } = originWords(origin);
  return (
    <span className={classes.origin} data-origin={origin} title={says}>
      {word}
    </span>
  );
}
