import { Button, SegmentedControl, Select, TextInput } from "@mantine/core";
import { type GetInputPropsReturnType, useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { CommandError, fieldErrors } from "@/api/call";
import type { Auth, Provider, ProviderPreset } from "@/bindings";
import { focusFirst } from "../focusFirst";
import {
  AUTH_CHOICES,
  authErrors,
  type AuthFields,
  authFieldsOf,
  authOf,
  authProblems,
} from "../auth";
import { addProviderMutationOptions } from "../mutations";
import { baseUrlProblem, freeName, kindLabel, nameProblem } from "../model";
import { FormProblem } from "./FormProblem";
import classes from "./parts.module.css";

type Props = {
  /** Absent for a custom provider. */
  preset: ProviderPreset | undefined;
  /** Names in use. */
  taken: readonly string[];
  onBack: () => void;
  onAdded: (provider: Provider) => void;
};

/** Under which name and where; prefilled for a well-known provider. */
export function DetailsStep({ preset, taken, onBack, onAdded }: Props) {
  const add = useMutation(addProviderMutationOptions());
  const second = preset !== undefined && taken.includes(preset.name);
  const form = useForm({
    initialValues: {
      name: preset ? freeName(preset, taken) : "",
      kind: preset?.kind ?? "openai",
      base_url: preset?.base_url ?? "",
      ...authFieldsOf(preset?.auth),
    },
    validate: {
      ...authProblems,
      name: (text) => nameProblem(text.trim(), taken) ?? null,
      base_url: (text) => baseUrlProblem(text.trim()) ?? null,
    },
  });
  const submit = form.onSubmit(({ name, kind, base_url, ...auth }) =>
    add.mutate(
      { name: name.trim(), kind, base_url: base_url.trim(), auth: authOf(auth) },
      { onSuccess: onAdded, onError: (error) => form.setErrors(atFields(error)) },
    ),
  );
  return (
    <form className={classes.form} onSubmit={submit} autoComplete="off" ref={focusFirst}>
      {preset ? (
        <p className={classes.note}>
          {preset.label}, {kindLabel(preset.kind)}.{" "}
          {second
            ? `There is ${preset.name} already; this adds a second account of it with its own key.`
            : null}
          {preset.hint === null ? null : <strong> {preset.hint}</strong>}
        </p>
      ) : (
        <div>
          <SegmentedControl
            data={[
              { value: "openai", label: "OpenAI-compatible" },
              { value: "anthropic", label: "Anthropic-compatible" },
            ]}
            aria-label="Protocol"
            data-testid="provider-kind"
            {...form.getInputProps("kind")}
          />
        </div>
      )}
      <TextInput
        label="Name"
        description="The first half of its targets, as in name/model. It cannot be changed later"
        placeholder="my_server"
        spellCheck={false}
        data-autofocus
        data-testid="provider-name"
        {...form.getInputProps("name")}
      />
      <TextInput
        label="Base URL"
        description="Usually ends in /v1. Plain http only for a server on this computer"
        placeholder="https://api.example.com/v1"
        spellCheck={false}
        data-testid="provider-base-url"
        {...form.getInputProps("base_url")}
      />
      {preset && preset.auth.scheme === "vendor" ? null : (
        <AuthFieldset scheme={form.values.auth_scheme} field={form.getInputProps} />
      )}
      {Object.keys(form.errors).length > 0 ? null : <FormProblem error={add.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onBack}>
          Back
        </Button>
        <Button type="submit" loading={add.isPending} data-testid="provider-add-submit">
          Add provider
        </Button>
      </div>
    </form>
  );
}

type AuthProps = {
  scheme: Auth["scheme"];
  field: (path: keyof AuthFields) => GetInputPropsReturnType;
};

/** How its key travels, where that is not as the protocol has it. */
function AuthFieldset({ scheme, field }: AuthProps) {
  return (
    <>
      <Select
        label="How its key travels"
        data={[...AUTH_CHOICES]}
        data-testid="provider-auth"
        {...field("auth_scheme")}
      />
      {scheme === "header" ? (
        <TextInput
          label="Header"
          description="Carries the key and nothing else"
          placeholder="api-key"
          spellCheck={false}
          data-testid="provider-auth-header"
          {...field("auth_header")}
        />
      ) : null}
      {scheme === "client_credentials" ? (
        <>
          <TextInput
            label="Token address"
            description="Exchanges the client's secret for a token that expires. The secret is asked next"
            placeholder="https://login.example.com/oauth2/token"
            spellCheck={false}
            data-testid="provider-auth-token-url"
            {...field("auth_token_url")}
          />
          <TextInput
            label="Client id"
            spellCheck={false}
            data-testid="provider-auth-client"
            {...field("auth_client_id")}
          />
          <TextInput
            label="Scope (optional)"
            spellCheck={false}
            data-testid="provider-auth-scope"
            {...field("auth_scope")}
          />
        </>
      ) : null}
    </>
  );
}

/** A taken name is the name's fault, also when the backend names no field. */
function atFields(error: Error): Record<string, string> {
  const fields = authErrors(fieldErrors(error));
  return error instanceof CommandError && error.code === "already_exists"
    ? { name: error.message, ...fields }
    : fields;
}
