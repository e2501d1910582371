import { Button } from "@mantine/core";
import { IconArrowBackUp, IconClockSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Change } from "@/bindings";
import { CopyButton } from "@/components/CopyButton";
import { ErrorState } from "@/components/ErrorState";
import { Fact, Facts, FactSection } from "@/components/Facts";
import { JsonDiff } from "@/components/JsonDiff";
import { MonoBox } from "@/components/MonoBox";
import { RelativeTime } from "@/components/RelativeTime";
import { Sheet } from "@/components/Sheet";
import { SheetSteps } from "@/components/SheetSteps";
import { Skeleton } from "@/components/Skeletons";
import { KindLabel } from "../columns";
import { isJson, sourceWords, subjectLink } from "../model";
import { changeQueryOptions } from "../queries";
import classes from "./ChangeSheet.module.css";
import { RevertDialog } from "./RevertDialog";

/** Unchanged lines around each changed one. */
const CONTEXT_LINES = 2;

type Props = {
  seq: number;
  /** The row, if the list has it; else it is looked for. */
  known: Change | undefined;
  /** Shows the whole configuration as it was right after this change. */
  onShowState: (at: string) => void;
  onClose: () => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
};

/** One change: who did what and why, before and after, and the way back. */
export function ChangeSheet({ seq, known, onShowState, onClose, onPrevious, onNext }: Props) {
  const found = useQuery({ ...changeQueryOptions(seq), enabled: known === undefined });
  const change = known ?? found.data;
  return (
    <Sheet
      label={`Change ${seq}`}
      title={
        <span className={classes.title}>
          <span className="ellipsis">{change?.subject ?? `Change ${seq}`}</span>
          {change ? (
            <span className={classes.kind}>
              <KindLabel kind={change.kind} />
            </span>
          ) : null}
        </span>
      }
      actions={<SheetSteps what="change" onPrevious={onPrevious} onNext={onNext} />}
      onClose={onClose}
      data-testid="change-detail"
    >
      {change ? (
        <Body key={change.seq} change={change} onShowState={onShowState} />
      ) : found.error ? (
        <ErrorState
          title="The change could not be read"
          error={found.error}
          onRetry={() => void found.refetch()}
          compact
        />
      ) : (
        <Skeleton label="the change" shape="text" rows={10} />
      )}
    </Sheet>
  );
}

type BodyProps = { change: Change; onShowState: (at: string) => void };

function Body({ change, onShowState }: BodyProps) {
  const [asking, setAsking] = useState(false);
  return (
    <div className={classes.sections}>
      <p className={classes.sentence}>{change.sentence}</p>
      {change.reason ? (
        <section aria-label="Reason">
          <p className={classes.caption}>Reason</p>
          <MonoBox label="Reason" text={change.reason} maxHeight={120} />
        </section>
      ) : null}
      <Summary change={change} />
      <FactSection title="Before and after">
        <States change={change} />
      </FactSection>
      {change.revertible ? (
        <>
          <div className={classes.actions}>
            <Button
              variant="default"
              h={32}
              leftSection={<IconArrowBackUp size={14} aria-hidden />}
              onClick={() => setAsking(true)}
              data-testid="change-revert"
            >
              Revert this change
            </Button>
            <StateButton change={change} onShowState={onShowState} />
          </div>
          <RevertDialog change={change} opened={asking} onClose={() => setAsking(false)} />
        </>
      ) : (
        <>
          <p className="muted" data-testid="change-not-revertible">
            {NOT_REVERTIBLE[change.kind] ?? "This change cannot be reverted from the history."}
          </p>
          <div>
            <StateButton change={change} onShowState={onShowState} />
          </div>
        </>
      )}
    </div>
  );
}

function StateButton({ change, onShowState }: BodyProps) {
  return (
    <Button
      variant="subtle"
      h={32}
      leftSection={<IconClockSearch size={14} aria-hidden />}
      onClick={() => onShowState(change.at)}
      data-testid="change-state"
    >
      State at this time
    </Button>
  );
}

const NOT_REVERTIBLE: Readonly<Record<string, string>> = {
  key: "Secrets cannot be brought back, nor a new key unmade: create, rotate or revoke it on its own page.",
  credential: "Credentials are never in the history. Set it again on the provider's page.",
  health: "A circuit is held open or reset again on the provider's page.",
  model: "Prices are dated. Give the model its old price again, and it holds from then on.",
  provider: "A provider that was added is removed on its own page, with its credential.",
  person: "Nobody is forgotten: somebody who was let in is shut out in the settings.",
  approval: "A decision stands. What was changed by it has an entry of its own.",
  drill: "A drill ends by itself and leaves nothing behind.",
  install: "The first start of an installation cannot be undone.",
};

function Summary({ change }: { change: Change }) {
  const link = subjectLink(change);
  return (
    <section aria-label="Summary">
      <Facts>
        <Fact name="Subject">
          {link ? (
            <Link to={link.to} search={link.search}>
              {change.subject}
            </Link>
          ) : (
            change.subject
          )}
        </Fact>
        <Fact name="When">
          <RelativeTime value={change.at} format="full" />
        </Fact>
        <Fact name="Who">
          {change.actor}, {sourceWords(change.source)}
        </Fact>
        {change.approval ? (
          <Fact name="Approval">
            <span className="mono">{change.approval}</span>
          </Fact>
        ) : null}
        <Fact name="Entry">
          <span className="tabular">{change.seq}</span>
        </Fact>
        <Fact name="Fingerprint">
          <span className={classes.hash}>
            <span className="mono" title="The first 12 hex digits of the entry's SHA-256">
              {change.hash}
            </span>
            <CopyButton text={change.hash} what="fingerprint" />
          </span>
        </Fact>
      </Facts>
    </section>
  );
}

/** As a diff where both sides can be read as structures, else as the text they are. */
function States({ change }: { change: Change }) {
  const { before, after } = change;
  if (before === null && after === null) {
    return <p className="muted">This entry keeps no values.</p>;
  }
  if (isJson(before) && isJson(after)) {
    return <JsonDiff before={before} after={after} context={CONTEXT_LINES} />;
  }
  return (
    <div className={classes.texts}>
      <p className={classes.caption}>Before</p>
      <MonoBox label="Before" text={before ?? "(nothing)"} maxHeight={240} />
      <p className={classes.caption}>After</p>
      <MonoBox label="After" text={after ?? "(nothing)"} maxHeight={240} />
    </div>
  );
}
