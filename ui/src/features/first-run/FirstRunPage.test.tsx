import { cleanup, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { openWindow } from "@/test/openWindow";

test("a new person goes from the simulator over a key to an answered request", async () => {
  const { user } = openWindow("/first-run", "empty");
  await user.click(await screen.findByTestId("first-run-use-simulator"));
  await user.click(await screen.findByTestId("first-run-create-key"));
  expect((await screen.findByTestId("first-run-key-made")).textContent).toContain("…");
  await user.click(screen.getByTestId("first-run-key-next"));
  await user.click(await screen.findByTestId("first-run-protect-next"));
  await user.click(await screen.findByTestId("first-run-send"));
  const answer = await screen.findByTestId("first-run-answer");
  expect(answer.textContent).toContain("answered for");
});

test("exactly one step is open: the one in the address, or the first to do where that is no step", async () => {
  for (const [address, open] of [
    ["/first-run?step=protect", "first-run-protect"],
    ["/first-run?step=nonsense", "first-run-connect"],
    ["/first-run?step=protect%3Fmore", "first-run-connect"],
  ] as const) {
    openWindow(address, "empty");
    expect((await screen.findByTestId(open)).dataset["open"]).toBe("true");
    expect(screen.getAllByRole("button", { expanded: true })).toHaveLength(1);
    cleanup();
  }
});
