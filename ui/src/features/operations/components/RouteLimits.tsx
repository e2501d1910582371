import { MultiSelect, Select, Switch } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { Operation } from "@/bindings";
import { NumberField } from "@/components/NumberField";
import type { TargetCatalogue } from "../targets";
import type { RouteEditor } from "../useRouteEditor";
import { secondsText, splitSeconds, type TimeUnit, toSeconds } from "../words";
import { RouteApproval } from "./RouteApproval";
import classes from "./RouteLimits.module.css";

type Props = { operation: Operation; editor: RouteEditor; catalogue: TargetCatalogue };

const UNITS: readonly TimeUnit[] = ["second", "minute", "hour", "day"];
/** What a cache that is switched on begins with. */
const FIRST_TTL_S = 86_400;

/** How long a request may take, whether answers are shared, where the data may go, and when a person is asked. */
export function RouteLimits({ operation, editor, catalogue }: Props) {
  const { deadline_ms, allowed_providers: allowed } = editor.draft.present;
  const providers = [
    ...new Set([
      ...editor.draft.present.cards.map((card) => card.provider),
      ...catalogue.groups.map(({ group }) => group),
      ...allowed,
    ]),
  ];
  return (
    <div className={classes.limits}>
      <NumberField
        label="Deadline"
        description="For a request over all its attempts. A client that gives up earlier ends it earlier."
        value={deadline_ms}
        per={1000}
        unit="s"
        placeholder="as long as usual"
        width={180}
        onChange={(next) => editor.edit({ type: "set", change: { deadline_ms: next } })}
        error={editor.problemAt("deadline_ms")}
        data-testid="route-deadline"
      />
      <AnswerCache operation={operation} editor={editor} />
      <MultiSelect
        label="Allowed providers"
        description="Where the data of this operation may go. None chosen: anywhere in its chain."
        placeholder={allowed.length === 0 ? "All providers of the chain" : ""}
        data={providers}
        value={[...allowed]}
        onChange={(next) => editor.edit({ type: "set", change: { allowed_providers: next } })}
        error={editor.problemAt("allowed_providers")}
        searchable
        clearable
        maxDropdownHeight={220}
        nothingFoundMessage="No provider has that name"
        styles={{ inputField: { outline: "none" } }}
        clearButtonProps={{ "aria-label": "All providers" }}
        data-testid="route-allowed"
      />
      <RouteApproval editor={editor} />
    </div>
  );
}

/** Off, or how long identical requests share an answer; and what that means. */
function AnswerCache({ operation, editor }: Omit<Props, "catalogue">) {
  const ttl = editor.draft.present.cache_ttl_s;
  const { amount, unit } = splitSeconds(ttl ?? FIRST_TTL_S);
  const problem = editor.problemAt("cache_ttl_s");
  const set = (cache_ttl_s: number | null) => editor.edit({ type: "set", change: { cache_ttl_s } });
  return (
    <div className={classes.cache} role="group" aria-label="Answer cache">
      <Switch
        checked={ttl !== null}
        onChange={(event) => set(event.currentTarget.checked ? FIRST_TTL_S : null)}
        label="Answer identical requests from the cache"
        description="Only when every part of the request is the same. An answer from the cache costs nothing and says so."
        data-testid="route-cache"
      />
      {ttl === null ? null : (
        <>
          <div className={classes.ttl}>
            <NumberField
              inline
              label="For"
              aria-label="How long answers are shared"
              value={amount}
              width={90}
              onChange={(next) => set(toSeconds(next ?? 0, unit))}
              error={problem}
              errorId="route-cache-problem"
              data-testid="route-cache-amount"
            />
            <Select
              size="xs"
              w={110}
              data={UNITS.map((value) => ({ value, label: amount === 1 ? value : `${value}s` }))}
              value={unit}
              onChange={(next) => set(toSeconds(amount, next ?? unit))}
              aria-label="Unit"
              data-testid="route-cache-unit"
            />
          </div>
          {problem === undefined ? null : (
            <p id="route-cache-problem" className={classes.problem}>
              {problem}
            </p>
          )}
          <p className={classes.warning}>
            <IconAlertTriangle size={16} aria-hidden />
            <span>
              For {secondsText(ttl)}, whoever sends the same text gets the same answer, also where a
              fresh one would differ, and across all users and keys of this operation.
              {operation.cacheable
                ? ""
                : " This operation is not marked as cacheable: be sure that its answers may be shared."}
            </span>
          </p>
        </>
      )}
    </div>
  );
}
