import { vi } from "vitest";

/** The test page lays nothing out; with this, lists that draw only what is in sight find a screenful of room. */
export function giveHeight(px = 600): void {
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(px);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(1_000);
}
