import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { openWindow as open } from "@/test/openWindow";

test("a drill is started, watched while it runs, stopped, and ends with a verdict", async () => {
  const { platform, user } = open("/drills");
  const start = vi.spyOn(platform.commands, "drillStart");
  expect(await screen.findByText(/costs nothing, calls no provider/)).toBeDefined();
  await user.clear(await screen.findByTestId("drill-rate"));
  await user.type(screen.getByTestId("drill-rate"), "50");
  await user.click(screen.getByTestId("drill-start"));
  await waitFor(() =>
    expect(start).toHaveBeenCalledWith(
      expect.objectContaining({ fault: "outage", percent: 100, requests_per_second: 50 }),
    ),
  );

  const words = await screen.findByTestId("drill-words");
  await waitFor(() => expect(words.textContent).toContain("circuit is open"), { timeout: 4_000 });
  const circuit = await screen.findByTestId("drill-circuit-echo");
  expect(within(circuit).getByRole("img").getAttribute("aria-label")).toContain("then open");
  expect(await screen.findByTestId("drill-circuit-slow-echo")).toBeDefined();

  await user.click(screen.getByTestId("drill-stop"));
  const verdict = await screen.findByTestId("drill-verdict");
  expect(verdict.textContent).toContain("Nobody noticed");
  expect(screen.queryByTestId("drill-stop")).toBeNull();
});

test("a plan that cannot be is refused at its field, before anything runs", async () => {
  const { platform, user } = open("/drills");
  const start = vi.spyOn(platform.commands, "drillStart");
  await user.clear(await screen.findByTestId("drill-percent"));
  await user.click(screen.getByTestId("drill-start"));
  expect(await screen.findByText("Between 1 and 100 percent.")).toBeDefined();
  expect(start).not.toHaveBeenCalled();

  await user.click(screen.getByTestId("drill-fault-cut_streams"));
  expect(screen.queryByTestId("drill-percent")).toBeNull();
});

test("a drill that is refused says why beside its button", async () => {
  const { platform, user } = open("/drills");
  vi.spyOn(platform.commands, "drillStart").mockResolvedValue({
    status: "error",
    error: { code: "refused", message: "The simulator is switched off.", details: [] },
  });
  await user.click(await screen.findByTestId("drill-start"));
  expect(await screen.findByText("The simulator is switched off.")).toBeDefined();
});

test("a backend that does not answer is said with a way to try again", async () => {
  open("/drills", "error");
  expect(await screen.findByText("The drills could not be read")).toBeDefined();
  expect(screen.getByTestId("retry")).toBeDefined();
});
