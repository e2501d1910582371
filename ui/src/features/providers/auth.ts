/** How a provider's key travels, as fields of a form. */

import type { Auth } from "@/bindings";
import { baseUrlProblem } from "./model";

export type AuthFields = {
  auth_scheme: Auth["scheme"];
  auth_header: string;
  auth_token_url: string;
  auth_client_id: string;
  auth_scope: string;
};

export const AUTH_CHOICES: readonly { value: Auth["scheme"]; label: string }[] = [
  { value: "vendor", label: "As the protocol has it" },
  { value: "header", label: "In a header of its own" },
  { value: "client_credentials", label: "Exchanged for tokens (client credentials)" },
];

export function authFieldsOf(auth: Auth | undefined): AuthFields {
  return {
    auth_scheme: auth?.scheme ?? "vendor",
    auth_header: auth?.scheme === "header" ? auth.name : "",
    auth_token_url: auth?.scheme === "client_credentials" ? auth.token_url : "",
    auth_client_id: auth?.scheme === "client_credentials" ? auth.client_id : "",
    auth_scope: auth?.scheme === "client_credentials" ? (auth.scope ?? "") : "",
  };
}

export function authOf(fields: AuthFields): Auth {
  switch (fields.auth_scheme) {
    case "header":
      return { scheme: "header", name: fields.auth_header.trim() };
    case "client_credentials":
      return {
        scheme: "client_credentials",
        token_url: fields.auth_token_url.trim(),
        client_id: fields.auth_client_id.trim(),
        scope: fields.auth_scope.trim() === "" ? null : fields.auth_scope.trim(),
      };
    case "vendor":
      return { scheme: "vendor" };
  }
}

/** Letters, digits and hyphens; the backend refuses those that are spoken for. */
const HEADER = /^[A-Za-z0-9-]{1,64}$/;

/** What is wrong with each field, where its scheme is chosen. */
export const authProblems = {
  auth_header: (text: string, { auth_scheme }: AuthFields) =>
    auth_scheme === "header" && !HEADER.test(text.trim())
      ? "The name of a header, e.g. api-key."
      : null,
  auth_token_url: (text: string, { auth_scheme }: AuthFields) =>
    auth_scheme === "client_credentials" ? (baseUrlProblem(text.trim()) ?? null) : null,
  auth_client_id: (text: string, { auth_scheme }: AuthFields) =>
    auth_scheme === "client_credentials" && text.trim() === "" ? "A client id is needed." : null,
};

/** The backend's problems at the fields of the form: `auth.token_url` becomes `auth_token_url`. */
export function authErrors(errors: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(errors).map(([field, message]) => [
      field === "auth.name" ? "auth_header" : field.replace(/^auth\./, "auth_"),
      message,
    ]),
  );
}

/** In words, for the detail of a provider. */
export function authWords(auth: Auth): string {
  switch (auth.scheme) {
    case "header":
      return `in the header ${auth.name}`;
    case "client_credentials":
      return `exchanged for tokens at ${auth.token_url}, as the client ${auth.client_id}`;
    case "vendor":
      return "as the protocol has it";
  }
}
