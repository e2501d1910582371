import { IconCalendarClock, IconHistory } from "@tabler/icons-react";
import type { PriceCard, PriceRate, RateChange } from "@/bindings";
import { ExternalLink } from "@/components/ExternalLink";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import { OriginMark } from "../columns";
import { byUnit, isFree, percentWords, tierWords, unitWord, usdWords } from "../model";
import classes from "../prices.module.css";

type Props = {
  card: PriceCard;
  /** When the card after it begins, if one does. */
  until: string | undefined;
  /** It is only proposed: what would hold, not what does. */
  proposed?: boolean;
};

/** One price of a model: since when, by whose word, and every rate. */
export function CardView({ card, until, proposed = false }: Props) {
  return (
    <li
      className={classes.card}
      data-state={proposed ? "planned" : card.state}
      data-testid={`price-card-${card.state}`}
    >
      <div className={classes.cardHead}>
        {proposed ? (
          <StatusBadge tone="info" icon={IconCalendarClock}>
            Proposed
          </StatusBadge>
        ) : (
          <StateMark card={card} />
        )}
        <span>
          {proposed && card.state === "in_force" ? (
            "from when you apply it"
          ) : (
            <>
              {card.state === "planned" ? "from " : "since "}
              <RelativeTime value={card.effective_from} format="clock" />
            </>
          )}
          {until === undefined ? null : (
            <>
              {" until "}
              <RelativeTime value={until} format="clock" />
            </>
          )}
        </span>
        <OriginMark origin={card.origin} />
      </div>
      {card.rates.length === 0 ? (
        <p className="muted">Without a price from then on.</p>
      ) : (
        <Rates rates={card.rates} />
      )}
      {card.tiers.map((tier) => (
        <Rates
          key={tier.above_input_tokens}
          rates={tier.rates}
          caption={`In requests ${tierWords(tier.above_input_tokens)}`}
        />
      ))}
      <p className={classes.cardFoot}>
        {card.batch_percent === null
          ? "A batch pays in full. "
          : `A batch pays ${card.batch_percent} %. `}
        {card.source_url === null ? (
          card.origin === "own" ? (
            "Entered by hand."
          ) : (
            "No source named."
          )
        ) : (
          <ExternalLink href={card.source_url}>{hostOf(card.source_url)}</ExternalLink>
        )}
        {card.as_of === null ? "" : `, read on ${card.as_of}`}
      </p>
    </li>
  );
}

function StateMark({ card: { state } }: Pick<Props, "card">) {
  if (state === "planned")
    return (
      <StatusBadge tone="info" icon={IconCalendarClock}>
        Planned
      </StatusBadge>
    );
  return state === "in_force" ? (
    <StatusBadge tone="ok">In force</StatusBadge>
  ) : (
    <StatusBadge tone="neutral" icon={IconHistory}>
      Past
    </StatusBadge>
  );
}

export function Rates({ rates, caption }: { rates: readonly PriceRate[]; caption?: string }) {
  return (
    <table className={classes.rates}>
      {caption === undefined ? null : <caption>{caption}</caption>}
      <tbody>
        {byUnit(rates).map((rate) => (
          <tr key={rate.unit}>
            <td title={rate.unit}>{unitWord(rate.unit)}</td>
            <td className={classes.end}>{isFree(rate) ? "free" : <Money value={rate.amount} />}</td>
            <td className="muted">per {rate.lot}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Rates before and after, with by how much each moves. */
export function ChangeTable({ changes }: { changes: readonly RateChange[] }) {
  return (
    <table className={classes.rates} aria-label="Rates before and after">
      <thead>
        <tr>
          <th scope="col">Unit</th>
          <th scope="col" className={classes.end}>
            Before
          </th>
          <th scope="col" className={classes.end}>
            After
          </th>
          <th scope="col" className={classes.end}>
            Change
          </th>
        </tr>
      </thead>
      <tbody>
        {byUnit(changes).map((change) => (
          <tr key={`${change.unit} ${change.above_input_tokens ?? ""}`}>
            <td title={change.unit}>
              {unitWord(change.unit)}{" "}
              <span className="muted">
                per {change.lot}
                {change.above_input_tokens === null
                  ? ""
                  : `, ${tierWords(change.above_input_tokens)}`}
              </span>
            </td>
            <td className={classes.end}>{usdWords(change.before)}</td>
            <td className={classes.end}>{usdWords(change.after)}</td>
            <td className={classes.end}>
              <Percent percent={change.percent} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const LARGE_PERCENT = 50;

/** By how much, with a sign; dearer and cheaper are told apart by more than their colour. */
export function Percent({ percent }: { percent: string | null }) {
  const words = percentWords(percent);
  if (words === undefined) return <span className="muted">new</span>;
  // A large step is worth a second look in either direction.
  const calm = words.startsWith("−") && Number(percent) > -LARGE_PERCENT;
  return <span className={calm ? classes.down : classes.up}>{words}</span>;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
