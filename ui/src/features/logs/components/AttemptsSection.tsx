import type { AttemptOutcome, AttemptView } from "@/bindings";
import { Duration } from "@/components/Duration";
import { Money } from "@/components/Money";
import { MonoBox } from "@/components/MonoBox";
import { StatusBadge, type Tone } from "@/components/StatusBadge";
import { formatDuration } from "@/lib/duration";
import { plural } from "@/lib/numbers";
import { layoutWaterfall, type WaterfallBar } from "../waterfall";
import classes from "./AttemptsSection.module.css";
import sheet from "./RequestSheet.module.css";

type Props = {
  attempts: readonly AttemptView[];
  inFlight: boolean;
  /** The answer of an earlier, identical request was given again. */
  cached: boolean;
};

const OUTCOMES: Record<AttemptOutcome, { tone: Tone; word: string }> = {
  succeeded: { tone: "ok", word: "Answered" },
  failed: { tone: "critical", word: "Failed" },
  cancelled: { tone: "neutral", word: "Cancelled" },
  interrupted: { tone: "warn", word: "Interrupted" },
};

/** Each call to a provider on one time axis: waiting for the first token, then receiving. */
export function AttemptsSection({ attempts, inFlight, cached }: Props) {
  const { span, ticks, bars } = layoutWaterfall(
    attempts.map((attempt) => ({
      started: attempt.started_ms ?? 0,
      firstToken: attempt.first_token_ms,
      finished: attempt.finished_ms ?? attempt.started_ms ?? 0,
    })),
  );
  return (
    <section className={sheet.section}>
      <h3>
        Attempts <span className="muted tabular">{attempts.length}</span>
      </h3>
      {attempts.length === 0 ? (
        <p className="muted">
          {inFlight
            ? "The first attempt is running."
            : cached
              ? "No provider was called: an identical request had been answered before."
              : "No provider was called: the request ended before one was chosen."}
        </p>
      ) : (
        <>
          <div className={classes.axis} aria-hidden>
            {ticks.map((tick) => (
              <span key={tick} style={{ left: `${(tick / span) * 100}%` }}>
                {formatDuration(tick)}
              </span>
            ))}
          </div>
          <ol className={classes.list} aria-label={plural(attempts.length, "attempt")}>
            {attempts.map((attempt, index) => (
              <Attempt key={attempt.ordinal} attempt={attempt} bar={bars[index]} />
            ))}
          </ol>
          <p className={classes.legend} aria-hidden>
            <span className={classes.swatch} data-part="wait" /> waiting for the first token
            <span className={classes.swatch} data-part="receive" /> receiving
          </p>
        </>
      )}
    </section>
  );
}

function Attempt({ attempt, bar }: { attempt: AttemptView; bar: WaterfallBar | undefined }) {
  const outcome = OUTCOMES[attempt.outcome];
  const started = attempt.started_ms ?? 0;
  return (
    <li className={classes.attempt} data-testid={`attempt-${attempt.ordinal}`}>
      <div className={classes.head}>
        <span className={classes.ordinal}>{attempt.ordinal}</span>
        <span className="ellipsis">
          <span className="muted">{attempt.provider}/</span>
          {attempt.model}
        </span>
        <StatusBadge tone={outcome.tone}>
          {outcome.word}
          {attempt.failure ? `: ${attempt.failure.replaceAll("_", " ")}` : ""}
        </StatusBadge>
      </div>
      {bar ? (
        <div className={classes.track} aria-hidden>
          <span
            className={classes.bar}
            data-part="wait"
            data-outcome={attempt.outcome}
            style={{ left: `${bar.left}%`, width: `${bar.wait}%` }}
          />
          <span
            className={classes.bar}
            data-part="receive"
            data-outcome={attempt.outcome}
            style={{ left: `${bar.left + bar.wait}%`, width: `${bar.receive}%` }}
          />
        </div>
      ) : null}
      <p className={classes.facts}>
        <span>
          from <Duration ms={attempt.started_ms} />
        </span>
        <span>
          took <Duration ms={attempt.finished_ms === null ? null : attempt.finished_ms - started} />
        </span>
        {attempt.first_token_ms === null ? (
          <span>no token came</span>
        ) : (
          <span>
            first token after <Duration ms={attempt.first_token_ms - started} />
          </span>
        )}
        {attempt.http_status === null ? null : <span>HTTP {attempt.http_status}</span>}
        <span>
          cost <Money value={attempt.cost} absent="unpriced" />
        </span>
      </p>
      {attempt.message ? (
        <MonoBox label={`What ${attempt.provider} said`} text={attempt.message} maxHeight={120} />
      ) : null}
    </li>
  );
}
