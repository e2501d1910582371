import { Button } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { ErrorState } from "@/components/ErrorState";
import { formatCount, plural } from "@/lib/numbers";
import { mainRates } from "../model";
import classes from "../prices.module.css";
import { unpricedQueryOptions } from "@/api/queries";
import { Rate } from "../columns";

type Props = {
  /** Models without a price now. */
  count: number;
  /** The list shows only those already. */
  filtered: boolean;
  onPrice: (target: string) => void;
  onShowAll: () => void;
};

/** Models that have no price, and above all those whose requests ran without a known cost. */
export function UnpricedBanner({ count, filtered, onPrice, onShowAll }: Props) {
  const [shown, setShown] = useState(false);
  const query = useQuery(unpricedQueryOptions());
  const seen = (query.data ?? []).filter((model) => !model.priced_now);
  const requests = seen.reduce((sum, model) => sum + model.requests, 0);
  return (
    <section className={classes.banner} aria-label="Models without a price" data-testid="unpriced">
      <div className={classes.bannerHead}>
        <IconAlertTriangle size={16} aria-hidden />
        <p>
          <strong>{plural(count, "model")}</strong> {count === 1 ? "has" : "have"} no price.{" "}
          {requests > 0
            ? `${plural(requests, "request")} of the last 30 days ran without a known cost.`
            : `${count === 1 ? "It was not" : "None of them was"} called in the last 30 days.`}
        </p>
        {seen.length > 0 ? (
          <Button
            variant="default"
            size="compact-sm"
            aria-expanded={shown}
            onClick={() => setShown(!shown)}
            data-testid="unpriced-show"
          >
            {shown ? "Hide" : "Show them"}
          </Button>
        ) : null}
        {filtered ? null : (
          <Button variant="subtle" size="compact-sm" onClick={onShowAll}>
            List all unpriced
          </Button>
        )}
      </div>
      {query.error ? (
        <ErrorState
          title="Which of them were called could not be read"
          error={query.error}
          onRetry={() => void query.refetch()}
          compact
        />
      ) : null}
      {shown && seen.length > 0 ? (
        <table className={classes.seen} aria-label="Unpriced models seen in traffic">
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col" className={classes.end}>
                Requests
              </th>
              <th scope="col">The catalogue says</th>
              <th scope="col">
                <span className="visually-hidden">Action</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {seen.map(({ target, requests: calls, suggestion }) => (
              <tr key={target}>
                <td>{target}</td>
                <td className={classes.end}>
                  <Link
                    to="/logs"
                    search={{
                      provider: target.split("/")[0],
                      model: target.split("/").slice(1).join("/"),
                      cost_status: "unpriced",
                    }}
                  >
                    {formatCount(calls)}
                  </Link>
                </td>
                <td>
                  {suggestion ? (
                    <Suggestion card={suggestion} />
                  ) : (
                    <span className="muted">nothing under this name</span>
                  )}
                </td>
                <td className={classes.end}>
                  <Button
                    size="compact-sm"
                    variant="default"
                    onClick={() => onPrice(target)}
                    data-testid={`unpriced-set-${target}`}
                  >
                    Set its price
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </section>
  );
}

function Suggestion({ card }: { card: Parameters<typeof mainRates>[0] }) {
  const { input, output, own } = mainRates(card);
  if (own)
    return (
      <>
        <Rate rate={own} /> / {own.lot}
      </>
    );
  return (
    <>
      <Rate rate={input} /> in, <Rate rate={output} /> out
    </>
  );
}
