import { screen } from "@testing-library/react";
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
