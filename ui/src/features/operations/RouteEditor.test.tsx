import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listenToKeyboard } from "@/lib/shortcuts";
import { openWindow } from "@/test/openWindow";

let stop: () => void;
beforeEach(() => {
  stop = listenToKeyboard();
});
afterEach(() => stop());

async function openRoute(id: string) {
  const opened = openWindow(`/operations?operation=${id}`);
  await screen.findByTestId("operation-detail");
  const operation = opened.platform.world.operations.find((known) => known.id === id);
  if (!operation) throw new Error(`the made-up world has no ${id}`);
  return { ...opened, operation, user: userEvent.setup({ delay: null }) };
}

const value = (testId: string) => screen.getByTestId<HTMLInputElement>(testId).value;

/** As pasted: brackets mean something of their own to the keyboard of the tests. */
const write = (testId: string, text: string) =>
  fireEvent.change(screen.getByTestId(testId), { target: { value: text } });

test("a fault is said at its field while typing, and applying leads to it instead of doing half", async () => {
  const { platform, user } = await openRoute("agent_execution");
  const apply = vi.spyOn(platform.commands, "routeApply");
  await screen.findByTestId("rule-when-1");
  write("rule-when-1", "has_imags");
  await screen.findByText("There is no variable “has_imags”.");
  write("route-timeout-2", "0.01");
  await screen.findByText("10 ms is not between 100 and 600000 ms.");
  expect(screen.getByTestId("draft-faults").textContent).toContain("2 faults");
  expect(screen.queryByTestId("draft-preview-panel")).toBeNull();

  await user.keyboard("{Control>}s{/Control}");
  await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("route-timeout-2")));
  expect(screen.getAllByTestId("draft-problem").map((fault) => fault.textContent)).toEqual([
    "2 openai/gpt-5.2, timeout: 10 ms is not between 100 and 600000 ms.",
    "Rule Pictures, condition: There is no variable “has_imags”.",
  ]);
  expect(apply).not.toHaveBeenCalled();

  // Mending goes on undisturbed: the focus stays where the person is.
  write("route-timeout-2", "12");
  await waitFor(() => expect(screen.getAllByTestId("draft-problem")).toHaveLength(1));
  expect(document.activeElement).toBe(screen.getByTestId("route-timeout-2"));
});

test("a rule begun from an example is sound at once, and rules are ordered by keyboard and spoken", async () => {
  const { operation, user } = await openRoute("agent_execution");
  await user.click(await screen.findByTestId("route-add-rule"));
  await user.click(await screen.findByRole("menuitem", { name: /^Nights/ }));
  expect(document.activeElement).toBe(screen.getByTestId("rule-when-3"));
  await user.keyboard("{Alt>}{ArrowUp}{ArrowUp}{/Alt}");
  expect(screen.getByTestId("rules-spoken").textContent).toBe("Nights, 1 of 3");
  expect(document.activeElement).toBe(screen.getByTestId("rule-when-1"));
  await user.click(within(screen.getByTestId("rule-effect-1")).getByText("Only these"));

  await user.click(screen.getByTestId("draft-apply"));
  await waitFor(() =>
    expect(operation.rules.map(({ name, effect }) => [name, effect])).toEqual([
      ["Nights", "only"],
      ["Pictures", "only"],
      ["Research team", "prefer"],
    ]),
  );
});

test("another order of the rules alone is a change, with words for it", async () => {
  const { operation, user } = await openRoute("agent_execution");
  await user.click(await screen.findByRole("button", { name: "Move the rule Pictures down" }));
  await user.click(screen.getByTestId("draft-preview"));
  await screen.findByText("The rules are looked at in the order `Research team`, `Pictures`.");
  await user.click(screen.getByTestId("draft-apply"));
  await waitFor(() => expect(operation.rules[0]?.name).toBe("Research team"));
});

test("two rules of one name are told apart before they are applied", async () => {
  await openRoute("agent_execution");
  await screen.findByTestId("rule-name-2");
  write("rule-name-2", "Pictures");
  await screen.findByText("Another rule has this name.");
  expect(screen.getByTestId<HTMLButtonElement>("draft-apply").disabled).toBe(true);
});

test("a rule whose target has left the chain says so, and lets go of it", async () => {
  const { user } = await openRoute("agent_execution");
  await user.click(await screen.findByRole("button", { name: /^Remove openai/ }));
  await screen.findAllByText(/openai\/gpt-5.2 is not in the chain\./);
  await user.click(screen.getByTitle(/openai\/gpt-5.2 is not in the chain any more/));
  await screen.findAllByText("A rule needs at least one target.");
  expect(screen.queryByText(/is not in the chain/)).toBeNull();
});

test("shares are shown only where they count, and are balanced to 100 in one step", async () => {
  const { user } = await openRoute("agent_execution");
  expect(screen.queryByTestId("route-weight-1")).toBeNull();
  await user.click(await screen.findByTestId("route-strategy-weighted"));
  expect(screen.getByTestId("route-share-sum").textContent).toContain("2");
  write("route-weight-1", "3");
  await user.click(screen.getByTestId("route-balance-shares"));
  expect([value("route-weight-1"), value("route-weight-2")]).toEqual(["75", "25"]);
  await user.keyboard("{Control>}z{/Control}");
  expect([value("route-weight-1"), value("route-weight-2")]).toEqual(["3", "1"]);
});

test("cost, time and quality are always 100 percent together", async () => {
  const { user } = await openRoute("agent_execution");
  await screen.findByTestId("balance-cost");
  write("balance-quality", "60");
  const parts = ["cost", "latency", "quality"].map((part) => Number(value(`balance-${part}`)));
  expect(parts).toEqual([25, 15, 60]);
  const [cost] = screen.getAllByRole("slider");
  act(() => cost?.focus());
  await user.keyboard("{ArrowRight}");
  expect(Number(value("balance-cost"))).toBe(26);
  expect(
    ["cost", "latency", "quality"].reduce((sum, part) => sum + Number(value(`balance-${part}`)), 0),
  ).toBe(100);
});

test("a target is duplicated below with its settings and switched off, from the keyboard", async () => {
  const { operation, user } = await openRoute("chat_message");
  const first = await screen.findByTestId<HTMLInputElement>("route-target-enabled-1");
  act(() => first.focus());
  await user.keyboard(".");
  expect(first.checked).toBe(false);
  expect(screen.getByTestId("route-spoken").textContent).toContain("switched off");
  expect(screen.getByTestId("route-trip-1").textContent).toContain("Skipped");

  await user.keyboard("d");
  await user.type(await screen.findByTestId("route-target-select-4"), "claude-haiku{Enter}");
  await user.click(screen.getByTestId("draft-apply"));
  await waitFor(() => expect(operation.targets).toHaveLength(4));
  expect(operation.targets[1]).toMatchObject({
    model: "claude-haiku-4-5",
    timeout_ms: 20_000,
    enabled: true,
  });
});

test("the trip condition follows the draft, in the words of the backend", async () => {
  const { operation } = await openRoute("chat_message");
  const line = await screen.findByTestId("route-trip-1");
  expect(line.textContent?.toLowerCase()).toContain(operation.targets[0]?.trip);
  write("route-timeout-1", "12");
  expect(line.textContent).toContain("does not begin to answer within 12 s");
  write("route-timeout-1", "");
  expect(line.textContent).toContain("does not answer in time");
});

test("the preview says what the draft would have meant for the last day, as an estimate", async () => {
  const { user } = await openRoute("intent_classification");
  await user.click(await screen.findByTestId("route-strategy-cheapest"));
  await user.keyboard("{Control>}{Shift>}p{/Shift}{/Control}");
  const impact = await screen.findByTestId("preview-impact");
  expect(impact.textContent).toMatch(
    /About .* a day; \d+ of \d+ requests would go elsewhere first/,
  );
  expect(within(impact).getByText("Estimate")).toBeTruthy();
  const shares = within(impact).getByRole("table");
  expect(within(shares).getAllByRole("row").length).toBeGreaterThan(2);
  expect(screen.getByTestId("preview-sentences").textContent).toBe(
    "Targets are picked by cheapest instead of weighted.",
  );
});

test("without traffic the preview says that there is no impact to estimate", async () => {
  const { user } = await openRoute("video_understanding");
  await screen.findByTestId("route-timeout-1");
  write("route-timeout-1", "9");
  await user.click(screen.getByTestId("draft-preview"));
  await screen.findByTestId("preview-no-impact");
  expect(screen.queryByTestId("preview-impact")).toBeNull();
});

test("a dry run goes by the draft that is not applied, and follows each edit", async () => {
  const { platform, user } = await openRoute("chat_message");
  const before = JSON.stringify(platform.world.operations);
  await user.click(await screen.findByTestId("dry-run-toggle"));
  const path = await screen.findByTestId("dry-run-path");
  expect(path.textContent).toMatch(/^deepseek\/deepseek-chat/);
  expect(screen.getByTestId("dry-run-rule").textContent).toBe("none holds");

  await user.click(screen.getByTestId("route-strategy-quality"));
  await waitFor(() => expect(path.textContent).toMatch(/^openai\/gpt-5-mini/));
  expect(screen.getByTestId("dry-run-strip").textContent).toContain("openai/gpt-5-mini");

  // Undo in the imagined request is about its text; the draft stays.
  await user.type(screen.getByTestId("dry-run-message"), "a{Control>}z{/Control}");
  expect(screen.getByTestId("draft-bar").textContent).toContain("1 change");

  await user.click(screen.getByTestId("dry-run-images"));
  await screen.findByText("the model cannot see pictures");
  await user.click(screen.getByTestId("dry-run-features-toggle"));
  expect(screen.getByTestId("dry-run-features").textContent).toContain("has_imagestrue");
  expect(screen.getByTestId("dry-run-result").textContent).toMatch(/Decided in \d+ µs/);
  expect(JSON.stringify(platform.world.operations)).toBe(before);
});

test("an earlier request of the operation is sent through the draft again", async () => {
  const { platform, user } = await openRoute("chat_message");
  const simulate = vi.spyOn(platform.commands, "routeSimulate");
  const request = platform.world.requests.find(({ row }) => row.operation === "chat_message");
  await user.click(await screen.findByTestId("dry-run-toggle"));
  await user.click(within(screen.getByTestId("dry-run-kind")).getByText("Take an earlier one"));
  await user.click(await screen.findByTestId("dry-run-past"));
  await user.click((await screen.findAllByRole("option"))[0] as HTMLElement);
  await waitFor(() =>
    expect(simulate.mock.lastCall?.[0].request).toEqual({
      kind: "past",
      request_id: request?.row.id,
    }),
  );
  await screen.findByTestId("dry-run-path");
});

test("an empty chain begins with one of three templates, and that is one step to undo", async () => {
  const { user } = await openRoute("video_understanding");
  await user.click(await screen.findByRole("button", { name: /^Remove gemini/ }));
  await user.click(await screen.findByTestId("route-template-fallback"));
  expect(screen.getAllByTestId(/^route-card-/)).toHaveLength(2);
  await waitFor(() => expect(screen.queryByTestId("draft-faults")).toBeNull());
  await user.keyboard("{Control>}z{/Control}");
  expect(screen.queryAllByTestId(/^route-card-/)).toHaveLength(0);
});

test("the answer cache is off until switched on, says what it means, and is applied in seconds", async () => {
  const { operation, user } = await openRoute("chat_message");
  await user.click(await screen.findByTestId("route-cache"));
  await screen.findByText(/For 1 day, whoever sends the same text gets the same answer/);
  write("route-cache-amount", "2");
  write("route-deadline", "45");
  await user.click(screen.getByTestId("draft-apply"));
  await waitFor(() => expect(operation.cache_ttl_s).toBe(172_800));
  expect(operation.deadline_ms).toBe(45_000);
});

test("a person is asked only once that is switched on, above the amount that was typed or by a rule, and it says so", async () => {
  const { operation, user } = await openRoute("chat_message");
  expect(operation.approval).toBeNull();
  await user.click(await screen.findByTestId("route-approval"));
  await screen.findByText(/A request needs a person above \$0.50. Its approval is good for 1 day/);
  write("route-approval-above", "1.25");
  write("route-approval-hold", "60");
  await user.click(screen.getByTestId("route-approval-budget-warned"));
  await user.click(screen.getByTestId("route-approval-by-rule"));
  await screen.findByText(
    /needs a person above \$1.25 or after a budget's warning or when estimate_usd > 0.5/,
  );
  write("route-approval-above", "");
  write("route-approval-expires", "30");
  await user.click(screen.getByTestId("draft-apply"));
  await waitFor(() =>
    expect(operation.approval).toEqual({
      always: false,
      above: null,
      budget_warned: true,
      rule: "estimate_usd > 0.5",
      hold_s: 60,
      expires_s: 1_800,
    }),
  );
});

test("a target outside of the allowed providers is marked as skipped", async () => {
  await openRoute("job_planning");
  const first = await screen.findByTestId("route-card-1");
  expect(first.textContent).not.toContain("Skipped");
  const select = screen.getByTestId("route-allowed");
  fireEvent.keyDown(select, { key: "Backspace" });
  fireEvent.click(select);
  await waitFor(() =>
    expect(screen.getByTestId("route-card-2").textContent).toContain(
      "Skipped: its provider is not among the allowed ones",
    ),
  );
});
