import { Button } from "@mantine/core";
import { useState } from "react";
import type { Provider } from "@/bindings";
import { plural } from "@/lib/numbers";
import { focusFirst } from "../focusFirst";
import { KeyEntry } from "./KeyEntry";
import classes from "./parts.module.css";

type Props = {
  provider: Provider;
  onSaved: (provider: Provider) => void;
  onLater: () => void;
};

/** The key, or the news that none is needed. */
export function KeyStep({ provider, onSaved, onLater }: Props) {
  const none = provider.credential.state === "not_needed";
  const [asking, setAsking] = useState(!none);
  return (
    <div className={classes.form} data-testid="provider-key-step" ref={focusFirst}>
      <p>
        <strong>{provider.name}</strong> is added
        {provider.models.length > 0
          ? ` with ${plural(provider.models.length, "model")} and their prices`
          : ""}
        . {none ? "A server on this computer needs no key." : "It needs its key to be called."}
      </p>
      {asking ? <KeyEntry provider={provider.name} onSaved={onSaved} /> : null}
      <div className={classes.buttons}>
        {none ? (
          <>
            {asking ? null : (
              <Button variant="default" onClick={() => setAsking(true)}>
                It does need a key
              </Button>
            )}
            <Button onClick={() => onSaved(provider)} data-autofocus data-testid="provider-no-key">
              No key needed: check it
            </Button>
          </>
        ) : (
          <Button variant="default" onClick={onLater} data-testid="provider-key-later">
            Do it later
          </Button>
        )}
      </div>
    </div>
  );
}
