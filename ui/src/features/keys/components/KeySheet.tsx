import { Button } from "@mantine/core";
import { IconClockPause, IconRefresh } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { ApiKey, Operation } from "@/bindings";
import { ConfirmButton } from "@/components/ConfirmButton";
import { CopyButton } from "@/components/CopyButton";
import { Fact, Facts, FactSection } from "@/components/Facts";
import { RelativeTime } from "@/components/RelativeTime";
import { Sheet } from "@/components/Sheet";
import { SheetSteps } from "@/components/SheetSteps";
import { StatusBadge } from "@/components/StatusBadge";
import { Expiry, KeyStateBadge } from "../columns";
import { IDLE_DAYS, maskedKey, snippetOperations } from "../model";
import { endOverlapMutationOptions } from "../mutations";
import { BudgetsSection } from "./BudgetsSection";
import classes from "./KeySheet.module.css";
import { LimitsSection } from "./LimitsSection";
import { OwnCredentialsSection } from "./OwnCredentialsSection";
import { ScopeSection } from "./ScopeSection";
import { Snippets } from "@/components/Snippets";

type Props = {
  apiKey: ApiKey;
  baseUrl: string | undefined;
  operations: readonly Operation[];
  onClose: () => void;
  onRotate: () => void;
  onRevoke: () => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
};

/** One key: what it may do, who uses it, how to use it, and its end. */
export function KeySheet(props: Props) {
  const { apiKey, baseUrl, operations, onClose, onRotate, onRevoke, onPrevious, onNext } = props;
  const [scoping, setScoping] = useState<string>();
  const active = apiKey.state === "active";
  const revoked = apiKey.state === "revoked";
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
        {scoping === apiKey.id ? (
          <ScopeSection apiKey={apiKey} onDone={() => setScoping(undefined)} />
        ) : revoked ? null : (
          <div className={classes.actions}>
            <Button
              variant="default"
              h={32}
              onClick={() => setScoping(apiKey.id)}
              data-testid="key-detail-scope"
            >
              {active ? "Change scope" : "Give it more time"}
            </Button>
            {active ? (
              <Button
                variant="default"
                h={32}
                leftSection={<IconRefresh size={14} aria-hidden />}
                onClick={onRotate}
                data-testid="key-detail-rotate"
              >
                Rotate
              </Button>
            ) : null}
          </div>
        )}
        <LimitsSection key={apiKey.id} apiKey={apiKey} />
        {revoked ? null : <BudgetsSection apiKey={apiKey} />}
        {active ? <OwnCredentialsSection key={`own ${apiKey.id}`} apiKey={apiKey} /> : null}
        {active && baseUrl !== undefined ? (
          <FactSection title="Use it">
            <Snippets
              baseUrl={baseUrl}
              operations={snippetOperations(operations, apiKey.operations)}
            />
          </FactSection>
        ) : null}
        {revoked ? null : (
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
        )}
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
        {apiKey.former === null ? null : (
          <Fact name="Old secret">
            <FormerSecret apiKey={apiKey} former={apiKey.former} />
          </Fact>
        )}
        <Fact name="Owner">{apiKey.owner ?? <span className="muted">nobody named</span>}</Fact>
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
        <Fact name="May go to">
          {apiKey.targets.length === 0
            ? "wherever routes lead"
            : apiKey.targets.map((target) => (
                <Link
                  key={target}
                  to="/providers"
                  search={{ provider: target.split("/")[0] }}
                  className={classes.tag}
                >
                  {target}
                </Link>
              ))}
        </Fact>
        <Fact name="Expires">
          <Expiry apiKey={apiKey} format="full" />
        </Fact>
        <Fact name="Created">
          <RelativeTime value={apiKey.created_at} format="full" />
        </Fact>
        <Fact name="Last used">
          <RelativeTime value={apiKey.last_used_at} format="full" absent="never" />
          {apiKey.last_used_for === null ? null : (
            <span className="muted"> for {apiKey.last_used_for}</span>
          )}
          {apiKey.idle ? (
            <StatusBadge tone="warn" icon={IconClockPause}>
              unused for {IDLE_DAYS} days
            </StatusBadge>
          ) : null}
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

/** The secret before the last rotation, and a way to end it early. */
function FormerSecret({
  apiKey,
  former,
}: {
  apiKey: ApiKey;
  former: NonNullable<ApiKey["former"]>;
}) {
  const end = useMutation(endOverlapMutationOptions());
  return (
    <span className={classes.former}>
      <span>
        <span className="mono">…{former.last4}</span> opens until{" "}
        <RelativeTime value={former.until} />
      </span>
      <ConfirmButton
        label="End now"
        title={`End the overlap of ${apiKey.name}?`}
        consequence={
          <p>
            Programs that still use the secret that ends in{" "}
            <span className="mono">{former.last4}</span> are refused (401) from their next request
            on.
          </p>
        }
        verb="End overlap"
        onConfirm={() => end.mutate(apiKey.id)}
        disabled={end.isPending}
        data-testid="key-end-overlap"
      />
    </span>
  );
}
