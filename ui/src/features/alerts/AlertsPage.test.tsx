import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { giveHeight } from "@/test/giveHeight";
import { openWindow } from "@/test/openWindow";

beforeEach(giveHeight);

test("the bell says how many alerts are open and how bad it is, and leads to them", async () => {
  const { router, user } = openWindow("/keys");
  const bell = await screen.findByTestId("alerts-bell");
  await waitFor(() => expect(bell.getAttribute("aria-label")).toContain("the worst is critical"));
  expect(screen.getByTestId("alerts-bell-count").textContent).toBe("8");
  await user.click(bell);
  await waitFor(() => expect(router.state.location.pathname).toBe("/alerts"));
  expect(await screen.findAllByTestId("alert-row")).toHaveLength(8);
});

test("an acknowledged alert leaves the open ones, and the bell counts down", async () => {
  const { user } = openWindow("/alerts");
  const [row] = await screen.findAllByTestId("alert-row");
  if (!row) throw new Error("no alert is shown");
  await user.click(row);
  const sheet = await screen.findByTestId("alert-detail");
  expect(sheet.textContent).toContain("anthropic refuses its credential");
  await user.click(within(sheet).getByTestId("alert-acknowledge"));
  await waitFor(() => expect(screen.getByTestId("alerts-bell-count").textContent).toBe("7"));
  await waitFor(() => expect(screen.getAllByTestId("alert-row")).toHaveLength(7));
  // It stays open in its sheet, with who has seen it.
  expect(await within(sheet).findByText(/Seen by local/)).toBeDefined();
});

test("everything is acknowledged at once, and what was open can be looked at again", async () => {
  const { user } = openWindow("/alerts");
  await user.click(await screen.findByTestId("alerts-acknowledge-all"));
  await screen.findByTestId("alerts-empty");
  expect(screen.queryByTestId("alerts-bell-count")).toBeNull();
  await user.click(screen.getByTestId("alerts-show-all"));
  expect(await screen.findAllByTestId("alert-row")).toHaveLength(14);
});

test("alerts are narrowed by severity and kind, and an alert leads to the thing it is about", async () => {
  const { router, user } = openWindow("/alerts");
  await screen.findAllByTestId("alert-row");
  await user.click(screen.getByTestId("alerts-severity-critical"));
  await waitFor(() => expect(screen.getAllByTestId("alert-row")).toHaveLength(2));
  expect(router.state.location.search).toEqual({ severity: "critical" });
  await user.click(screen.getByTestId("alerts-severity-critical"));
  await router.navigate({ to: "/alerts", search: { kind: "circuit_opened" } });
  await waitFor(() => expect(screen.getAllByTestId("alert-row")).toHaveLength(2));
  const [row] = screen.getAllByTestId("alert-row");
  if (!row) throw new Error("no alert is shown");
  await user.click(row);
  const link = await screen.findByText("Show it among the providers");
  await user.click(link);
  await waitFor(() => expect(router.state.location.pathname).toBe("/providers"));
  expect(router.state.location.search).toEqual({ provider: "openai", model: "gpt-5-mini" });
});

test("who was told stands with the alert, and what failed says why", async () => {
  openWindow("/alerts?alert=alr_000014");
  const sheet = await screen.findByTestId("alert-detail");
  expect(await within(sheet).findByText(/answered 404: no_service/)).toBeDefined();
  expect(sheet.textContent).toContain("Tried 2×");
  expect(sheet.textContent).toContain("Delivered");
});

test("an inbox without alerts and a backend that does not answer are said", async () => {
  openWindow("/alerts", "empty");
  expect((await screen.findByTestId("alerts-empty")).textContent).toContain("Nothing is open");
});

test("a backend that does not answer is said, with a way to ask again", async () => {
  openWindow("/alerts", "error");
  const fault = await screen.findByTestId("error-state");
  expect(fault.textContent).toContain("The alerts could not be read");
  expect(within(fault).getByTestId("retry")).toBeDefined();
});
