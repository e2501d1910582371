import { act, screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { giveHeight } from "@/test/giveHeight";
import { openWindow as open } from "@/test/openWindow";

test("a card says how its provider does, and its targets lead to what tripped them", async () => {
  const { router, user } = open("/providers");
  const card = await screen.findByTestId("provider-card-openai");
  expect(await within(card).findAllByText("Open")).not.toHaveLength(0);
  expect(
    within(card).getByRole("img", { name: /openai, last 60 minutes: .* failed/ }),
  ).toBeDefined();

  await user.click(within(card).getByTestId("target-openai/gpt-5.2"));
  await waitFor(() =>
    expect(router.state.location.search).toEqual({ provider: "openai", model: "gpt-5.2" }),
  );
  const detail = await screen.findByTestId("target-detail");
  expect(within(detail).getAllByTestId("circuit-step")[0]?.textContent).toContain(
    "Too many calls failed",
  );
  expect(within(detail).getAllByText("3 calls tripped it")).not.toHaveLength(0);
});

test("what a provider said about a failure stays text, with what hides in it made visible", async () => {
  open("/providers?provider=openai&model=gpt-5.2");
  const detail = await screen.findByTestId("target-detail");
  const [failure] = within(detail).getAllByTestId("failure-note");
  if (!failure) throw new Error("no failure is shown");
  expect(failure.textContent).toContain("Server error");
  const box = within(detail).getAllByRole("region", { name: /What the provider said/ })[0];
  expect(box?.textContent).toContain("U+202E");
});

test("a circuit is held open with a reason after its consequence was said, and the hold can be taken back", async () => {
  const { platform, user } = open("/providers?provider=deepseek&model=deepseek-chat");
  const circuit = vi.spyOn(platform.commands, "circuitAction");
  await user.click(await screen.findByTestId("target-hold"));
  expect(await screen.findByText(/routes pass on to their next target/)).toBeDefined();
  await user.type(screen.getByTestId("circuit-reason"), "maintenance");
  await user.click(screen.getByTestId("circuit-confirm"));
  const target = { provider: "deepseek", model: "deepseek-chat" };
  await waitFor(() =>
    expect(circuit).toHaveBeenCalledWith({ ...target, action: "hold", reason: "maintenance" }),
  );
  const detail = screen.getByTestId("target-detail");
  expect(await within(detail).findByText("Held")).toBeDefined();
  expect(within(detail).getAllByTestId("circuit-step")[0]?.textContent).toContain("by admin");

  await user.click(await screen.findByTestId("undo"));
  await waitFor(() =>
    expect(circuit).toHaveBeenLastCalledWith(
      expect.objectContaining({ ...target, action: "reset" }),
    ),
  );
});

test("a refused reset says why in its dialog and changes nothing", async () => {
  const { platform, user } = open("/providers?provider=openai&model=gpt-5.2");
  vi.spyOn(platform.commands, "circuitAction").mockResolvedValue({
    status: "error",
    error: { code: "refused", message: "Circuits are acted on where Signalbox runs.", details: [] },
  });
  await user.click(await screen.findByTestId("target-reset"));
  await user.click(await screen.findByTestId("circuit-confirm"));
  expect(await screen.findByText(/where Signalbox runs/)).toBeDefined();
  expect(screen.queryByTestId("undo")).toBeNull();
});

test("health that cannot be read leaves the providers and their keys to be worked with", async () => {
  const { platform, router } = open("/keys");
  vi.spyOn(platform.commands, "providerHealth").mockResolvedValue({
    status: "error",
    error: { code: "internal", message: "The health table cannot be read.", details: [] },
  });
  await screen.findByTestId("page-keys");
  await act(() => router.navigate({ to: "/providers" }));
  const card = await screen.findByTestId("provider-card-openai");
  expect(within(card).getByText("Ready")).toBeDefined();
  expect(await screen.findByText(/health could not be read/)).toBeDefined();
});

test("the history of failovers is filtered in the URL, and a row leads to its request", async () => {
  giveHeight();
  const { router, user } = open("/providers?view=failovers");
  const table = await screen.findByTestId("failovers-table");
  const [newest] = await within(table).findAllByTestId("failover-row");
  expect(newest?.textContent).toContain("Rate limit");
  await act(() =>
    router.navigate({ to: "/providers", search: { view: "failovers", from: "gemini" } }),
  );
  expect(await screen.findByText("No failover matches this filter")).toBeDefined();
  await user.click(screen.getByTestId("failovers-clear"));
  const [first] = await screen.findAllByTestId("failover-row");
  if (!first) throw new Error("no failover is shown");
  await user.click(first);
  await waitFor(() => expect(router.state.location.pathname).toBe("/logs"));
  expect(router.state.location.search).toHaveProperty("request");
});
