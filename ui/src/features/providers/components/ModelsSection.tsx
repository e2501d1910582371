import { ActionIcon, Button, TextInput, Tooltip } from "@mantine/core";
import { IconCoin, IconPlus, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import type { Model, Provider } from "@/bindings";
import { ExternalLink } from "@/components/ExternalLink";
import { Money } from "@/components/Money";
import { StatusBadge } from "@/components/StatusBadge";
import { isZeroNano } from "@/lib/money";
import { formatCompact, plural } from "@/lib/numbers";
import { hostOf } from "../model";
import { ModelDialog } from "./ModelDialog";
import classes from "./parts.module.css";

/** From here on a filter is quicker than reading. */
const FILTER_FROM_ROWS = 10;

/** What it offers and at what price, with where each price is from. */
export function ModelsSection({ provider }: { provider: Provider }) {
  const [query, setQuery] = useState("");
  // The model to price, or a new one.
  const [editing, setEditing] = useState<Model | "new">();
  const { models } = provider;
  const shown = models.filter((model) => model.name.includes(query.trim().toLowerCase()));
  const unpriced = models.filter((model) => !model.priced).length;
  return (
    <section className={classes.section} data-testid="provider-models">
      <h3>
        Models
        <span className={classes.count}>
          {models.length}
          {unpriced > 0 ? `, ${unpriced} unpriced` : ""}
        </span>
        <Button
          variant="default"
          size="compact-sm"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => setEditing("new")}
          disabled={provider.builtin}
          data-testid="model-add"
        >
          Add model
        </Button>
      </h3>
      {models.length >= FILTER_FROM_ROWS ? (
        <TextInput
          size="xs"
          mb={4}
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
          placeholder={`Filter ${plural(models.length, "model")}`}
          aria-label="Filter models"
          leftSection={<IconSearch size={14} aria-hidden />}
        />
      ) : null}
      {models.length === 0 ? (
        <p className={classes.note}>
          None yet. A route can use the provider once it knows a model of it: add one by the name
          the provider has for it.
        </p>
      ) : shown.length === 0 ? (
        <p className={classes.note}>No model matches.</p>
      ) : (
        <div className={classes.scroll}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col" className={classes.end} title="Dollars per million tokens">
                  Input
                </th>
                <th scope="col" className={classes.end} title="Dollars per million tokens">
                  Cached
                </th>
                <th scope="col" className={classes.end} title="Dollars per million tokens">
                  Output
                </th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((model) => (
                <ModelRow
                  key={model.name}
                  model={model}
                  onPrice={provider.builtin ? undefined : () => setEditing(model)}
                />
              ))}
            </tbody>
          </table>
          <p className={classes.caption}>US dollars per million tokens</p>
        </div>
      )}
      <ModelDialog
        provider={provider.name}
        model={editing === "new" ? undefined : editing}
        opened={editing !== undefined}
        onClose={() => setEditing(undefined)}
      />
    </section>
  );
}

function ModelRow({ model, onPrice }: { model: Model; onPrice: (() => void) | undefined }) {
  const byTokens = model.input_per_mtok !== null || model.output_per_mtok !== null;
  return (
    <tr data-testid={`model-row-${model.name}`}>
      <td>
        <span className="mono">{model.name}</span>
        <span className={classes.under}>
          {[
            ...model.capabilities,
            ...(model.context_window === null
              ? []
              : [`${formatCompact(model.context_window)} context`]),
          ].join(" · ")}
          <PriceOrigin model={model} />
        </span>
      </td>
      {model.priced && byTokens ? (
        <>
          <Price value={model.input_per_mtok} />
          <Price value={model.cached_input_per_mtok} />
          <Price value={model.output_per_mtok} />
        </>
      ) : (
        <td colSpan={3} className={classes.end}>
          {model.priced ? (
            <span className="muted">priced by another unit</span>
          ) : (
            <StatusBadge
              tone="warn"
              title="Requests run, but what they cost is not known and in no total"
            >
              Unpriced
            </StatusBadge>
          )}
        </td>
      )}
      <td className={classes.end}>
        {onPrice ? (
          <Tooltip label="Set the price">
            <ActionIcon aria-label={`Set the price of ${model.name}`} onClick={onPrice}>
              <IconCoin size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        ) : null}
      </td>
    </tr>
  );
}

function Price({ value }: { value: string | null }) {
  return (
    <td className={classes.end}>
      {value !== null && isZeroNano(value) ? "free" : <Money value={value} />}
    </td>
  );
}

function PriceOrigin({ model: { priced, price_source: source } }: { model: Model }) {
  if (!priced || !source) return null;
  return (
    <>
      {" · "}
      {source.url ? (
        <ExternalLink href={source.url}>{hostOf(source.url)}</ExternalLink>
      ) : (
        "price entered by hand"
      )}
      {source.as_of ? <span className={classes.nowrap}>, {source.as_of}</span> : null}
    </>
  );
}
