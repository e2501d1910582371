import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { RequestDetail } from "@/bindings";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import classes from "./RequestSheet.module.css";

type Props = { detail: RequestDetail };

const SURFACES: Readonly<Record<string, string>> = {
  openai_chat: "OpenAI chat completions",
  openai_responses: "OpenAI responses",
  openai_embeddings: "OpenAI embeddings",
  openai_transcription: "OpenAI transcription",
  openai_speech: "OpenAI speech",
  anthropic_messages: "Anthropic messages",
};

export function SummarySection({ detail }: Props) {
  const { row } = detail;
  return (
    <section className={classes.section}>
      <h3>Summary</h3>
      <dl className={classes.facts}>
        <Fact name="Operation">
          <Link to="/operations" search={{ operation: row.operation }}>
            {row.operation}
          </Link>
        </Fact>
        <Fact name="Answered by">
          {row.provider === null ? (
            "no target was reached"
          ) : (
            <>
              <Link to="/providers" search={{ provider: row.provider }}>
                {row.provider}
              </Link>
              /{row.model}
              {row.simulated ? <span className="muted"> (simulated, costs nothing)</span> : null}
              {row.cached ? (
                <span className="muted"> earlier; this time from the cache</span>
              ) : null}
            </>
          )}
        </Fact>
        <Fact name="Asked for">
          <span className="mono">{detail.requested_model}</span>
        </Fact>
        <Fact name="Started">
          <RelativeTime value={row.started_at} format="full" />
        </Fact>
        <Fact name="Interface">
          {SURFACES[detail.surface] ?? detail.surface}, {row.streamed ? "streamed" : "in one piece"}
        </Fact>
        {detail.finish_reason ? <Fact name="Finished by">{detail.finish_reason}</Fact> : null}
        <Fact name="Key">{row.key_name ?? "–"}</Fact>
        {row.user ? <Fact name="User">{row.user}</Fact> : null}
        {detail.tags.length > 0 ? (
          <Fact name="Tags">
            {detail.tags.map((tag) => (
              <span key={tag.name} className={classes.tag}>
                {tag.name}={tag.value}
              </span>
            ))}
          </Fact>
        ) : null}
        <Fact name="Estimate before">
          {detail.estimate === null ? (
            "none, a price is missing"
          ) : (
            <>
              at most <Money value={detail.estimate} />
            </>
          )}
        </Fact>
        <Fact name="Configuration">revision {detail.config_revision}</Fact>
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
