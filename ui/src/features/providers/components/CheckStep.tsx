import { Button } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { CheckResult, Provider } from "@/bindings";
import { focusFirst } from "../focusFirst";
import { checkBlames } from "../model";
import { BaseUrlForm } from "./BaseUrlForm";
import { CheckOutcome } from "./CheckOutcome";
import { ModelDialog } from "./ModelDialog";
import classes from "./parts.module.css";

type Props = {
  provider: Provider;
  verify: UseMutationResult<CheckResult, Error, string>;
  onKey: (provider: Provider) => void;
  onMoved: (provider: Provider) => void;
  onDone: () => void;
};

/** What the free check found, and what to do next: use it, or repair what it blames. */
export function CheckStep({ provider, verify, onKey, onMoved, onDone }: Props) {
  const [moving, setMoving] = useState(false);
  const [naming, setNaming] = useState(false);
  const check = verify.data ?? null;
  const works = check?.ok === true;
  const blames = check && !check.ok ? checkBlames(check.code) : undefined;
  return (
    <div className={classes.form} data-testid="provider-check-step" ref={focusFirst}>
      <p className={classes.note}>
        The free check asks <strong>{provider.name}</strong> for its list of models. It costs
        nothing and proves address and key.
      </p>
      <div className={classes.outcome}>
        <CheckOutcome check={check} running={verify.isPending} error={verify.error} />
      </div>
      {moving ? (
        <BaseUrlForm
          provider={provider}
          onCancel={() => setMoving(false)}
          onSaved={(moved) => {
            setMoving(false);
            onMoved(moved);
          }}
        />
      ) : null}
      {works ? <p>{nextStep(provider)}</p> : null}
      <div className={classes.buttons}>
        <Button variant="subtle" onClick={onDone} data-autofocus data-testid="provider-done">
          {works ? "Done" : "Close"}
        </Button>
        <Button
          variant="default"
          onClick={() => verify.mutate(provider.name)}
          loading={verify.isPending}
          data-testid="provider-verify"
        >
          Check again
        </Button>
        {blames === "address" && !moving ? (
          <Button variant="default" onClick={() => setMoving(true)} data-testid="provider-move">
            Change the base URL
          </Button>
        ) : null}
        {blames === "key" ? (
          <Button onClick={() => onKey(provider)} data-testid="provider-other-key">
            Give another key
          </Button>
        ) : null}
        {works && provider.models.length === 0 ? (
          <Button onClick={() => setNaming(true)} data-testid="provider-first-model">
            Add a model
          </Button>
        ) : null}
        {works && provider.models.length > 0 ? (
          <Button
            renderRoot={(props) => <Link {...props} to="/operations" />}
            data-testid="provider-use"
          >
            Use it in a route
          </Button>
        ) : null}
      </div>
      <ModelDialog
        provider={provider.name}
        model={undefined}
        opened={naming}
        onClose={() => setNaming(false)}
      />
    </div>
  );
}

function nextStep(provider: Provider): string {
  return provider.models.length === 0
    ? "One step is left: name a model of it, so that a route can use it."
    : "Routes that name it use it from now on; put it into others under Operations.";
}
