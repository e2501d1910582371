import { Button } from "@mantine/core";
import { IconArrowBackUp } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { Change } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { Fact, Facts, FactSection } from "@/components/Facts";
import { JsonDiff } from "@/components/JsonDiff";
import { MonoBox } from "@/components/MonoBox";
import { RelativeTime } from "@/components/RelativeTime";
import { Sheet } from "@/components/Sheet";
import { SheetSteps } from "@/components/SheetSteps";
import { Skeleton } from "@/components/Skeletons";
import classes from "../ChangesPage.module.css";
import { kindOf, sourceWords } from "../kinds";
import { changeQueryOptions } from "../queries";

type Props = {
  seq: number;
  /** The entry, when the list has it. */
  known: Change | undefined;
  onClose: () => void;
  onRevert: (change: Change) => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
};

/** One entry: what it was before and after, who did it and why, and the way back. */
export function ChangeSheet({ seq, known, onClose, onRevert, onPrevious, onNext }: Props) {
  const found = useQuery({ ...changeQueryOptions(seq), enabled: known === undefined });
  const change = known ?? found.data;
  return (
    <Sheet
      label={`Change ${seq}`}
      title={`Change ${seq}`}
      actions={<SheetSteps what="change" onPrevious={onPrevious} onNext={onNext} />}
      onClose={onClose}
      data-testid="change-detail"
    >
      {change ? (
        <Entry change={change} onRevert={() => onRevert(change)} />
      ) : found.error ? (
        <ErrorState
          title="The entry could not be read"
          error={found.error}
          onRetry={() => void found.refetch()}
        />
      ) : (
        <Skeleton label="the entry" shape="text" rows={8} />
      )}
    </Sheet>
  );
}

function Entry({ change, onRevert }: { change: Change; onRevert: () => void }) {
  return (
    <div className={classes.sections}>
      <p className={classes.sentence}>{change.sentence}</p>
      <Facts>
        <Fact name="Kind">{kindOf(change.kind).word}</Fact>
        <Fact name="Subject">
          <span className="mono">{change.subject}</span>
        </Fact>
        <Fact name="Who">
          {change.actor} {sourceWords(change.source)}
        </Fact>
        <Fact name="When">
          <RelativeTime value={change.at} format="full" />
        </Fact>
        <Fact name="Hash">
          <span className="mono" title="First 12 digits of the entry's SHA-256">
            {change.hash}…
          </span>
        </Fact>
      </Facts>
      {change.reason ? (
        <FactSection title="Reason">
          <MonoBox label="Reason" text={change.reason} maxHeight={160} />
        </FactSection>
      ) : null}
      <FactSection title="Before and after">
        {change.before === null && change.after === null ? (
          <p className="muted">This entry records an event; it has no state of its own.</p>
        ) : (
          <JsonDiff
            before={change.before}
            after={change.after}
            label={`Change of ${change.subject}`}
          />
        )}
      </FactSection>
      {change.revertible ? (
        <FactSection title="Revert">
          <p className="muted">
            Puts {change.subject} back to what it was before. That is a change itself and can be
            taken back.
          </p>
          <Button
            variant="default"
            h={32}
            leftSection={<IconArrowBackUp size={14} aria-hidden />}
            onClick={onRevert}
            data-testid="change-revert"
          >
            Revert this change
          </Button>
        </FactSection>
      ) : null}
    </div>
  );
}
