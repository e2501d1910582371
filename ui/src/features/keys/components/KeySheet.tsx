import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ApiKey, Operation } from "@/bindings";
import { CopyButton } from "@/components/CopyButton";
import { Fact, Facts, FactSection } from "@/components/Facts";
import { RelativeTime } from "@/components/RelativeTime";
import { Sheet } from "@/components/Sheet";
import { SheetSteps } from "@/components/SheetSteps";
import { KeyStateBadge } from "../columns";
import { maskedKey, snippetOperations } from "../model";
import classes from "./KeySheet.module.css";
import { LimitsSection } from "./LimitsSection";
import { Snippets } from "@/components/Snippets";

type Props = {
  apiKey: ApiKey;
  baseUrl: string | undefined;
  operations: readonly Operation[];
  onClose: () => void;
  onRevoke: () => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
};

/** One key: what it may do, who uses it, how to use it, and its end. */
export function KeySheet(props: Props) {
  const { apiKey, baseUrl, operations, onClose, onRevoke, onPrevious, onNext } = props;
  const active = apiKey.revoked_at === null;
  return (
    <Sheet
      label={`Key ${apiKey.name}`}
      title={
        <span className={classes.title}>
          <span className="ellipsis">{apiKey.name}</span>
          <KeyStateBadge apiKey={apiKey} boxed />
        </span>
      }
      actions={<SheetSteps what="key" onPrevious={onPrevious} onNext={onNext} />}
      onClose={onClose}
      data-testid="key-detail"
    >
      <div className={classes.sections}>
        <Summary apiKey={apiKey} />
        <LimitsSection key={apiKey.id} apiKey={apiKey} />
        {active && baseUrl !== undefined ? (
          <FactSection title="Use it">
            <Snippets
              baseUrl={baseUrl}
              operations={snippetOperations(operations, apiKey.operations)}
            />
          </FactSection>
        ) : null}
        {active ? (
          <FactSection title="Revoke">
            <p className={classes.text}>
              For a program that is gone, or a key that somebody else has seen. It cannot be undone.
            </p>
            <Button
              variant="outline"
              color="critical"
              h={32}
              onClick={onRevoke}
              data-testid="key-detail-revoke"
            >
              Revoke key
            </Button>
          </FactSection>
        ) : null}
      </div>
    </Sheet>
  );
}

function Summary({ apiKey }: { apiKey: ApiKey }) {
  return (
    <section aria-label="Summary">
      <Facts>
        <Fact name="Key">
          <span className="mono">{maskedKey(apiKey)}</span>
        </Fact>
        <Fact name="May use">
          {apiKey.operations.length === 0
            ? "every operation, also ones added later"
            : apiKey.operations.map((operation) => (
                <Link
                  key={operation}
                  to="/operations"
                  search={{ operation }}
                  className={classes.tag}
                >
                  {operation}
                </Link>
              ))}
        </Fact>
        <Fact name="Created">
          <RelativeTime value={apiKey.created_at} format="full" />
        </Fact>
        <Fact name="Last used">
          <RelativeTime value={apiKey.last_used_at} format="full" absent="never" />
        </Fact>
        {apiKey.revoked_at === null ? null : (
          <Fact name="Revoked">
            <RelativeTime value={apiKey.revoked_at} format="full" />
          </Fact>
        )}
        <Fact name="Id">
          <span className={classes.id}>
            <span className="mono ellipsis">{apiKey.id}</span>
            <CopyButton text={apiKey.id} what="key id" />
          </span>
        </Fact>
        <Fact name="See also">
          <Link to="/logs" search={{ key_id: apiKey.id }}>
            Requests with this key
          </Link>
          {" · "}
          <Link to="/changes" search={{ kind: "key", subject: apiKey.name }}>
            Its changes
          </Link>
        </Fact>
      </Facts>
    </section>
  );
}
