import { Link } from "@tanstack/react-router";
import type { FailureNote } from "@/bindings";
import { Duration } from "@/components/Duration";
import { MonoBox } from "@/components/MonoBox";
import { RelativeTime } from "@/components/RelativeTime";
import { failureWord } from "@/lib/failures";
import classes from "./FailureList.module.css";

type Props = { label: string; failures: readonly FailureNote[] };

/** Calls that failed: what kind of failure, what the provider said, how long it took, and the request behind it. */
export function FailureList({ label, failures }: Props) {
  return (
    <ol className={classes.list} aria-label={label}>
      {failures.map((failure, index) => (
        <li key={`${failure.at} ${index}`} data-testid="failure-note">
          <div className={classes.line}>
            <RelativeTime value={failure.at} format="clock" />
            <strong title={failure.kind}>{failureWord(failure.kind)}</strong>
            {failure.http_status === null ? null : (
              <span className="muted tabular">status {failure.http_status}</span>
            )}
            <span className="muted">
              after <Duration ms={failure.latency_ms} />
            </span>
            {failure.request_id === null ? null : (
              <span className={classes.link}>
                <Link to="/logs" search={{ request: failure.request_id }}>
                  Request
                </Link>
              </span>
            )}
          </div>
          {failure.message === "" ? null : (
            <MonoBox
              label={`What the provider said at ${failure.at}`}
              text={failure.message}
              maxHeight={96}
            />
          )}
        </li>
      ))}
    </ol>
  );
}
