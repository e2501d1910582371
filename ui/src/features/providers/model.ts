/** What the Providers screen derives from a provider. */

import type { Credential, Provider, ProviderPreset, Traffic } from "@/bindings";

/** One word for the state of a provider, worst fact first. */
export type ProviderState = "off" | "no_credential" | "failed_check" | "not_ready" | "ready";

export function providerState(provider: Provider): ProviderState {
  if (!provider.enabled) {
    return "off";
  }
  if (provider.ready.code === "no_adapter") {
    return "not_ready";
  }
  if (provider.credential.state === "missing") {
    return "no_credential";
  }
  if (provider.last_check && !provider.last_check.ok) {
    return "failed_check";
  }
  return provider.ready.ready ? "ready" : "not_ready";
}

/** A failed check in two or three words, by its code. */
export function checkWord(code: string): string {
  switch (code) {
    case "invalid_key":
      return "Key refused";
    case "no_credential":
      return "No key to check with";
    case "out_of_credit":
      return "Account out of credit";
    case "rate_limit":
      return "Too many requests";
    case "network":
      return "No connection";
    case "timeout":
      return "No answer in time";
    case "overloaded":
    case "server_error":
      return "Provider in trouble";
    case "bad_response":
    case "truncated":
    case "model_not_found":
    case "bad_request":
      return "Not understood";
    case "simulator_off":
      return "Simulator off";
    case "no_adapter":
      return "Not callable yet";
    default:
      return "Check failed";
  }
}

/** What a person can do about a failed check, by its code. */
export function checkAdvice(code: string): string | undefined {
  switch (code) {
    case "invalid_key":
      return "Check that the key was copied whole and belongs to this provider, then paste it again.";
    case "no_credential":
      return "Paste a key first.";
    case "out_of_credit":
      return "The key is good, but the account has no money left. Top it up at the provider.";
    case "rate_limit":
      return "The key is good, but the account is over its limit right now. Try again in a minute.";
    case "network":
      return "Check the network, a proxy, the clock of this computer, and that the base URL is right.";
    case "timeout":
      return "The provider may be down, or a proxy swallows the answer. Try again in a minute.";
    case "overloaded":
    case "server_error":
      return "Nothing is wrong here; try again in a minute.";
    case "bad_response":
    case "truncated":
    case "model_not_found":
    case "bad_request":
      return "Something answers there, but not as this kind of provider does. Is the base URL right? It usually ends in /v1.";
    default:
      return undefined;
  }
}

/** What the check is blamed on, and so what to offer next. */
export function checkBlames(code: string): "key" | "address" | "provider" {
  switch (code) {
    case "invalid_key":
    case "no_credential":
      return "key";
    case "network":
    case "bad_response":
    case "truncated":
    case "model_not_found":
    case "bad_request":
      return "address";
    default:
      return "provider";
  }
}

const KINDS: Readonly<Record<string, string>> = {
  openai: "OpenAI-compatible",
  anthropic: "Anthropic",
  gemini: "Google Gemini",
  deepgram: "Deepgram",
  elevenlabs: "ElevenLabs",
  edge_tts: "Edge TTS",
  simulator: "Built-in simulator",
};

/** The protocol a provider speaks, in words. */
export function kindLabel(kind: string): string {
  return KINDS[kind] ?? kind;
}

/** Host of an address, or the text itself when it is not one. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

/** Whether a new address is another origin, so that the stored key will be removed: a key is bound to its origin. */
export function originChanges(before: string, after: string): boolean {
  if (!URL.canParse(before) || !URL.canParse(after)) {
    return false;
  }
  return new URL(before).origin !== new URL(after).origin;
}

/** Which letters a name may have; it becomes the first half of `provider/model`. */
const NAME = /^[a-z0-9_-]{1,128}$/;

/** What is wrong with a name for a new provider. */
export function nameProblem(name: string, taken: readonly string[]): string | undefined {
  if (name === "") {
    return "A name is needed.";
  }
  if (!NAME.test(name)) {
    return "Use small letters, digits, - and _.";
  }
  return taken.includes(name) ? `There is a provider called ${name} already.` : undefined;
}

/** What is wrong with a base URL. Plain http is for this machine only, because a key travels with each call. */
export function baseUrlProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return "A full address is needed, e.g. https://api.example.com/v1.";
  }
  if (url.username || url.password) {
    return "Leave the credential out of the address; it is stored apart.";
  }
  if (url.search || url.hash) {
    return "Leave out what follows ? or #.";
  }
  const local =
    ["localhost", "[::1]"].includes(url.hostname) || /^127(\.\d+){3}$/.test(url.hostname);
  return url.protocol === "http:" && !local
    ? "Plain http would send the key unencrypted. Use https."
    : undefined;
}

/** What is wrong with a price typed as dollars per million tokens. Empty is fine: then the model is unpriced. */
export function priceProblem(text: string): string | undefined {
  return text === "" || /^\d{1,6}(\.\d{1,9})?$/.test(text)
    ? undefined
    : "Dollars per million tokens, e.g. 0.27.";
}

/** A free name for a preset: its own, or with the smallest number that is free. */
export function freeName(preset: Pick<ProviderPreset, "name">, taken: readonly string[]): string {
  if (!taken.includes(preset.name)) {
    return preset.name;
  }
  let number = 2;
  while (taken.includes(`${preset.name}_${number}`)) {
    number += 1;
  }
  return `${preset.name}_${number}`;
}

const ORDER: Readonly<Record<ProviderState, number>> = {
  failed_check: 0,
  ready: 1,
  no_credential: 2,
  not_ready: 3,
  off: 4,
};

/** Connected ones first (the troubled at the top, the simulator last), then those that wait for a credential; by name within. */
export function sortProviders(providers: readonly Provider[]): Provider[] {
  return providers.toSorted(
    (a, b) =>
      ORDER[providerState(a)] - ORDER[providerState(b)] ||
      Number(a.builtin) - Number(b.builtin) ||
      a.name.localeCompare(b.name),
  );
}

export type ProviderGroup = { title: string; connected: boolean; providers: Provider[] };

/** The sorted providers under their headings; empty groups are left out. */
export function groupProviders(sorted: readonly Provider[]): ProviderGroup[] {
  const of = (title: string, connected: boolean, states: readonly ProviderState[]) => ({
    title,
    connected,
    providers: sorted.filter((provider) => states.includes(providerState(provider))),
  });
  return [
    of("In use", true, ["failed_check", "ready"]),
    of("Waiting for a credential", false, ["no_credential"]),
    of("Not in use", false, ["not_ready", "off"]),
  ].filter((group) => group.providers.length > 0);
}

/** Whether a provider has all words of a query in its name, kind, address or models. */
export function matchesQuery(provider: Provider, query: string): boolean {
  const text = [
    provider.name,
    kindLabel(provider.kind),
    provider.base_url,
    ...provider.models.map((model) => model.name),
  ]
    .join(" ")
    .toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Where the credential comes from, in words. A stored secret shows its last four characters at most. */
export function credentialWords({ state, hint, env_var }: Credential): string {
  if (env_var !== null) {
    return state === "set"
      ? `from the environment variable ${env_var}`
      : `the environment variable ${env_var} is not set`;
  }
  if (state === "not_needed") {
    return "none needed";
  }
  if (state === "missing") {
    return hint === null
      ? "no key yet"
      : `${hint} is stored, but cannot be opened on this machine now`;
  }
  return hint ?? "stored";
}

/** Share of requests that failed, 0..1; undefined without requests. */
export function errorRate({ requests, failed }: Traffic): number | undefined {
  return requests === 0 ? undefined : failed / requests;
}

/** Nano-dollars as a person types dollars: `"270000000"` → `"0.27"`; empty without a price. */
export function usdText(nano: string | null | undefined): string {
  if (nano === null || nano === undefined) {
    return "";
  }
  const digits = nano.padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "");
  return fraction === "" ? digits.slice(0, -9) : `${digits.slice(0, -9)}.${fraction}`;
}

/** Whether a preset has all words of a query in its name, label or address. */
export function matchesPreset(preset: ProviderPreset, query: string): boolean {
  const text = `${preset.name} ${preset.label} ${hostOf(preset.base_url)}`.toLowerCase();
  return query
    .trim()
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
