import { MantineProvider } from "@mantine/core";
import { render, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { openWindow } from "@/test/openWindow";
import { LOG_COLUMNS } from "./columns";

test("why this model: the rule that matched, the score, and until when a target is out", async () => {
  const { platform, router } = openWindow("/logs");
  const [request] = platform.world.requests;
  const [first] = request?.decision.candidates ?? [];
  if (!request || !first) throw new Error("the made-up world has no request");
  request.decision = {
    strategy: "balanced",
    rule: "Short requests",
    summary: "It was short.",
    candidates: [
      { ...first, verdict: "chosen", order: 1, score: "0.214", until: null },
      {
        ...first,
        model: "other",
        verdict: "rejected",
        order: null,
        score: null,
        reason: "its circuit is open",
        until: request.row.started_at,
      },
    ],
  };
  await screen.findByTestId("page-logs");
  await router.navigate({ to: "/logs", search: { request: request.row.id } });

  const decision = await screen.findByTestId("decision");
  expect(within(decision).getByTestId("decision-rule").textContent).toContain("Short requests");
  const [, chosen, rejected] = within(decision).getAllByRole("row");
  expect(chosen?.textContent).toContain("0.214");
  expect(rejected?.textContent).toMatch(/its circuit is open, until \d/);
});

test("an answer from the cache says so and what it saved, in its row and in its detail", async () => {
  const { platform, router } = openWindow("/logs");
  const request = platform.world.requests.find((known) => known.row.cached);
  if (!request) throw new Error("the made-up world has no answer from the cache");
  request.row.saved = "4711000";
  const found = { operation: request.row.operation, request: request.row.id };
  await screen.findByTestId("page-logs");
  await router.navigate({ to: "/logs", search: found });

  expect((await screen.findByTestId("log-saved")).textContent).toBe("From cache, saved $0.004711");
  await screen.findByText("No provider was called: an identical request had been answered before.");

  const cells = LOG_COLUMNS.filter(({ id }) => id === "model" || id === "cost");
  render(
    <MantineProvider env="test">
      <div data-testid="row">
        {cells.map(({ id, cell }) => (
          <p key={id}>{cell(request.row)}</p>
        ))}
      </div>
    </MantineProvider>,
  );
  expect(screen.getByTestId("row").textContent).toMatch(/^from cache.*saved \$0\.004711$/);
});
