import type { CheckResult, Model, Provider, ProviderPreset, Readiness } from "@/bindings";

export const READY: Readiness = { ready: true, code: "ready", text: "Ready" };
const NO_KEY: Readiness = {
  ready: false,
  code: "no_credential",
  text: "It has no credential yet. Paste one under Providers.",
};

const usdPerMtok = (usd: number) => String(Math.round(usd * 1_000_000_000));

export function model(
  name: string,
  capabilities: string[],
  context: number | null,
  prices: [input: number, cached: number, output: number] | null,
): Model {
  return {
    name,
    capabilities,
    context_window: context,
    input_per_mtok: prices ? usdPerMtok(prices[0]) : null,
    cached_input_per_mtok: prices ? usdPerMtok(prices[1]) : null,
    output_per_mtok: prices ? usdPerMtok(prices[2]) : null,
    priced: prices !== null,
    price_source: prices
      ? {
          url: "https://example.com/pricing",
          as_of: "2026-11-14",
          effective_from: "2026-11-01T00:00:00.000000Z",
        }
      : null,
  };
}

export function makeProviders(nowMs: number, empty: boolean): Provider[] {
  const base = (
    name: string,
    kind: string,
    url: string,
    connected: boolean,
    models: Model[],
  ): Provider => {
    const has = connected && !empty;
    return {
      name,
      kind,
      base_url: url,
      enabled: true,
      builtin: false,
      credential: {
        state: has ? "set" : "missing",
        hint: has ? "…a91f" : null,
        env_var: null,
        set_at: has ? new Date(nowMs - 9 * 86_400_000).toISOString() : null,
      },
      auth: { scheme: "vendor" },
      max_concurrent: name === "deepseek" ? 64 : name === "anthropic" ? 20 : null,
      ready: has ? READY : NO_KEY,
      last_check: has
        ? {
            ok: true,
            message: `Found ${models.length + 14} models.`,
            code: "ok",
            models_found: models.length + 14,
            latency_ms: 212.4,
            at: new Date(nowMs - 3_600_000).toISOString(),
          }
        : null,
      models,
      last_24h: has
        ? { requests: 1204, failed: 7, spend: "1840233410", latency_ms_p95: 2210.5 }
        : { requests: 0, failed: 0, spend: "0", latency_ms_p95: null },
      version: 1,
    };
  };
  const deepseek = base("deepseek", "openai", "https://api.deepseek.com/v1", true, [
    model("deepseek-chat", ["chat"], 128_000, [0.27, 0.07, 1.1]),
    model("deepseek-reasoner", ["chat"], 128_000, [0.55, 0.14, 2.19]),
  ]);
  const openai = base("openai", "openai", "https://api.openai.com/v1", true, [
    model("gpt-5.2", ["chat", "vision"], 400_000, [1.75, 0.175, 14]),
    model("gpt-5-mini", ["chat", "vision"], 400_000, [0.25, 0.025, 2]),
    model("gpt-4o-transcribe", ["transcription"], null, null),
  ]);
  const anthropic = base("anthropic", "anthropic", "https://api.anthropic.com", true, [
    model("claude-sonnet-4-5", ["chat", "vision"], 200_000, [3, 0.3, 15]),
    model("claude-haiku-4-5", ["chat", "vision"], 200_000, [1, 0.1, 5]),
  ]);
  const gemini = base(
    "gemini",
    "openai",
    "https://generativelanguage.googleapis.com/v1beta/openai",
    true,
    [model("gemini-2.5-flash", ["chat", "vision"], 1_048_576, [0.3, 0.075, 2.5])],
  );
  gemini.last_check = {
    ok: false,
    message: "The key was refused (401). Create a new one at the vendor and paste it here.",
    code: "invalid_key",
    models_found: 0,
    latency_ms: 148,
    at: new Date(nowMs - 400_000).toISOString(),
  };
  const deepgram = base("deepgram", "deepgram", "https://api.deepgram.com", false, [
    model("nova-3", ["transcription"], null, null),
  ]);
  const elevenlabs = base("elevenlabs", "elevenlabs", "https://api.elevenlabs.io", false, [
    model("eleven_flash_v2_5", ["speech"], null, null),
  ]);
  const edge = base("edge_tts", "edge_tts", "https://speech.platform.bing.com", false, [
    model("edge-neural", ["speech"], null, null),
  ]);
  edge.credential = { state: "not_needed", hint: null, env_var: null, set_at: null };
  edge.ready = {
    ready: false,
    code: "no_adapter",
    text: "This version has no adapter for it yet.",
  };
  deepgram.ready = edge.ready;
  elevenlabs.ready = edge.ready;
  const mistral = base("mistral", "openai", "https://api.mistral.ai/v1", false, [
    model("mistral-medium-3", ["chat", "vision"], 128_000, [0.4, 0.4, 2]),
  ]);
  const simulator = base("simulator", "simulator", "http://127.0.0.1:4181/v1", false, [
    model("echo", ["chat", "vision"], 128_000, [0, 0, 0]),
    model("slow-echo", ["chat"], 128_000, [0, 0, 0]),
  ]);
  simulator.builtin = true;
  simulator.credential = { state: "not_needed", hint: null, env_var: null, set_at: null };
  simulator.ready = READY;
  return [deepseek, gemini, openai, anthropic, mistral, deepgram, elevenlabs, edge, simulator];
}

/** How a provider that was just added stands: one on this computer needs no key. */
export function firstCredential(baseUrl: string): Pick<Provider, "credential" | "ready"> {
  const credential = { hint: null, env_var: null, set_at: null };
  return baseUrl.startsWith("http://")
    ? { credential: { ...credential, state: "not_needed" }, ready: READY }
    : { credential: { ...credential, state: "missing" }, ready: NO_KEY };
}

/** Keys that end in `0bad` are refused; hosts named `nowhere` do not answer; hosts named `wrong` are something else. */
export function checkOf(provider: Provider, nowMs: number): CheckResult {
  const at = new Date(nowMs).toISOString();
  const bad = (code: string, message: string): CheckResult => ({
    ok: false,
    message,
    code,
    models_found: 0,
    latency_ms: 148.2,
    at,
  });
  if (provider.credential.state === "missing")
    return bad("no_credential", `${provider.name} cannot be used: it has no credential yet.`);
  if (provider.credential.hint === "…0bad")
    return bad("invalid_key", `${provider.name} cannot be used: Incorrect API key provided.`);
  if (provider.base_url.includes("nowhere"))
    return bad("network", `${provider.name} cannot be used: no connection: dns error.`);
  if (provider.base_url.includes("wrong"))
    return bad("bad_response", `${provider.name} cannot be used: 404 page not found.`);
  const message = `${provider.name} answers and lists 23 models.`;
  return { ok: true, message, code: "ok", models_found: 23, latency_ms: 231, at };
}

/** Enough accounts to fill several screens. */
export function manyProviders(known: readonly Provider[]): Provider[] {
  const [first] = known;
  if (!first) return [];
  return Array.from({ length: 36 }, (_, index) => ({
    ...first,
    ...(index % 3 === 0 ? firstCredential("https://") : {}),
    name: `${PRESETS[index % PRESETS.length]?.name ?? "server"}_team_with_a_long_name_${index + 1}`,
    enabled: index % 5 !== 0,
    last_check: null,
    last_24h: {
      requests: 48_210 * index,
      failed: 12 * index,
      spend: `${9_184_023_341_077n * BigInt(index)}`,
      latency_ms_p95: 840.4 * index,
    },
    models: Array.from({ length: 1 + index * 2 }, (_, place) =>
      model(
        `model-${place + 1}-2026-11-preview`,
        ["chat", "vision"],
        200_000,
        place % 4 === 3 ? null : [0.3, 0.03, 2.5],
      ),
    ),
  }));
}

export const PRESETS: ProviderPreset[] = [
  preset("openai", "OpenAI", "openai", "https://api.openai.com/v1", 14),
  preset("anthropic", "Anthropic", "anthropic", "https://api.anthropic.com", 9),
  preset("deepseek", "DeepSeek", "openai", "https://api.deepseek.com/v1", 2),
  preset(
    "gemini",
    "Google Gemini",
    "openai",
    "https://generativelanguage.googleapis.com/v1beta/openai",
    6,
  ),
  preset("mistral", "Mistral", "openai", "https://api.mistral.ai/v1", 5),
  preset("groq", "Groq", "openai", "https://api.groq.com/openai/v1", 4),
  {
    ...preset("azure", "Azure OpenAI", "openai", "https://RESOURCE.openai.azure.com/openai/v1", 0),
    auth: { scheme: "header", name: "api-key" },
    hint: "Put the name of your resource into the address.",
  },
  {
    ...preset("ollama", "Ollama (this computer)", "openai", "http://127.0.0.1:11434/v1", 0),
    needs_credential: false,
  },
];

function preset(
  name: string,
  label: string,
  kind: string,
  base_url: string,
  catalogue_models: number,
): ProviderPreset {
  return {
    name,
    label,
    kind,
    base_url,
    needs_credential: true,
    auth: { scheme: "vendor" },
    hint: null,
    catalogue_models,
  };
}
