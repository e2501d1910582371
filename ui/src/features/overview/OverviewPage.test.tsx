import { screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { openWindow } from "@/test/openWindow";

test("the overview shows its figures, and as a table every value of the chart", async () => {
  const { user } = openWindow("/overview?table=true");
  expect((await screen.findByTestId("figure-spend")).textContent).toMatch(/\$[\d,.]+/);
  expect(await screen.findByRole("grid", { name: "Values over time" })).toBeDefined();
  await user.click(screen.getByTestId("overview-as-table"));
  expect(screen.queryByRole("grid", { name: "Values over time" })).toBeNull();
});

test("without any request the overview leads to the first one", async () => {
  openWindow("/overview", "empty");
  expect(await screen.findByTestId("overview-empty")).toBeDefined();
});

test("what waits for a person stands beside the chart and leads to where it is done", async () => {
  const { user, router } = openWindow("/overview?table=true");
  const link = await screen.findByTestId("needs-approval");
  expect(link.textContent).toBe("9 approvals wait for you");
  expect((await screen.findAllByTestId("needs-key"))[0]?.textContent).toContain("nightly-planner");
  await user.click(link);
  await waitFor(() => expect(router.state.location.pathname).toBe("/approvals"));
});

test("where nothing waits, that is said with the time of the last look", async () => {
  const { platform } = openWindow("/overview?range=30d&table=true");
  platform.world.approvals = [];
  platform.world.budgets = [];
  platform.world.keys = [];
  for (const command of ["providerHealth", "pricesUnpriced"] as const)
    vi.spyOn(platform.commands, command).mockResolvedValue({ status: "ok", data: [] });
  expect((await screen.findByTestId("needs-nothing")).textContent).toMatch(
    /^Nothing needs you\. Last check/,
  );
});

test("a failing backend is said with a way to try again", async () => {
  openWindow("/overview", "error");
  expect(await screen.findByTestId("retry")).toBeDefined();
});
