import { Button, Select } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { providersQueryOptions } from "@/api/queries";
import type { ApiKey, OwnCredential } from "@/bindings";
import { ConfirmButton } from "@/components/ConfirmButton";
import { FactSection } from "@/components/Facts";
import { RelativeTime } from "@/components/RelativeTime";
import { SecretEntry } from "@/components/SecretEntry";
import { StatusBadge } from "@/components/StatusBadge";
import { notifySuccess } from "@/lib/notices";
import {
  clearOwnCredentialMutationOptions,
  pasteOwnCredentialMutationOptions,
  setOwnCredentialMutationOptions,
} from "../mutations";
import classes from "./OwnCredentialsSection.module.css";

/** What the key's owner brings along: with it, requests to that provider are at the owner's own cost. */
export function OwnCredentialsSection({ apiKey }: { apiKey: ApiKey }) {
  const [adding, setAdding] = useState(false);
  const own = apiKey.own_credentials;
  return (
    <FactSection
      title="Own credentials"
      aside={
        adding ? null : (
          <Button
            variant="default"
            size="compact-sm"
            onClick={() => setAdding(true)}
            data-testid="key-own-add"
          >
            {own.length === 0 ? "Bring one" : "Bring another"}
          </Button>
        )
      }
    >
      <p className={classes.hint}>
        With a credential of the owner&apos;s own, this key&apos;s requests to that provider use it.
        Their cost is tracked and counts against the budgets of this key and its users only.
      </p>
      {own.length === 0 ? null : (
        <ul className={classes.list}>
          {own.map((credential) => (
            <Own key={credential.provider} apiKey={apiKey} credential={credential} />
          ))}
        </ul>
      )}
      {adding ? <AddOwn apiKey={apiKey} onDone={() => setAdding(false)} /> : null}
    </FactSection>
  );
}

function Own({ apiKey, credential }: { apiKey: ApiKey; credential: OwnCredential }) {
  const clear = useMutation(clearOwnCredentialMutationOptions());
  const { provider, hint, set_at: setAt, ready } = credential;
  return (
    <li data-testid="key-own">
      <strong>{provider}</strong>
      <span>
        <span className="mono">{hint}</span>
        <span className="muted">
          {" "}
          set <RelativeTime value={setAt} />
        </span>
      </span>
      {ready ? (
        <StatusBadge tone="ok">In use</StatusBadge>
      ) : (
        <StatusBadge
          tone="warn"
          title="It was given for another address of the provider, or secrets are sealed. Requests with this key do not go there until it is given again."
        >
          Cannot be read
        </StatusBadge>
      )}
      <ConfirmButton
        label="Remove"
        title={`Remove the own credential for ${provider}?`}
        consequence={
          <p>
            Requests with the key {apiKey.name} go to {provider} with the shared credential from
            then on, and count against everybody&apos;s budgets.
          </p>
        }
        verb="Remove credential"
        onConfirm={() => clear.mutate({ id: apiKey.id, provider })}
        disabled={clear.isPending}
        data-testid="key-own-remove"
      />
    </li>
  );
}

function AddOwn({ apiKey, onDone }: { apiKey: ApiKey; onDone: () => void }) {
  const providers = useQuery(providersQueryOptions());
  const choices = (providers.data ?? []).filter((known) => !known.builtin).map(({ name }) => name);
  const [chosen, setChosen] = useState<string | null>(null);
  const paste = useMutation(pasteOwnCredentialMutationOptions());
  const set = useMutation(setOwnCredentialMutationOptions());
  const provider = chosen ?? (choices.length === 1 ? (choices[0] ?? null) : null);
  const saved = () => {
    notifySuccess(`${apiKey.name} brings its own credential for ${provider ?? ""}`);
    onDone();
  };
  return (
    <div className={classes.add}>
      <Select
        label="Provider"
        placeholder="Whose credential it is"
        data={choices}
        value={provider}
        onChange={setChosen}
        error={providers.error ? "The providers could not be read." : undefined}
        allowDeselect={false}
        searchable
        data-testid="key-own-provider"
      />
      {provider === null ? null : (
        <SecretEntry
          onPaste={() => {
            set.reset();
            paste.mutate({ id: apiKey.id, provider }, { onSuccess: saved });
          }}
          onTyped={(secret) => {
            paste.reset();
            set.mutate({ id: apiKey.id, provider, secret }, { onSuccess: saved });
          }}
          pending={paste.isPending ? "paste" : set.isPending ? "typed" : undefined}
          failure={paste.error ?? set.error}
          testId="key-own"
        />
      )}
      <div className={classes.buttons}>
        <Button variant="default" h={30} onClick={onDone}>
          Cancel
        </Button>
      </div>
    </div>
  );
}
