import type { CandidateView, Verdict } from "@/bindings";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge, type Tone } from "@/components/StatusBadge";
import classes from "./DecisionTable.module.css";

type Props = { label: string; candidates: readonly CandidateView[] };

const VERDICTS: Record<Verdict, { tone: Tone; word: string }> = {
  chosen: { tone: "ok", word: "Chosen" },
  standby: { tone: "neutral", word: "Standby" },
  rejected: { tone: "warn", word: "Rejected" },
};

/** Every target that was considered: in which order, why or why not, until when, and what it may cost. */
export function DecisionTable({ label, candidates }: Props) {
  const scored = candidates.some((candidate) => candidate.score !== null);
  return (
    <table className={classes.table} aria-label={label}>
      <thead>
        <tr>
          <th scope="col">
            <span className="visually-hidden">Order</span>
          </th>
          <th scope="col">Target and reason</th>
          <th scope="col">Verdict</th>
          {scored ? (
            <th scope="col" className={classes.end}>
              Score
            </th>
          ) : null}
          <th scope="col" className={classes.end}>
            At most
          </th>
        </tr>
      </thead>
      <tbody>
        {candidates.map((candidate, index) => (
          <Candidate
            key={`${index} ${candidate.provider}/${candidate.model}`}
            candidate={candidate}
            scored={scored}
          />
        ))}
      </tbody>
    </table>
  );
}

function Candidate({ candidate, scored }: { candidate: CandidateView; scored: boolean }) {
  const verdict = VERDICTS[candidate.verdict];
  return (
    <tr data-verdict={candidate.verdict}>
      <td className={classes.order}>{candidate.order ?? "–"}</td>
      <td>
        <span className={classes.target}>
          <span className="muted">{candidate.provider}/</span>
          {candidate.model}
        </span>
        <span className={classes.reason} title={candidate.reason_code}>
          {candidate.reason}
          {candidate.until === null ? null : (
            <>
              , until <RelativeTime value={candidate.until} format="clock" />
            </>
          )}
        </span>
      </td>
      <td>
        <StatusBadge tone={verdict.tone}>{verdict.word}</StatusBadge>
      </td>
      {scored ? <td className={classes.end}>{candidate.score ?? "–"}</td> : null}
      <td className={classes.end}>
        <Money value={candidate.estimate} />
      </td>
    </tr>
  );
}
