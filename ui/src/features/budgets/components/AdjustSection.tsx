import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { fieldErrors } from "@/api/call";
import type { Budget, BudgetAdjustment } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { FactSection } from "@/components/Facts";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { parseUsd } from "@/lib/money";
import classes from "../budgets.module.css";
import { adjustBudgetMutationOptions } from "../mutations";

type Props = { budget: Budget; member: string; adjustments: readonly BudgetAdjustment[] };

/** Corrections by a person, e.g. of a request that was interrupted and never cost anything. Each stands in the history. */
export function AdjustSection({ budget, member, adjustments }: Props) {
  const [adjusting, setAdjusting] = useState(false);
  return (
    <FactSection
      title="Corrections"
      aside={
        adjusting ? null : (
          <Button
            variant="default"
            size="compact-sm"
            onClick={() => setAdjusting(true)}
            data-testid="budget-adjust"
          >
            Correct
          </Button>
        )
      }
    >
      {adjusting ? (
        <AdjustForm budget={budget} member={member} onDone={() => setAdjusting(false)} />
      ) : null}
      {adjustments.length === 0 ? (
        <p className={classes.lead}>None. What counts as spent is the sum of the ledger's rows.</p>
      ) : (
        <ul className={classes.adjustments}>
          {adjustments.map((adjustment) => (
            <li key={`${adjustment.at} ${adjustment.by}`}>
              <strong>
                <Money value={adjustment.amount} />
              </strong>
              <span>{adjustment.reason}</span>
              <span className="muted">
                {adjustment.by}, <RelativeTime value={adjustment.at} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </FactSection>
  );
}

function AdjustForm({
  budget,
  member,
  onDone,
}: {
  budget: Budget;
  member: string;
  onDone: () => void;
}) {
  const [direction, setDirection] = useState<"back" | "more">("back");
  const [usd, setUsd] = useState("");
  const [reason, setReason] = useState("");
  const adjust = useMutation(adjustBudgetMutationOptions());
  const nano = parseUsd(usd);
  const errors = fieldErrors(adjust.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (nano === undefined || nano === null || reason.trim() === "" || adjust.isPending) return;
    const amount = direction === "back" ? `-${nano}` : nano;
    adjust.mutate({ id: budget.id, member, amount, reason: reason.trim() }, { onSuccess: onDone });
  };
  return (
    <form className={classes.adjust} onSubmit={submit} aria-label="Correct what counts as spent">
      <SegmentedControl
        size="xs"
        data={[
          { value: "back", label: "Give back" },
          { value: "more", label: "Count more" },
        ]}
        value={direction}
        onChange={(value) => setDirection(value === "more" ? "more" : "back")}
        aria-label="Direction"
      />
      <TextInput
        label="US dollars"
        value={usd}
        onChange={(event) => setUsd(event.currentTarget.value)}
        inputMode="decimal"
        error={nano === undefined ? "An amount such as 0.25." : errors["amount"]}
        data-autofocus
        data-testid="budget-adjust-usd"
      />
      <TextInput
        label="Reason"
        description="It stands in the history."
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        error={errors["reason"]}
        maxLength={500}
        data-testid="budget-adjust-reason"
      />
      {adjust.error && Object.keys(errors).length === 0 ? (
        <ErrorState title="Nothing was corrected" error={adjust.error} compact />
      ) : null}
      <div className={classes.buttons}>
        <Button variant="default" h={30} onClick={onDone}>
          Cancel
        </Button>
        <Button
          type="submit"
          h={30}
          loading={adjust.isPending}
          disabled={nano === undefined || nano === null || nano === "0" || reason.trim() === ""}
          data-testid="budget-adjust-submit"
        >
          Correct
        </Button>
      </div>
    </form>
  );
}
