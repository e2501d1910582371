import { useQuery } from "@tanstack/react-query";
import { keysQueryOptions, operationsQueryOptions, providersQueryOptions } from "@/api/queries";
import type { BudgetScopeKind } from "@/bindings";

type Values = {
  label: string;
  placeholder: string;
  choices: { value: string; label: string }[];
  /** Only one of the choices, which are told by their label. */
  closed?: boolean;
};

/** What a scope can name, and what it is called. */
export function useScopeValues(kind: BudgetScopeKind): Values {
  const operations = useQuery({ ...operationsQueryOptions(), enabled: kind === "operation" }).data;
  const keys = useQuery({ ...keysQueryOptions(), enabled: kind === "key" }).data;
  const providers = useQuery({
    ...providersQueryOptions(),
    enabled: kind === "provider" || kind === "model",
  }).data;
  switch (kind) {
    case "operation":
      return {
        label: "Operation",
        placeholder: "chat_message",
        choices: same(operations?.map(({ id }) => id) ?? []),
      };
    case "key":
      return {
        label: "API key",
        closed: true,
        placeholder: "key_…",
        choices:
          keys
            ?.filter(({ revoked_at }) => revoked_at === null)
            .map(({ id, name, last4 }) => ({ value: id, label: `${name} …${last4}` })) ?? [],
      };
    case "provider":
      return {
        label: "Provider",
        placeholder: "deepseek",
        choices: same(providers?.map(({ name }) => name) ?? []),
      };
    case "model":
      return {
        label: "Provider and model",
        placeholder: "deepseek/deepseek-chat",
        choices: same(
          providers?.flatMap(({ name, models }) =>
            models.map((model) => `${name}/${model.name}`),
          ) ?? [],
        ),
      };
    case "tag":
      return { label: "Label", placeholder: "team=support", choices: [] };
    case "user":
    case "global":
    case "each_user":
    case "each_operation":
      return { label: "User", placeholder: "as clients name them", choices: [] };
  }
}

function same(values: readonly string[]): { value: string; label: string }[] {
  return values.map((value) => ({ value, label: value }));
}
