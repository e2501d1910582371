/** What the Providers screen derives from a provider. */

import type { Provider, ProviderPreset } from "@/bindings";

/** One word for the state of a provider, worst fact first. */
export type ProviderState = "off" | "no_credential" | "failed_check" | "not_ready" | "ready";

export function providerState(provider: Provider): ProviderState {
  if (!provider.enabled) {
    return "off";
  }
  if (provider.credential.state === "missing") {
    return "no_credential";
  }
  if (provider.last_check && !provider.last_check.ok) {
    return "failed_check";
  }
  return provider.ready.ready ? "ready" : "not_ready";
}

/** What a person can do about a failed check, by its code. */
export function checkAdvice(code: string): string | undefined {
  switch (code) {
    case "invalid_key":
      return "The provider refused the key. Check that it was copied whole and belongs to this provider, then paste it again.";
    case "unreachable":
      return "No connection. Check the network, a proxy, and that the base URL is right.";
    case "timeout":
      return "No answer in time. The provider may be down; try again in a minute.";
    case "not_found":
      return "The address answers, but not as an AI provider. The base URL usually ends in /v1.";
    case "bad_response":
      return "The answer could not be read. Is the kind of provider right?";
    case "clock":
      return "The clock of this computer seems to be wrong, so the secure connection was refused.";
    default:
      return undefined;
  }
}

/** Which letters a name may have; it becomes the first half of `provider/model`. */
const NAME = /^[a-z][a-z0-9_-]{0,39}$/;

/** What is wrong with a name for a new provider. */
export function nameProblem(name: string, taken: readonly string[]): string | undefined {
  if (name === "") {
    return "A name is needed.";
  }
  if (!NAME.test(name)) {
    return "Use small letters, digits, - and _, starting with a letter.";
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
  const local =
    ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname) ||
    url.hostname.endsWith(".localhost");
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
  not_ready: 1,
  ready: 2,
  no_credential: 3,
  off: 4,
};

/** Troubled first, then those in use, then those that wait for a credential; by name within. */
export function sortProviders(providers: readonly Provider[]): Provider[] {
  return providers.toSorted(
    (a, b) => ORDER[providerState(a)] - ORDER[providerState(b)] || a.name.localeCompare(b.name),
  );
}
