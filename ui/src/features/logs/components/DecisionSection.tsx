import type { CandidateView, DecisionView, Verdict } from "@/bindings";
import { Money } from "@/components/Money";
import { StatusBadge, type Tone } from "@/components/StatusBadge";
import classes from "./RequestSheet.module.css";

type Props = { decision: DecisionView };

const VERDICTS: Record<Verdict, { tone: Tone; word: string }> = {
  chosen: { tone: "ok", word: "Chosen" },
  standby: { tone: "neutral", word: "Standby" },
  rejected: { tone: "warn", word: "Rejected" },
};

/** Which targets were considered, in which order, and why. */
export function DecisionSection({ decision }: Props) {
  return (
    <section className={classes.section} data-testid="decision">
      <h3>
        Why this model? <span className="muted">{decision.strategy}</span>
      </h3>
      <p>{decision.summary}</p>
      {decision.candidates.length === 0 ? null : (
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Order</th>
              <th scope="col">Target</th>
              <th scope="col">Verdict</th>
              <th scope="col">Reason</th>
              <th scope="col" className={classes.end}>
                At most
              </th>
            </tr>
          </thead>
          <tbody>
            {decision.candidates.map((candidate) => (
              <Candidate
                key={`${candidate.order ?? "-"}${candidate.provider}/${candidate.model}`}
                candidate={candidate}
              />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Candidate({ candidate }: { candidate: CandidateView }) {
  const verdict = VERDICTS[candidate.verdict];
  return (
    <tr className={candidate.verdict === "rejected" ? classes.rejected : undefined}>
      <td className="tabular">{candidate.order ?? "–"}</td>
      <td>
        <span className="muted">{candidate.provider}/</span>
        {candidate.model}
      </td>
      <td>
        <StatusBadge tone={verdict.tone}>{verdict.word}</StatusBadge>
      </td>
      <td title={candidate.reason_code}>{candidate.reason}</td>
      <td className={classes.end}>
        <Money value={candidate.estimate} />
      </td>
    </tr>
  );
}
