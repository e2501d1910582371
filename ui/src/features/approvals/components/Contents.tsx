import { IconAlertTriangle, IconArrowRight } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ApprovalDetail, ApprovalRow, AskedChange, PreviousApproval, Tag } from "@/bindings";
import { CopyButton } from "@/components/CopyButton";
import { Fact, Facts, FactSection } from "@/components/Facts";
import { JsonDiff } from "@/components/JsonDiff";
import { Money } from "@/components/Money";
import { MonoBox } from "@/components/MonoBox";
import { RelativeTime } from "@/components/RelativeTime";
import { formatCount, plural } from "@/lib/numbers";
import { impactWords, sentenceParts, suspicions } from "../model";
import classes from "./approvals.module.css";
import { BudgetEffects } from "./BudgetEffects";
import { MonthlyCost } from "./Cost";
import { RiskBadge, StateBadge } from "./RiskBadge";

/** Unchanged lines around each changed one. */
const CONTEXT_LINES = 2;

type Props = {
  detail: ApprovalDetail;
  /** Another target it shall run on. */
  target: string | null;
};

/** What is decided on, exactly as it will run. */
export function Contents({ detail, target }: Props) {
  const { row, change } = detail;
  const [first = row.subject, ...others] = sentenceParts(row.sentence);
  return (
    <div className={classes.sections}>
      <header className={classes.title}>
        <h2>{first}</h2>
        <span className={classes.badges}>
          <RiskBadge risk={row.risk} boxed />
          {row.state === "pending" ? null : <StateBadge state={row.state} boxed />}
        </span>
      </header>
      {others.length > 0 ? <Sentences sentences={others} /> : null}
      {detail.reasons.length > 0 ? (
        <section aria-label="Why a person is asked" data-testid="approval-why">
          <Sentences sentences={detail.reasons} />
        </section>
      ) : null}
      <Summary detail={detail} target={target} />
      {row.decided_at === null && row.reason === null ? null : <Decision row={row} />}
      <BudgetEffects effects={detail.budgets} elsewhere={target !== null} />
      {change ? <Change change={change} row={row} /> : <Request detail={detail} />}
      <FactSection title="Fingerprint">
        <p className={classes.hash}>
          <span className="mono" data-testid="approval-fingerprint">
            {row.hash}
          </span>
          <CopyButton text={row.hash} what="fingerprint" />
        </p>
        <p className="muted caption">
          SHA-256 of all that is agreed to. The decision holds for this and nothing else, once.
        </p>
      </FactSection>
    </div>
  );
}

function Sentences({ sentences }: { sentences: readonly string[] }) {
  return (
    <ul className={classes.sentences}>
      {sentences.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}

function Summary({ detail, target }: Props) {
  const { row } = detail;
  return (
    <Facts>
      {row.kind === "request" ? <RequestFacts detail={detail} target={target} /> : null}
      <Fact name="Asked by">
        {row.submitter} <span className="muted">· {row.origin}</span>
      </Fact>
      {detail.user === null ? null : <Fact name="For the user">{detail.user}</Fact>}
      <Fact name="Asked">
        <RelativeTime value={row.created_at} />
        {row.repeats > 0 ? (
          <span className="muted">
            {" "}
            · {plural(row.repeats, "identical retry", "identical retries")}
          </span>
        ) : null}
      </Fact>
      <Fact name="Expires">
        <RelativeTime value={row.expires_at} format="clock" />
      </Fact>
      {row.request_id === null ? null : (
        <Fact name="Used by">
          <Link to="/logs" search={{ request: row.request_id }}>
            the request in the log
          </Link>
        </Fact>
      )}
    </Facts>
  );
}

function RequestFacts({ detail, target }: Props) {
  const { row } = detail;
  return (
    <>
      {detail.method !== null && detail.path !== null ? (
        <Fact name="What">
          <span className="mono">
            {detail.method} {detail.path}
          </span>
        </Fact>
      ) : null}
      <Fact name="Operation">
        <Link to="/operations" search={{ operation: row.subject }}>
          {row.subject}
        </Link>
      </Fact>
      <Fact name="Runs on">
        <Targets named={detail.targets} chosen={target ?? row.decided_target} />
      </Fact>
      <Fact name="At most">
        <strong>
          <Money value={row.max_cost} absent="Nobody knows what it may cost" />
        </strong>
        {detail.tokens_in === null ? null : (
          <span className="muted"> · {plural(detail.tokens_in, "input token")}</span>
        )}
      </Fact>
      {detail.tags.map((tag) => (
        <Fact key={tag.name} name={`Tag ${tag.name}`}>
          {tag.value}
        </Fact>
      ))}
    </>
  );
}

/** The first target and those that follow when it fails; or the one it is sent to instead, and only there. */
function Targets({ named, chosen }: { named: readonly string[]; chosen: string | null }) {
  const [first = "what its route chooses", ...others] = named;
  if (chosen !== null && chosen !== first)
    return (
      <span className={classes.swap}>
        <s className="muted mono">{first}</s>
        <IconArrowRight size={14} aria-label="instead" />
        <span className="mono">{chosen}</span>
        <span className="muted">and nowhere else</span>
      </span>
    );
  return (
    <span className={classes.swap}>
      <span className="mono">{first}</span>
      {others.length > 0 ? (
        <span className="muted">
          if it fails: <span className="mono">{others.join(", ")}</span>
        </span>
      ) : null}
    </span>
  );
}

function Decision({ row }: { row: ApprovalRow }) {
  return (
    <FactSection title="Decision">
      <Facts>
        <Fact name="Who">{row.decided_by ?? "nobody"}</Fact>
        <Fact name="When">
          <RelativeTime value={row.decided_at} format="full" />
        </Fact>
      </Facts>
      {row.reason === null ? null : <MonoBox label="Why" text={row.reason} maxHeight={120} />}
    </FactSection>
  );
}

function Change({ change, row }: { change: AskedChange; row: ApprovalRow }) {
  const { text, rests } = impactWords(change.impact);
  return (
    <>
      <FactSection title="Before and after">
        <JsonDiff before={change.before} after={change.after} context={CONTEXT_LINES} />
      </FactSection>
      <FactSection title="Cost in a month">
        <p className={classes.impact}>
          <MonthlyCost value={row.monthly_impact} absent="Not known" />
        </p>
        {/* Its own words say what they rest on. */}
        <p className="muted">{text ?? rests}</p>
      </FactSection>
    </>
  );
}

function Request({ detail }: { detail: ApprovalDetail }) {
  return (
    <>
      <FactSection title="The request, exactly as it will run">
        {detail.shown === null ? (
          <p className="muted" data-testid="approval-no-body">
            Its text is not kept once nothing can come of it any more.
          </p>
        ) : (
          <>
            {suspicions(detail.shown).map((sentence) => (
              <p key={sentence} className={classes.warning} role="note">
                <IconAlertTriangle size={14} aria-hidden /> {sentence}
              </p>
            ))}
            <MonoBox
              label="The request"
              text={detail.shown}
              maxHeight={360}
              data-testid="approval-body"
            />
          </>
        )}
        <Parameters parameters={detail.parameters} />
      </FactSection>
      <FactSection title="Against the last approved like it">
        <Previous previous={detail.previous} />
      </FactSection>
    </>
  );
}

function Parameters({ parameters }: { parameters: readonly Tag[] }) {
  if (parameters.length === 0) return null;
  return (
    <ul className={classes.parameters} aria-label="Parameters">
      {parameters.map(({ name, value }) => (
        <li key={name}>
          <span className="muted">{name}</span> <span className="mono">{value}</span>
        </li>
      ))}
    </ul>
  );
}

function Previous({ previous }: { previous: PreviousApproval | null }) {
  if (previous === null) return <p className="muted">None like it has been approved yet.</p>;
  const { differences } = previous;
  return (
    <>
      <p className="muted">
        {previous.decided_by} approved it <RelativeTime value={previous.decided_at} />.{" "}
        {differences.length === 0
          ? "This one is the same."
          : `This one differs in ${formatCount(differences.length)}:`}
      </p>
      {differences.length === 0 ? null : (
        <table className={classes.differences} data-testid="approval-differences">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">Then</th>
              <th scope="col">Now</th>
            </tr>
          </thead>
          <tbody>
            {differences.map(({ name, before, after }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td className="mono">{before ?? "–"}</td>
                <td className="mono">{after ?? "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
