import { describe, expect, it } from "vitest";
import type { RequestPage, RequestRow, RequestStatus } from "@/bindings";
import { holdAt, mergeHead, unsettledBelow, updateRows } from "./liveRows";

function row(number: number, status: RequestStatus = "succeeded"): RequestRow {
  return {
    id: `req_${String(number).padStart(4, "0")}`,
    started_at: `2026-11-21T10:00:00.${String(number).padStart(6, "0")}Z`,
    operation: "chat_message",
    status,
    provider: "deepseek",
    model: "deepseek-chat",
    streamed: false,
    simulated: false,
    attempts: 1,
    tokens_in: 1,
    tokens_out: 1,
    cost: "1",
    cost_status: "exact",
    latency_ms: 1,
    first_token_ms: 1,
    key_name: null,
    user: null,
    error_code: null,
  };
}

function page(from: number, to: number, next: string | null = "more"): RequestPage {
  return { rows: Array.from({ length: from - to + 1 }, (_, index) => row(from - index)), next };
}

const ids = (pages: readonly RequestPage[]) =>
  pages.flatMap((one) => one.rows.map((item) => Number(item.id.slice(4))));

describe("mergeHead", () => {
  it("puts new rows in front and keeps every older page and cursor", () => {
    const { pages, gap } = mergeHead([page(6, 4, "c4"), page(3, 1, null)], page(8, 6));
    expect(gap).toBe(false);
    expect(ids(pages)).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    expect(pages.map((one) => one.next)).toEqual(["c4", null]);
  });

  it("updates a row that has finished", () => {
    const known = [{ rows: [row(2, "in_flight"), row(1)], next: "c" }];
    expect(mergeHead(known, { rows: [row(2), row(1)], next: "c" }).pages[0]?.rows[0]?.status).toBe(
      "succeeded",
    );
  });

  it("drops rows that no longer match the filter", () => {
    const { pages } = mergeHead([page(5, 1)], { rows: [row(6), row(4)], next: "more" });
    expect(ids(pages)).toEqual([6, 4, 3, 2, 1]);
    expect(ids(mergeHead([page(5, 1)], { rows: [], next: null }).pages)).toEqual([]);
  });

  it("says when the newest page does not reach the known rows", () => {
    expect(mergeHead([page(3, 1)], page(9, 7))).toMatchObject({ gap: true });
  });

  it("takes the newest page as it is when it is everything", () => {
    expect(ids(mergeHead([], page(2, 1)).pages)).toEqual([2, 1]);
    expect(ids(mergeHead([page(9, 1)], page(2, 1, null)).pages)).toEqual([2, 1]);
  });
});

describe("rows in flight below the newest page", () => {
  const known = [
    { rows: [row(5), row(4, "in_flight"), row(3, "in_flight"), row(2, "in_flight")], next: null },
  ];

  it("are found, up to a limit", () => {
    expect(unsettledBelow(known, { rows: [row(5), row(4)], next: "c" }, 1)).toEqual(["req_0003"]);
  });

  it("are replaced in place", () => {
    const [updated] = updateRows(known, [row(3)]);
    expect(updated?.rows.map((item) => item.status)).toEqual([
      "succeeded",
      "in_flight",
      "succeeded",
      "in_flight",
    ]);
  });
});

describe("holdAt", () => {
  const rows = page(5, 1).rows;

  it("hides what came after the anchor and counts it", () => {
    const held = holdAt(rows, "req_0003");
    expect(held.waiting).toBe(2);
    expect(held.rows[0]?.id).toBe("req_0003");
  });

  it("shows everything without an anchor or when the anchor is gone", () => {
    expect(holdAt(rows, undefined).rows).toBe(rows);
    expect(holdAt(rows, "req_9999").rows).toBe(rows);
  });
});
