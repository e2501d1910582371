import { Button } from "@mantine/core";
import { IconPencil, IconTargetArrow } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Budget, BudgetDetail, BudgetPurse } from "@/bindings";
import { BudgetBar } from "@/components/BudgetBar";
import { ConfirmButton } from "@/components/ConfirmButton";
import { CopyButton } from "@/components/CopyButton";
import { ErrorState } from "@/components/ErrorState";
import { Fact, Facts, FactSection } from "@/components/Facts";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { Sheet } from "@/components/Sheet";
import { SheetSteps } from "@/components/SheetSteps";
import { Skeleton } from "@/components/Skeletons";
import { StatusBadge } from "@/components/StatusBadge";
import { barOf, forecastWords, limitWords, periodWords, purseWords } from "@/lib/budget";
import { formatCount } from "@/lib/numbers";
import classes from "../budgets.module.css";
import { ACTIONS, type BudgetRow, historyOf, isForEach, willBePassed } from "../model";
import { removeBudgetMutationOptions } from "../mutations";
import { budgetQueryOptions } from "../queries";
import { basisWords, noForecastWords } from "../words";
import { AdjustSection } from "./AdjustSection";
import { HistoryPanel } from "./HistoryView";
import { HoldsSection } from "./HoldsSection";
import { PeriodsSection } from "./PeriodsSection";

type Props = {
  id: string;
  member: string | undefined;
  /** The row as the list has it; it fills the sheet until the detail is there. */
  known: BudgetRow | undefined;
  onClose: () => void;
  onEdit: () => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
};

/** One budget, or one member of it: how it stands, who holds what, how it was before, and how to correct it. */
export function BudgetSheet({ id, member, known, onClose, onEdit, onPrevious, onNext }: Props) {
  const query = useQuery(budgetQueryOptions(id, member ?? ""));
  const budget = query.data?.budget ?? known?.budget;
  const name = member ?? budget?.name ?? "Budget";
  return (
    <Sheet
      label={`Budget ${name}`}
      title={
        <span className={classes.title}>
          <span className="ellipsis">{name}</span>
          {budget && !budget.enabled ? (
            <StatusBadge tone="neutral" boxed>
              Off
            </StatusBadge>
          ) : null}
        </span>
      }
      actions={
        <>
          <Button
            variant="default"
            size="compact-sm"
            leftSection={<IconPencil size={14} aria-hidden />}
            onClick={onEdit}
            disabled={budget === undefined}
            title="Edit (E)"
            data-testid="budget-edit"
          >
            Edit
          </Button>
          <SheetSteps what="budget" onPrevious={onPrevious} onNext={onNext} />
        </>
      }
      onClose={onClose}
      data-testid="budget-detail"
    >
      <div className={classes.sections}>
        {budget ? <Standing budget={budget} purse={query.data?.purse ?? known?.purse} /> : null}
        {query.data ? (
          <Details detail={query.data} member={member} onRemoved={onClose} />
        ) : query.error ? (
          <ErrorState
            title="The budget could not be read"
            error={query.error}
            onRetry={() => void query.refetch()}
            compact
          />
        ) : (
          <Skeleton label="the budget" shape="text" rows={12} />
        )}
      </div>
    </Sheet>
  );
}

function Standing({ budget, purse }: { budget: Budget; purse: BudgetPurse | null | undefined }) {
  return (
    <section aria-label="How it stands" className={classes.stand}>
      {purse ? (
        <>
          <dl className={classes.heroes}>
            <Hero name="Settled">
              <Money value={purse.settled} format="total" />
            </Hero>
            <Hero name="Reserved">
              <Money value={purse.reserved} format="total" />
            </Hero>
            <Hero name="Left">
              {budget.limits.cost ? <Money value={purse.left} format="total" /> : "–"}
            </Hero>
            <Hero name="At the end">
              {purse.forecast ? (
                <span
                  data-over={willBePassed(purse, budget.limits.cost)}
                  title={forecastWords(purse.forecast)}
                >
                  <Money value={purse.forecast.expected} format="total" />
                </span>
              ) : (
                "–"
              )}
            </Hero>
          </dl>
          <BudgetBar
            {...barOf(purse, budget.limits.cost)}
            thresholds={budget.thresholds.map(({ percent }) => percent)}
            size="l"
            label={purseWords(budget, purse)}
          />
        </>
      ) : null}
      <p data-testid="budget-promise">{budget.promise}</p>
      {purse?.binding ? (
        <p className={classes.note}>
          <IconTargetArrow size={16} aria-hidden />
          Of all budgets that stop spending this one has the least left: it refuses first.
        </p>
      ) : null}
      {purse?.bound_by ? (
        <p className={classes.note}>
          <IconTargetArrow size={16} aria-hidden />
          {purse.bound_by} has less left and refuses first.
        </p>
      ) : null}
      {purse?.forecast ? (
        <p className={classes.caption}>
          In four of five cases between <Money value={purse.forecast.low} format="total" /> and{" "}
          <Money value={purse.forecast.high} format="total" /> at the end;{" "}
          {basisWords(purse.forecast.basis)}.
        </p>
      ) : purse && purse.to !== null ? (
        <p className={classes.caption}>{noForecastWords(budget)}</p>
      ) : null}
    </section>
  );
}

function Hero({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

type DetailsProps = { detail: BudgetDetail; member: string | undefined; onRemoved: () => void };

function Details({ detail, member, onRemoved }: DetailsProps) {
  const { budget, purse } = detail;
  const history = historyOf(budget, member);
  return (
    <>
      <FactsOf budget={budget} purse={purse} />
      <HoldsSection holds={detail.holds} />
      <PeriodsSection budget={budget} periods={detail.periods} charted={history === undefined} />
      {history ? <HistoryPanel {...history} /> : null}
      {isForEach(budget.scope.kind) && member === undefined ? null : (
        <AdjustSection budget={budget} member={member ?? ""} adjustments={detail.adjustments} />
      )}
      {member === undefined ? <Remove budget={budget} onRemoved={onRemoved} /> : null}
    </>
  );
}

function FactsOf({ budget, purse }: { budget: Budget; purse: BudgetPurse | null }) {
  const action = ACTIONS.find(({ value }) => value === budget.action);
  return (
    <section aria-label="Facts">
      <Facts>
        <Fact name="Counts">{budget.scope_words}</Fact>
        <Fact name="Limit">
          {limitWords(budget.limits)} {periodWords(budget.period)}
        </Fact>
        <Fact name="At the limit">
          {action?.label}: {action?.says}
        </Fact>
        <Fact name="Told at">
          {budget.thresholds.map(({ percent }) => `${percent} %`).join(", ") || "never"}
        </Fact>
        {purse ? (
          <Fact name="This period">
            {purse.to === null ? (
              "the only one: it never begins anew"
            ) : (
              <>
                <RelativeTime value={purse.from} format="date" /> –{" "}
                <RelativeTime value={purse.to} format="date" />{" "}
                <span className="muted">(days begin at midnight in {budget.zone})</span>
              </>
            )}
          </Fact>
        ) : null}
        {purse ? (
          <Fact name="Used">
            {formatCount(purse.requests)} requests, {formatCount(purse.tokens)} tokens
          </Fact>
        ) : null}
        <Fact name="Id">
          <span className={classes.id}>
            <span className="mono ellipsis">{budget.id}</span>
            <CopyButton text={budget.id} what="budget id" />
          </span>
        </Fact>
        <Fact name="See also">
          <Link to="/changes" search={{ kind: "budget", subject: budget.name }}>
            Its changes
          </Link>
        </Fact>
      </Facts>
    </section>
  );
}

function Remove({ budget, onRemoved }: { budget: Budget; onRemoved: () => void }) {
  const remove = useMutation(removeBudgetMutationOptions());
  return (
    <FactSection title="Remove">
      <p className={classes.lead}>
        To let it rest for a while, turn it off in the editor: then it counts and refuses nothing.
      </p>
      <ConfirmButton
        label="Remove budget"
        title={`Remove the budget ${budget.name}?`}
        consequence={
          <p>
            Nothing is held or refused by it from the next request on. What was spent stays in the
            ledger, the removal stands in the history.
          </p>
        }
        verb="Remove budget"
        disabled={remove.isPending}
        onConfirm={() =>
          remove.mutate(
            { id: budget.id, version: budget.version, name: budget.name },
            { onSuccess: onRemoved },
          )
        }
        data-testid="budget-remove"
      />
    </FactSection>
  );
}
