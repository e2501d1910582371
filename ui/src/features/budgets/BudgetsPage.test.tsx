import { act, screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { giveHeight } from "@/test/giveHeight";
import { openWindow } from "@/test/openWindow";

test("each budget says how it stands and what it does at its limit", async () => {
  giveHeight();
  openWindow("/budgets");
  const [everything] = await screen.findAllByTestId("budget-row");
  if (!everything) throw new Error("there is no budget in the list");
  expect(within(everything).getByRole("img", { name: /Settled \$31.20731/ })).not.toBeNull();
  expect(everything.textContent).toContain(
    "Hard stop: requests that could exceed $50.00 are refused. It can pass the limit by at most $2.50.",
  );
  const rows = screen.getAllByTestId("budget-row").map((row) => row.textContent);
  expect(rows.some((row) => row.includes("Notify only. This does not stop spending."))).toBe(true);
});

test("a lower limit is a draft until it is applied, says what it would have refused, and can be taken back", async () => {
  giveHeight();
  const { platform, user } = openWindow("/budgets?budget=bud_everything&edit=true");
  const set = vi.spyOn(platform.commands, "budgetSet");
  const limit = await screen.findByTestId("budget-usd");
  await user.clear(limit);
  await user.type(limit, "10");
  const preview = screen.getByTestId("budget-preview");
  await waitFor(() => expect(preview.textContent).toContain("212 of 1,904 requests"));
  expect(preview.textContent).toContain("$33.14 is used or held already");
  expect(set).not.toHaveBeenCalled();

  await user.click(screen.getByTestId("budget-apply"));
  await waitFor(() => expect(platform.world.budgets[0]?.limits.cost).toBe("10000000000"));
  await user.click(await screen.findByRole("button", { name: "Undo" }));
  await waitFor(() => expect(platform.world.budgets[0]?.limits.cost).toBe("50000000000"));
});

test("a new budget without a limit says so at the field and cannot be applied", async () => {
  const { user } = openWindow("/budgets?create=true");
  await user.type(await screen.findByTestId("budget-name"), "Evenings");
  await waitFor(() =>
    expect(screen.getByTestId("budget-editor").textContent).toContain(
      "A budget needs a limit in dollars, tokens or requests.",
    ),
  );
  expect(screen.getByTestId<HTMLButtonElement>("budget-apply").disabled).toBe(true);
  await user.type(screen.getByTestId("budget-usd"), "3");
  await waitFor(() =>
    expect(screen.getByTestId<HTMLButtonElement>("budget-apply").disabled).toBe(false),
  );
});

test("each user's own purse stands under their budget, and opens", async () => {
  giveHeight();
  const { user, router } = openWindow("/budgets");
  await user.click(await screen.findByTestId("budget-fold"));
  await waitFor(() => expect(screen.getAllByTestId("budget-row")).toHaveLength(12));
  const ines = screen
    .getAllByTestId("budget-row")
    .find((row) => row.textContent.startsWith("ines"));
  if (!ines) throw new Error("there is no line of ines");
  await user.click(ines);
  expect((await screen.findByTestId("budget-detail")).textContent).toContain("Open reservations");
  expect(router.state.location.search).toMatchObject({ budget: "bud_users", member: "ines" });
});

test("a correction needs an amount and a reason, and stands among the corrections", async () => {
  const { platform, user } = openWindow("/budgets?budget=bud_everything");
  await user.click(await screen.findByTestId("budget-adjust"));
  const submit = screen.getByTestId<HTMLButtonElement>("budget-adjust-submit");
  await user.type(screen.getByTestId("budget-adjust-usd"), "1.50");
  expect(submit.disabled).toBe(true);
  await user.type(screen.getByTestId("budget-adjust-reason"), "It never ran");
  await user.click(submit);
  await waitFor(() =>
    expect(screen.getByTestId("budget-detail").textContent).toContain("It never ran"),
  );
  expect(platform.world.adjustments.get("bud_everything")?.[0]?.amount).toBe("-1500000000");
});

test("a refused request says which budget refused it, what was left, and leads there", async () => {
  const { platform, router, user } = openWindow("/logs");
  const refused = platform.world.requests.find(({ row }) => row.error_code === "budget_exceeded");
  if (!refused) throw new Error("the made-up world has no refused request");
  await screen.findByTestId("page-logs");
  await act(() => router.navigate({ to: "/logs", search: { request: refused.row.id } }));
  const refusal = await screen.findByTestId("refusal");
  await waitFor(() => expect(refusal.textContent).toContain("$0.21"));
  expect(refusal.textContent).toContain("$0.38");
  await user.click(within(refusal).getByTestId("refusal-budget"));
  expect((await screen.findByTestId("budget-detail")).textContent).toContain("Chat messages");
});

test("without budgets the screen offers to make one, and a failure offers to try again", async () => {
  openWindow("/budgets", "empty");
  expect((await screen.findByTestId("budgets-empty")).textContent).toContain("New budget");
});

test("the history of spend splits by user and by day, and a line leads to its requests", async () => {
  const { user, router } = openWindow("/budgets?view=history");
  const rows = await screen.findAllByTestId("history-row");
  const ines = rows.find((row) => row.textContent.startsWith("ines"));
  if (!ines) throw new Error("ines spent nothing");
  await user.click(ines);
  await waitFor(() =>
    expect(router.state.location).toMatchObject({ pathname: "/logs", search: { user: "ines" } }),
  );
});

test("the sheet of a key's budget draws its periods and says what a forecast rests on", async () => {
  openWindow("/budgets?budget=bud_planner");
  const sheet = await screen.findByTestId("budget-detail");
  await screen.findByTestId("budget-periods");
  expect(sheet.textContent).toContain("The spend of an API key is not summed by the day");
  expect(sheet.textContent).toContain("from what its periods before came to");
});
