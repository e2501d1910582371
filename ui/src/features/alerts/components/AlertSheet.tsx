import { Button } from "@mantine/core";
import { IconArrowRight, IconCheck } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Alert } from "@/bindings";
import { DeliveryBadge } from "@/components/DeliveryBadge";
import { ErrorState } from "@/components/ErrorState";
import { Fact, Facts, FactSection } from "@/components/Facts";
import { MonoBox } from "@/components/MonoBox";
import { RelativeTime } from "@/components/RelativeTime";
import { Sheet } from "@/components/Sheet";
import { SheetSteps } from "@/components/SheetSteps";
import { Skeleton } from "@/components/Skeletons";
import { formatCount } from "@/lib/numbers";
import { SeverityBadge } from "../columns";
import { isOpen, placeOf, stateWords } from "../model";
import { acknowledgeMutationOptions } from "../mutations";
import { alertDeliveriesQueryOptions, alertQueryOptions } from "../queries";
import classes from "./AlertSheet.module.css";

type Props = {
  id: string;
  /** The row, if the list has it; else it is looked for. */
  known: Alert | undefined;
  onClose: () => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
};

/** One alert: what it is about, how it stands, and who was told. */
export function AlertSheet({ id, known, onClose, onPrevious, onNext }: Props) {
  const found = useQuery({ ...alertQueryOptions(id), enabled: known === undefined });
  const alert = known ?? found.data;
  return (
    <Sheet
      label={alert?.title ?? "Alert"}
      title={alert?.title ?? "Alert"}
      actions={<SheetSteps what="alert" onPrevious={onPrevious} onNext={onNext} />}
      onClose={onClose}
      data-testid="alert-detail"
    >
      {alert ? (
        <Body key={alert.id} alert={alert} />
      ) : found.error ? (
        <ErrorState
          title="The alert could not be read"
          error={found.error}
          onRetry={() => void found.refetch()}
          compact
        />
      ) : (
        <Skeleton label="the alert" shape="text" rows={8} />
      )}
    </Sheet>
  );
}

function Body({ alert }: { alert: Alert }) {
  const acknowledge = useMutation(acknowledgeMutationOptions());
  const place = placeOf(alert);
  return (
    <div className={classes.sections}>
      <p className={classes.sentence}>{alert.sentence}</p>
      <div className={classes.actions}>
        {alert.acknowledged_at === null ? (
          <Button
            leftSection={<IconCheck size={14} aria-hidden />}
            loading={acknowledge.isPending}
            onClick={() => acknowledge.mutate([alert.id])}
            data-testid="alert-acknowledge"
          >
            Acknowledge
          </Button>
        ) : null}
        {place ? (
          <Link to={place.to} search={place.search} className={classes.link}>
            {place.words}
            <IconArrowRight size={14} aria-hidden />
          </Link>
        ) : null}
      </div>
      <section aria-label="Summary">
        <Facts>
          <Fact name="Severity">
            <SeverityBadge severity={alert.severity} />
          </Fact>
          <Fact name="About">
            <span className="mono">{alert.subject}</span>
          </Fact>
          <Fact name="Since">
            <RelativeTime value={alert.first_at} format="full" />
          </Fact>
          {alert.times > 1 ? (
            <Fact name="Last">
              <RelativeTime value={alert.last_at} format="full" />, {formatCount(alert.times)} times
            </Fact>
          ) : null}
          <Fact name="State">
            {stateWords(alert)}
            {alert.acknowledged_at === null ? null : (
              <>
                , <RelativeTime value={alert.acknowledged_at} format="full" />
              </>
            )}
          </Fact>
          {alert.resolved_at === null ? null : (
            <Fact name="Over since">
              <RelativeTime value={alert.resolved_at} format="full" />
            </Fact>
          )}
        </Facts>
        {isOpen(alert) ? null : (
          <p className="muted">If it comes up again within its window, it is counted here.</p>
        )}
      </section>
      <FactSection title="Who was told">
        <Deliveries alert={alert.id} />
      </FactSection>
    </div>
  );
}

function Deliveries({ alert }: { alert: string }) {
  const query = useQuery(alertDeliveriesQueryOptions(alert));
  if (query.isPending) return <Skeleton label="who was told" shape="text" rows={3} />;
  if (query.data === undefined) {
    return (
      <ErrorState
        title="Who was told could not be read"
        error={query.error}
        onRetry={() => void query.refetch()}
        compact
      />
    );
  }
  if (query.data.rows.length === 0) {
    return (
      <p className="muted">
        It stands in this inbox only. <Link to="/notifications">Channels and rules</Link> say where
        alerts are told.
      </p>
    );
  }
  return (
    <ul className={classes.deliveries}>
      {query.data.rows.map((delivery) => (
        <li key={delivery.id}>
          <span className={classes.channel}>
            <span className="ellipsis">{delivery.channel}</span>
            <DeliveryBadge delivery={delivery} />
          </span>
          {delivery.error === null ? null : (
            <MonoBox label="What it failed of" text={delivery.error} maxHeight={96} />
          )}
        </li>
      ))}
    </ul>
  );
}
