import { ActionIcon, Tooltip } from "@mantine/core";
import { IconChevronDown, IconChevronUp, IconDatabase } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { RequestDetail, RequestRow } from "@/bindings";
import { CopyButton } from "@/components/CopyButton";
import { Duration } from "@/components/Duration";
import { ErrorState } from "@/components/ErrorState";
import { Money } from "@/components/Money";
import { MonoBox } from "@/components/MonoBox";
import { Sheet } from "@/components/Sheet";
import { Skeleton } from "@/components/Skeletons";
import { RequestStatusBadge } from "@/components/StatusBadge";
import { formatCount } from "@/lib/numbers";
import { requestDetailQueryOptions } from "../queries";
import { AttemptsSection } from "./AttemptsSection";
import { CostSection } from "./CostSection";
import { DecisionSection } from "./DecisionSection";
import { PayloadSection } from "./PayloadSection";
import { RefusalSection } from "./RefusalSection";
import classes from "./RequestSheet.module.css";
import { SummarySection } from "./SummarySection";

type Props = {
  id: string;
  /** The row as the list has it; it fills the head of the sheet until the detail is there. */
  known: RequestRow | undefined;
  onClose: () => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
};

/** The code of a request that no budget had enough left for. */
const BUDGET_EXCEEDED = "budget_exceeded";

/** Everything about one request: what happened, why this model, and each line of its cost. */
export function RequestSheet({ id, known, onClose, onPrevious, onNext }: Props) {
  const query = useQuery(requestDetailQueryOptions(id));
  const row = query.data?.row ?? known;
  return (
    <Sheet
      label={`Request ${id}`}
      title={
        <span className={classes.title}>
          <span className="ellipsis">{row?.operation ?? "Request"}</span>
          {row ? <RequestStatusBadge status={row.status} boxed /> : null}
        </span>
      }
      actions={
        <>
          <Step label="Previous request" keys="[" run={onPrevious}>
            <IconChevronUp size={16} aria-hidden />
          </Step>
          <Step label="Next request" keys="]" run={onNext}>
            <IconChevronDown size={16} aria-hidden />
          </Step>
        </>
      }
      onClose={onClose}
      data-testid="log-detail"
    >
      {row ? <Figures row={row} /> : null}
      {row?.cached ? (
        <p className={classes.saved} data-testid="log-saved">
          <IconDatabase size={14} aria-hidden />
          <span>
            From cache, saved <Money value={row.saved} absent="an unknown amount" />
          </span>
        </p>
      ) : null}
      <p className={classes.id}>
        <span className="mono ellipsis">{id}</span>
        <CopyButton text={id} what="request id" />
      </p>
      {query.data ? (
        <Body detail={query.data} />
      ) : query.error ? (
        <ErrorState
          title="The request could not be read"
          error={query.error}
          onRetry={() => void query.refetch()}
          compact
        />
      ) : (
        <Skeleton label="the request" shape="text" rows={12} />
      )}
    </Sheet>
  );
}

function Body({ detail }: { detail: RequestDetail }) {
  return (
    <div className={classes.sections}>
      {detail.error_message ? (
        <section className={classes.failure} aria-label="What went wrong">
          <h3>
            What went wrong
            {detail.row.error_code ? <code>{detail.row.error_code}</code> : null}
          </h3>
          <MonoBox label="Error message" text={detail.error_message} maxHeight={160} />
        </section>
      ) : null}
      {detail.row.error_code === BUDGET_EXCEEDED ? <RefusalSection id={detail.row.id} /> : null}
      <SummarySection detail={detail} />
      <AttemptsSection
        attempts={detail.attempts}
        inFlight={detail.row.status === "in_flight"}
        cached={detail.row.cached}
      />
      <DecisionSection decision={detail.decision} />
      <CostSection detail={detail} />
      <PayloadSection payload={detail.payload} />
    </div>
  );
}

/** The three numbers people open a request for. */
function Figures({ row }: { row: RequestRow }) {
  const running = row.status === "in_flight";
  return (
    <dl className={classes.figures}>
      <div>
        <dt>Cost</dt>
        <dd>
          {row.cost_status === "estimated" ? "≈ " : null}
          <Money value={row.cost} absent={running ? "running" : "unpriced"} />
        </dd>
      </div>
      <div>
        <dt>Latency</dt>
        <dd>
          <Duration ms={row.latency_ms} absent={running ? "running" : "–"} />
        </dd>
      </div>
      <div>
        <dt>First token</dt>
        <dd>
          <Duration ms={row.first_token_ms} />
        </dd>
      </div>
      <div>
        <dt>Tokens in / out</dt>
        <dd className="tabular">
          {formatCount(row.tokens_in)} <span className="muted">/</span>{" "}
          {formatCount(row.tokens_out)}
        </dd>
      </div>
    </dl>
  );
}

type StepProps = {
  label: string;
  keys: string;
  run: (() => void) | undefined;
  children: React.ReactNode;
};

function Step({ label, keys, run, children }: StepProps) {
  return (
    <Tooltip label={`${label} (${keys})`}>
      <ActionIcon aria-label={label} disabled={run === undefined} onClick={() => run?.()}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
