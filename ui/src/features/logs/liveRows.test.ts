import { describe, expect, it } from "vitest";
import type { RequestPage, RequestRow, RequestStatus } from "@/bindings";
import {
  hasGap,
  holdAt,
  joinRows,
  type LiveHead,
  mergeHead,
  patchRows,
  unsettledBelow,
} from "./liveRows";

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
    cached: false,
    saved: null,
  };
}

function page(from: number, to: number, next: string | null = "more"): RequestPage {
  return { rows: Array.from({ length: from - to + 1 }, (_, index) => row(from - index)), next };
}

const ids = (rows: readonly RequestRow[]) => rows.map((item) => Number(item.id.slice(4)));

function head(rows: RequestRow[], next: string | null = "older"): LiveHead {
  return { rows, next, patches: {} };
}

describe("mergeHead", () => {
  it("puts new rows in front and keeps the cursor of what is older", () => {
    const merged = mergeHead(head(page(6, 1).rows), page(8, 6));
    expect(ids(merged.rows)).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    expect(merged.next).toBe("older");
  });

  it("updates a row that has finished", () => {
    const merged = mergeHead(head([row(2, "in_flight"), row(1)]), page(2, 1));
    expect(merged.rows[0]?.status).toBe("succeeded");
  });

  it("drops rows that no longer match the filter", () => {
    const merged = mergeHead(head(page(5, 1).rows), { rows: [row(6), row(4)], next: "more" });
    expect(ids(merged.rows)).toEqual([6, 4, 3, 2, 1]);
    expect(mergeHead(head(page(5, 1).rows), { rows: [], next: null }).rows).toEqual([]);
  });

  it("starts anew when the newest page does not reach the known rows, rather than hiding a hole", () => {
    expect(hasGap(head(page(3, 1).rows), page(9, 7))).toBe(true);
    const merged = mergeHead(head(page(3, 1).rows), page(9, 7, "c7"));
    expect(ids(merged.rows)).toEqual([9, 8, 7]);
    expect(merged.next).toBe("c7");
  });

  it("takes the newest page as it is when it is everything", () => {
    expect(ids(mergeHead(undefined, page(2, 1)).rows)).toEqual([2, 1]);
    expect(ids(mergeHead(head(page(9, 1).rows), page(2, 1, null)).rows)).toEqual([2, 1]);
  });
});

describe("rows in flight below the newest page", () => {
  const older: RequestPage = { rows: [row(3, "in_flight"), row(2, "in_flight")], next: null };

  it("are found, up to a limit", () => {
    const known = [row(5), row(4, "in_flight"), ...older.rows];
    expect(unsettledBelow(known, { rows: [row(5), row(4)], next: "c" }, 1)).toEqual(["req_0003"]);
  });

  it("are brought up to date wherever they stand, and stay so", () => {
    const patched = patchRows(head([row(5), row(4, "in_flight")]), [row(4), row(3)]);
    expect(joinRows(patched, [older]).map((item) => item.status)).toEqual([
      "succeeded",
      "succeeded",
      "succeeded",
      "in_flight",
    ]);
    const later = mergeHead(patched, { rows: [row(6), row(5)], next: "c" });
    expect(joinRows(later, [older])[3]?.status).toBe("succeeded");
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
