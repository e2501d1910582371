/** Which made-up world the window shows: `?fake=empty` and so on in the address. */
export const FAKE_MODES = ["normal", "empty", "error", "loading", "large", "sealed"] as const;
export type FakeMode = (typeof FAKE_MODES)[number];

export function fakeModeFromUrl(query: string): FakeMode {
  const asked = new URLSearchParams(query).get("fake");
  return FAKE_MODES.find((mode) => mode === asked) ?? "normal";
}
