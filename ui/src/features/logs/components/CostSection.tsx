import type { AttemptView, CostStatus, PriceSource, RequestDetail } from "@/bindings";
import { ExternalLink } from "@/components/ExternalLink";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge, type Tone } from "@/components/StatusBadge";
import { formatMoneyExact } from "@/lib/money";
import { arithmetic, linesDiffer, PRICING_WORDS, sumCosts, unitLabel } from "../cost";
import classes from "./RequestSheet.module.css";

type Props = { detail: RequestDetail };

const TONES: Record<CostStatus, Tone> = {
  exact: "ok",
  provider_charged: "ok",
  estimated: "info",
  unpriced: "warn",
};

/** The whole calculation, so that anybody can do it again by hand. */
export function CostSection({ detail }: Props) {
  const status = detail.row.cost_status;
  const several = detail.attempts.length > 1;
  return (
    <section className={classes.section} data-testid="cost">
      <h3>
        Cost
        {status ? (
          <StatusBadge tone={TONES[status]}>{PRICING_WORDS[status].word}</StatusBadge>
        ) : null}
      </h3>
      {status ? (
        <p className={classes.note}>{costMeaning(detail, status)}</p>
      ) : (
        <p className={classes.note}>Known when the request has ended.</p>
      )}
      {detail.attempts.map((attempt) => (
        <AttemptCost key={attempt.ordinal} attempt={attempt} titled={several} />
      ))}
      {several && status ? (
        <table className={classes.table}>
          <tbody>
            <tr className={classes.total}>
              <td>All attempts</td>
              <td className={`${classes.end} mono`}>
                {detail.row.cost === null ? "unknown" : formatMoneyExact(detail.row.cost)}
              </td>
            </tr>
          </tbody>
        </table>
      ) : null}
    </section>
  );
}

function costMeaning({ row }: RequestDetail, status: CostStatus): string {
  if (row.cached) {
    return "The answer came from the cache, so nothing was spent. What it would have cost is the saving above.";
  }
  return row.simulated
    ? "The simulator answered, so nothing was spent. It is left out of every spend total."
    : PRICING_WORDS[status].meaning;
}

function AttemptCost({ attempt, titled }: { attempt: AttemptView; titled: boolean }) {
  const heading = `Attempt ${attempt.ordinal}: ${attempt.provider}/${attempt.model}`;
  if (attempt.lines.length === 0) {
    return titled ? (
      <p className={classes.note}>
        {heading}: {attempt.cost_status === "unpriced" ? "no price is known" : "nothing was billed"}
      </p>
    ) : null;
  }
  const total = attempt.cost ?? sumCosts(attempt.lines.map((line) => line.cost));
  return (
    <>
      <table className={classes.table}>
        {titled ? <caption className={classes.caption}>{heading}</caption> : null}
        <tbody>
          {attempt.lines.map((line) => (
            <tr key={line.unit} data-testid="cost-line">
              <td>{unitLabel(line.unit)}</td>
              <td className={`${classes.end} mono`}>{arithmetic(line)}</td>
            </tr>
          ))}
          <tr className={classes.total}>
            <td>{linesDiffer(attempt) ? "Charged by the provider" : "Sum"}</td>
            <td className={`${classes.end} mono`}>
              {attempt.cost === null
                ? `unknown${total ? `, at least ${formatMoneyExact(total)}` : ""}`
                : formatMoneyExact(attempt.cost)}
            </td>
          </tr>
        </tbody>
      </table>
      {attempt.price_source ? <Source source={attempt.price_source} /> : null}
    </>
  );
}

function Source({ source }: { source: PriceSource }) {
  return (
    <p className={`${classes.note} caption`}>
      Prices{" "}
      {source.url ? (
        <>
          from <ExternalLink href={source.url}>{hostOf(source.url)}</ExternalLink>
        </>
      ) : (
        "entered by hand"
      )}
      {source.as_of ? `, as of ${source.as_of}` : ""}, in force since{" "}
      <RelativeTime value={source.effective_from} format="clock" />
    </p>
  );
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : url;
}
