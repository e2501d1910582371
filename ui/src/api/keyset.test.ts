import { expect, test } from "vitest";
import { mergeHead } from "./keyset";

const id = (row: { id: string; v?: number }) => row.id;
const rows = (...ids: string[]) => ids.map((value) => ({ id: value }));

test("new rows come in front and every row stands once", () => {
  const merged = mergeHead(rows("5", "4", "3"), rows("4", "3", "2", "1"), id);
  expect(merged.rows.map(id)).toEqual(["5", "4", "3", "2", "1"]);
  expect(merged.gap).toBe(false);
});

test("a row that changed is taken from the newest page", () => {
  const merged = mergeHead(
    [
      { id: "2", v: 9 },
      { id: "1", v: 9 },
    ],
    [
      { id: "2", v: 1 },
      { id: "1", v: 1 },
    ],
    id,
  );
  expect(merged.rows).toEqual([
    { id: "2", v: 9 },
    { id: "1", v: 9 },
  ]);
});

test("more new rows than a page leave no hole: the older part goes", () => {
  const merged = mergeHead(rows("9", "8", "7"), rows("3", "2", "1"), id);
  expect(merged).toEqual({ rows: rows("9", "8", "7"), gap: true });
});
