import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { SimulationInput } from "@/bindings";
import { toRouteDraft } from "./draft";
import { type DryRunForm, EMPTY_FORM, toSimulatedRequest } from "./dryRun";
import { routeSimulateQueryOptions } from "./queries";
import { type RouteEditor, SETTLE_MS } from "./useRouteEditor";

export type DryRun = ReturnType<typeof useDryRun>;

/** A request that is decided by the draft, applied or not, each time either of them has settled. */
export function useDryRun(editor: RouteEditor) {
  const [opened, setOpened] = useState(false);
  const [form, setForm] = useState<DryRunForm>(EMPTY_FORM);
  const { draft } = editor;
  const present = useMemo(() => ({ draft, form }), [draft, form]);
  const [settled] = useDebouncedValue(present, SETTLE_MS);
  const input = useMemo((): SimulationInput | undefined => {
    const request = toSimulatedRequest(settled.form);
    return request && { draft: toRouteDraft(settled.draft), request };
  }, [settled]);
  const result = useQuery({
    ...routeSimulateQueryOptions(input ?? NOTHING),
    enabled: opened && input !== undefined,
  });
  return {
    opened,
    setOpened,
    form,
    patch: (change: Partial<DryRunForm>) => setForm((known) => ({ ...known, ...change })),
    /** False while no earlier request is chosen. */
    asked: toSimulatedRequest(form) !== undefined,
    result,
  };
}

/** The query needs an input even while it is not asked. */
const NOTHING: SimulationInput = {
  draft: {
    operation: "",
    base_version: 0,
    enabled: false,
    strategy: "priority",
    balance: { cost: 0, latency: 0, quality: 0 },
    rules: [],
    deadline_ms: null,
    cache_ttl_s: null,
    allowed_providers: [],
    approval: null,
    targets: [],
    reason: null,
  },
  request: { kind: "past", request_id: "" },
};
