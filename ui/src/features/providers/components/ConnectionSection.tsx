import { Button, Switch } from "@mantine/core";
import { type UseMutationResult, useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { CheckResult, Provider, ProviderPatch } from "@/bindings";
import { ConfirmButton } from "@/components/ConfirmButton";
import { CopyButton } from "@/components/CopyButton";
import { RelativeTime } from "@/components/RelativeTime";
import { notifySuccess, notifyUndo } from "@/lib/notices";
import { clearCredentialMutationOptions, switchProviderMutationOptions } from "../mutations";
import { credentialWords, kindLabel } from "../model";
import { authWords } from "../auth";
import { BaseUrlForm } from "./BaseUrlForm";
import { CheckOutcome } from "./CheckOutcome";
import { KeyEntry } from "./KeyEntry";
import { LimitForm } from "./LimitForm";
import classes from "./parts.module.css";

type Props = {
  provider: Provider;
  verify: UseMutationResult<CheckResult, Error, string>;
};

/** Where it is, what opens it, and whether that works. */
export function ConnectionSection({ provider, verify }: Props) {
  const [moving, setMoving] = useState(false);
  const callable = provider.ready.code !== "no_adapter";
  return (
    <section className={classes.section}>
      <h3>Connection</h3>
      <dl className={classes.facts}>
        <Fact name="In use">
          <OnSwitch provider={provider} />
        </Fact>
        <Fact name="Kind">
          <span className={classes.plain}>{kindLabel(provider.kind)}</span>
        </Fact>
        <Fact name="Base URL">
          {moving ? (
            <BaseUrlForm
              provider={provider}
              onCancel={() => setMoving(false)}
              onSaved={(moved) => {
                setMoving(false);
                notifySuccess(`${moved.name} moved`, moved.base_url);
                if (moved.credential.state !== "missing") verify.mutate(moved.name);
              }}
            />
          ) : (
            <span className={classes.line}>
              <span className="mono">{provider.base_url}</span>
              <CopyButton text={provider.base_url} what="base URL of the provider" />
              {provider.builtin ? null : (
                <Button
                  variant="subtle"
                  size="compact-sm"
                  onClick={() => setMoving(true)}
                  data-testid="provider-base-url-change"
                >
                  Change
                </Button>
              )}
            </span>
          )}
        </Fact>
        <Fact name="Credential">
          <CredentialFact provider={provider} onSaved={() => verify.mutate(provider.name)} />
        </Fact>
        {provider.auth.scheme === "vendor" ? null : (
          <Fact name="Key travels">
            <span className={classes.plain}>{authWords(provider.auth)}</span>
          </Fact>
        )}
        {provider.builtin ? null : (
          <Fact name="Calls at once">
            <LimitForm key={provider.max_concurrent ?? 0} provider={provider} />
          </Fact>
        )}
        {callable ? (
          <Fact name="Last check">
            <CheckOutcome
              check={provider.last_check}
              running={verify.isPending}
              error={verify.error}
              action={
                <Button
                  className={classes.atEnd}
                  variant="default"
                  size="compact-sm"
                  disabled={verify.isPending || provider.credential.state === "missing"}
                  title="Asks for the list of models, which is free"
                  onClick={() => verify.mutate(provider.name)}
                  data-testid="provider-verify"
                >
                  {provider.last_check ? "Check again" : "Verify"}
                </Button>
              }
            />
          </Fact>
        ) : null}
      </dl>
    </section>
  );
}

function switchPatch(from: Provider, enabled: boolean): ProviderPatch {
  return { name: from.name, base_version: from.version, base_url: null, enabled };
}

function OnSwitch({ provider }: { provider: Provider }) {
  const change = useMutation(switchProviderMutationOptions());
  const set = (enabled: boolean) =>
    change.mutate(switchPatch(provider, enabled), {
      onSuccess: (changed) =>
        notifyUndo(
          `${changed.name} is switched ${enabled ? "on" : "off"}`,
          // What goes wrong shows as a notice of the mutation itself.
          () => change.mutateAsync(switchPatch(changed, !enabled)).catch(() => undefined),
          enabled ? "Routes use it again." : "Routes skip it from now on.",
        ),
    });
  return (
    <Switch
      size="xs"
      className={classes.plain}
      styles={{ label: { fontSize: 13, lineHeight: "20px" }, body: { alignItems: "center" } }}
      checked={change.isPending ? (change.variables.enabled ?? false) : provider.enabled}
      onChange={(event) => set(event.currentTarget.checked)}
      disabled={change.isPending}
      label={provider.enabled ? "On" : "Off"}
      aria-label={`Use ${provider.name}`}
      data-testid="provider-enabled"
    />
  );
}

function CredentialFact({ provider, onSaved }: { provider: Provider; onSaved: () => void }) {
  const clear = useMutation(clearCredentialMutationOptions());
  const [replacing, setReplacing] = useState(false);
  const { credential, name } = provider;
  const stored = credential.hint !== null;
  const given = stored || credential.env_var !== null;
  const asks = credential.state === "missing" && !given;
  const saved = () => {
    setReplacing(false);
    notifySuccess(`${name} has a new key`);
    onSaved();
  };
  return (
    <>
      <span className={classes.line}>
        <span>
          <span className={stored ? "mono" : undefined}>{credentialWords(credential)}</span>
          {credential.set_at ? (
            <span className="muted">
              {" "}
              set <RelativeTime value={credential.set_at} format="clock" />
            </span>
          ) : null}
        </span>
        {provider.builtin || asks ? null : (
          <Button
            variant="subtle"
            size="compact-sm"
            onClick={() => setReplacing(!replacing)}
            aria-expanded={replacing}
            data-testid="provider-replace-key"
          >
            {replacing ? "Cancel" : given ? "Replace" : "Give it one"}
          </Button>
        )}
        {given ? (
          <ConfirmButton
            label="Clear"
            title={`Remove the key of ${name}?`}
            consequence={
              <>
                Signalbox forgets it for good and routes skip {name} until it has a new one. The key
                itself stays valid at the provider; revoke it there if it has leaked.
              </>
            }
            verb="Remove key"
            onConfirm={() => clear.mutate(name)}
            disabled={clear.isPending}
            data-testid="provider-clear-key"
          />
        ) : null}
      </span>
      {asks || replacing ? <KeyEntry provider={name} onSaved={saved} /> : null}
    </>
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
