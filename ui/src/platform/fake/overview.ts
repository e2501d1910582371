import type { Bucket, Figures, GroupBy, Overview, OverviewQuery, RequestDetail } from "@/bindings";

const WIDTH_MS: Record<Bucket, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

export function makeOverview(
  requests: readonly RequestDetail[],
  query: OverviewQuery,
  nowMs: number,
): Overview {
  const from = Date.parse(query.from);
  const to = Date.parse(query.to);
  const length = to - from;
  const bucket =
    query.bucket ?? (length <= 7_200_000 ? "minute" : length <= 5 * 86_400_000 ? "hour" : "day");
  const width = WIDTH_MS[bucket];
  const first = Math.floor(from / width) * width;
  const buckets = Array.from(
    { length: Math.ceil((to - first) / width) },
    (_, index) => first + index * width,
  );
  const inside = requests.filter((request) => isBetween(request, from, to));
  const before = requests.filter((request) => isBetween(request, from - length, from));
  const keys = [...new Set(inside.map((request) => groupKey(request, query.group_by)))];
  const groups = keys.map((key) => {
    const own = inside.filter((request) => groupKey(request, query.group_by) === key);
    const spend = Array.from({ length: buckets.length }, () => 0n);
    const counts = Array.from({ length: buckets.length }, () => 0);
    for (const request of own) {
      const index = Math.floor((Date.parse(request.row.started_at) - first) / width);
      spend[index] = (spend[index] ?? 0n) + BigInt(request.row.cost ?? "0");
      counts[index] = (counts[index] ?? 0) + 1;
    }
    return {
      key,
      simulated: own.every((request) => request.row.simulated),
      spend: spend.map(String),
      requests: counts,
      total: makeFigures(own),
    };
  });
  groups.sort((a, b) => Number(BigInt(b.total.spend) - BigInt(a.total.spend)));
  return {
    figures: makeFigures(inside),
    previous: makeFigures(before),
    bucket,
    buckets: buckets.map((start) => new Date(start).toISOString()),
    groups,
    at: new Date(nowMs).toISOString(),
  };
}

export function makeFigures(requests: readonly RequestDetail[]): Figures {
  const rows = requests.map((request) => request.row);
  const count = (test: (row: (typeof rows)[number]) => boolean) => rows.filter(test).length;
  const latencies = rows.map((row) => row.latency_ms).filter((value) => value !== null);
  const firsts = rows.map((row) => row.first_token_ms).filter((value) => value !== null);
  return {
    spend: rows.reduce((sum, row) => sum + BigInt(row.cost ?? "0"), 0n).toString(),
    requests: rows.length,
    succeeded: count((row) => row.status === "succeeded"),
    failed: count((row) => row.status === "failed" || row.status === "interrupted"),
    cancelled: count((row) => row.status === "cancelled"),
    simulated: count((row) => row.simulated),
    unpriced: count((row) => row.cost_status === "unpriced"),
    estimated: count((row) => row.cost_status === "estimated"),
    tokens_in: String(rows.reduce((sum, row) => sum + row.tokens_in, 0)),
    tokens_out: String(rows.reduce((sum, row) => sum + row.tokens_out, 0)),
    latency_ms_p50: percentile(latencies, 0.5),
    latency_ms_p95: percentile(latencies, 0.95),
    first_token_ms_p50: percentile(firsts, 0.5),
    first_token_ms_p95: percentile(firsts, 0.95),
  };
}

function groupKey(request: RequestDetail, by: GroupBy): string {
  switch (by) {
    case "operation":
      return request.row.operation;
    case "provider":
      return request.row.provider ?? "";
    case "model":
      return `${request.row.provider}/${request.row.model}`;
  }
}

function isBetween(request: RequestDetail, from: number, to: number): boolean {
  const at = Date.parse(request.row.started_at);
  return at >= from && at < to;
}

function percentile(values: number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? null;
}
