import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listenToKeyboard } from "@/lib/shortcuts";
import { giveHeight } from "@/test/giveHeight";
import { openWindow as open } from "@/test/openWindow";
import { announce } from "@/platform/fake/world";
import { DEAD_MS } from "./desk";

let stopListening: () => void;
beforeEach(() => {
  giveHeight();
  stopListening = listenToKeyboard();
});
afterEach(() => stopListening());

/** The pane shows a subject, and a hand had time to stop. */
async function looksAt(subject: string) {
  const pane = await screen.findByTestId("approval-pane");
  await within(pane).findByText(
    (_, element) => element?.tagName === "H2" && element.textContent.includes(subject),
  );
  await act(() => new Promise((resolve) => setTimeout(resolve, DEAD_MS + 150)));
}

function rowOf(id: string): HTMLElement | undefined {
  return screen.getAllByTestId("approval-row").find((row) => row.dataset["rowId"] === id);
}

test("the riskiest is opened first, shown as it will run, with why a person is asked and what it is compared to", async () => {
  open("/approvals");
  const body = await screen.findByTestId("approval-body");
  expect(body.textContent).toContain("Compare all 212 clauses");
  expect(screen.getByTestId("approval-why").textContent).toContain("more than $5.00");
  expect(screen.getByTestId("approval-differences").textContent).toContain("max_tokens1600064000");
  expect(screen.getByTestId("approval-fingerprint").textContent).toHaveLength(64);
  expect(screen.getByTestId("nav-approvals-count").textContent).toBe("9");
});

test("each budget that pays for it is shown as it stands and as it would stand, and which would be passed", async () => {
  open("/approvals");
  const budgets = await screen.findByTestId("approval-budgets");
  const items = within(budgets)
    .getAllByRole("listitem")
    .map((item) => item.textContent);
  expect(items).toHaveLength(3);
  expect(items[0]).toContain("Everything, a day");
  expect(items[0]).not.toContain("passes the limit");
  expect(items[1]).toMatch(/Legal\$14.20 → \$26.60 of \$20.00 passes the limit/);
  expect(items[2]).toContain("of u-4411412,000 → 658,400 of 1,000,000 tokens");
});

test("a low-risk request is approved with two keys, and exactly what was shown is approved", async () => {
  const { platform, user } = open("/approvals");
  const low = platform.world.approvals.findLast(({ row }) => row.subject === "email_analysis");
  await screen.findByTestId("approval-body");
  const approve = vi.spyOn(platform.commands, "approvalApprove");
  await user.click(rowOf(low?.row.id ?? "") as HTMLElement);
  await looksAt("email_analysis");
  await user.keyboard("a");
  const confirm = await screen.findByTestId("approval-confirm");
  expect(confirm.getAttribute("aria-label")).toContain(low?.row.id);
  await user.keyboard("{Enter}");
  await waitFor(() => expect(approve).toHaveBeenCalledOnce());
  expect(approve).toHaveBeenCalledWith({
    id: low?.row.id,
    hash: low?.row.hash,
    target: null,
    reason: null,
  });
  await waitFor(() => expect(low?.row.state).toBe("approved"));

  await user.click(await screen.findByTestId("approval-undo"));
  await waitFor(() =>
    expect(platform.world.approvals.find(({ row }) => row.id === low?.row.id)?.row.state).toBe(
      "pending",
    ),
  );
});

test("a key pressed right after the queue moved does nothing and says so", async () => {
  const { platform, user } = open("/approvals");
  const approve = vi.spyOn(platform.commands, "approvalApprove");
  await looksAt("contract_review");
  await user.keyboard("ja");
  expect((await screen.findByTestId("approval-note")).textContent).toContain("only just come up");
  await user.keyboard("{Enter}");
  expect(screen.queryByTestId("approval-question")).toBeNull();
  expect(approve).not.toHaveBeenCalled();
});

test("a high risk is approved only when its amount is typed", async () => {
  const { platform, user } = open("/approvals");
  const approve = vi.spyOn(platform.commands, "approvalApprove");
  await looksAt("contract_review");
  await user.keyboard("a");
  const field = await screen.findByTestId("approval-typed");
  expect(document.activeElement).toBe(field);
  expect(screen.getByTestId("approval-confirm").hasAttribute("disabled")).toBe(true);
  await user.keyboard("12.40{Enter}");
  await waitFor(() => expect(approve).toHaveBeenCalledOnce());
});

test("what another admin decides meanwhile locks the pane and says who did", async () => {
  const { platform } = open("/approvals");
  await looksAt("contract_review");
  const found = platform.world.approvals[0];
  if (!found) throw new Error("the made-up world has approvals");
  found.row = { ...found.row, state: "rejected", decided_by: "ines" };
  act(() => announce(platform.world, ["approvals"]));
  const locked = await screen.findByTestId("approval-locked");
  expect(locked.textContent).toContain("rejected by ines");
  expect(screen.queryByTestId("approval-approve")).toBeNull();
});

test("a rejection takes a reason, by chip and by word", async () => {
  const { platform, user } = open("/approvals");
  const reject = vi.spyOn(platform.commands, "approvalReject");
  await looksAt("contract_review");
  await user.keyboard("r");
  await user.click(await screen.findByTestId("approval-reason-0"));
  await user.type(screen.getByTestId("approval-reason"), "use the small model");
  await user.click(screen.getByTestId("approval-confirm-reject"));
  await waitFor(() =>
    expect(reject).toHaveBeenCalledWith(
      expect.objectContaining({ reason: "Too expensive: use the small model" }),
    ),
  );
});

test("what I asked for myself says that another admin decides it, and can be withdrawn", async () => {
  const { platform, user } = open("/approvals");
  await looksAt("contract_review");
  await user.keyboard("jjj");
  expect((await screen.findByTestId("approval-barred")).textContent).toContain("another admin");
  expect(screen.queryByTestId("approval-approve")).toBeNull();
  await user.click(screen.getByTestId("approval-withdraw"));
  expect((await screen.findByTestId("approval-locked")).textContent).toContain("withdrawn");
  expect(platform.world.approvals[3]?.row.state).toBe("withdrawn");
});

test("a refusal of the backend stands beside the buttons, and nothing is taken as decided", async () => {
  const { platform, user } = open("/approvals");
  vi.spyOn(platform.commands, "approvalApprove").mockResolvedValue({
    status: "error",
    error: { code: "conflict", message: "It is another request than was shown.", details: [] },
  });
  await looksAt("contract_review");
  await user.keyboard("jjjj");
  await looksAt("email_analysis");
  await user.keyboard("a{Enter}");
  expect((await screen.findByTestId("approval-problem")).textContent).toContain("another request");
  expect(screen.getByTestId("approval-approve")).toBeDefined();
});

test("several that are alike are approved together, with their total shown", async () => {
  const { platform, user } = open("/approvals");
  const approve = vi.spyOn(platform.commands, "approvalApprove");
  await looksAt("contract_review");
  const boxes = screen.getAllByRole("checkbox", { name: "Select email_analysis" });
  for (const box of boxes.slice(0, 2)) fireEvent.click(box);
  expect(screen.getByTestId("approvals-chosen").textContent).toContain("together up to $0.00652");
  await user.keyboard("{Shift>}A{/Shift}");
  expect((await screen.findByTestId("approval-question")).textContent).toContain("$0.00652");
  await user.keyboard("{Enter}");
  await waitFor(() => expect(approve).toHaveBeenCalledTimes(2));
});

test("with nothing pending the screen says so and where it is decided what needs one", async () => {
  open("/approvals", "empty");
  expect(await screen.findByText(/No pending approvals/)).toBeDefined();
  expect(screen.getByText("See which operations need one")).toBeDefined();
});

test("a backend that does not answer is said with a way to try again", async () => {
  open("/approvals", "error");
  expect(await screen.findByText("The approvals could not be read")).toBeDefined();
});

test("what was decided is listed with who and why, and opens", async () => {
  const { user } = open("/approvals?view=decided");
  const rows = await screen.findAllByTestId("decided-row");
  const rejected = rows.find((row) => row.textContent.includes("Too expensive"));
  await user.click(rejected as HTMLElement);
  const detail = await screen.findByTestId("decided-detail");
  await within(detail).findByText(/its text is not kept/i);
  expect(within(detail).getByText("ines")).toBeDefined();
});

test("of ten thousand only those in sight are drawn", async () => {
  open("/approvals", "large");
  await screen.findByTestId("approval-body");
  expect(screen.getByTestId("approvals-queue").getAttribute("aria-rowcount")).toBe("10005");
  expect(screen.getAllByTestId("approval-row").length).toBeLessThan(60);
});

test("a link opens the approval it names", async () => {
  open("/approvals?approval=apr_01j9x00000000000000000001");
  const pane = await screen.findByTestId("approval-pane");
  await waitFor(() => expect(pane.textContent).toContain("invoice_payment"));
});
