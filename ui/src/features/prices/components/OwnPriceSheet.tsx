import { ActionIcon, Button, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconAlertTriangle, IconPlus, IconX } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { CommandError } from "@/api/call";
import type { PriceCard, PriceHistory, PriceInput, PricePreview } from "@/bindings";
import { Money } from "@/components/Money";
import { Sheet } from "@/components/Sheet";
import { notifySuccess, notifyUndo } from "@/lib/notices";
import { unitLot, UNITS, unitWord } from "../model";
import { setPriceMutationOptions, undoPriceMutationOptions } from "../mutations";
import {
  atFields,
  changesPrice,
  type OwnPrice,
  ownPriceOf,
  toInput,
  type TypedRate,
} from "../ownPrice";
import classes from "../prices.module.css";
import { unpricedQueryOptions } from "@/api/queries";
import { pricePreviewQueryOptions } from "../queries";
import { ChangeTable } from "./CardView";
import { FromWhen } from "./FromWhen";

/** Typing is let finish before the preview is asked. */
const SETTLE_MS = 200;

type Props = { history: PriceHistory; onDone: () => void; onClose: () => void };

/** A price of one's own: typed per lot, previewed against what holds, applied, and taken back through the history. */
export function OwnPriceSheet({ history, onDone, onClose }: Props) {
  const { row } = history;
  const suggestion = useSuggestion(row.target, row.card);
  const [price, setPrice] = useState(() => ownPriceOf(row.card, row.capabilities));
  const { input, sent } = toInput(row.target, price, row.card);
  const asked = useAsked(input);
  const apply = useMutation(setPriceMutationOptions());
  const undo = useMutation(undoPriceMutationOptions());
  const preview = useQuery({ ...pricePreviewQueryOptions(asked), enabled: changesPrice(asked) });
  const settled = JSON.stringify(asked) === JSON.stringify(input);
  const error = apply.error ?? (changesPrice(asked) ? preview.error : null);
  const problems = atFields(error instanceof CommandError ? error.details : [], sent);
  const change = (patch: Partial<OwnPrice>) => {
    setPrice((before) => ({ ...before, ...patch }));
    apply.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (apply.isPending || !changesPrice(input)) return;
    apply.mutate(input, {
      onSuccess: (made) => {
        onDone();
        if (made === null) return;
        const { change: entry } = made;
        const title = `${row.target} has a price of your own`;
        const words =
          price.from === undefined ? "It holds from the next request on." : "It is planned.";
        if (entry?.revertible)
          notifyUndo(title, () => undo.mutateAsync(entry.seq).catch(() => undefined), words);
        else notifySuccess(title, words);
      },
    });
  };
  return (
    <Sheet
      label={`Own price of ${row.target}`}
      title={`Own price of ${row.target}`}
      onClose={onClose}
      footer={
        <form onSubmit={submit} className={classes.footer} id="own-price">
          <div className={classes.preview} data-testid="price-preview">
            <PreviewBody
              preview={changesPrice(asked) && !preview.error ? preview.data : undefined}
              error={error}
            />
          </div>
          <div className={classes.footButtons}>
            <Button variant="default" onClick={onDone}>
              Cancel
            </Button>
            <Button
              type="submit"
              loading={apply.isPending}
              disabled={!changesPrice(input) || !settled || preview.error !== null}
              data-testid="price-apply"
            >
              {price.from === undefined ? "Apply price" : "Plan price"}
            </Button>
          </div>
        </form>
      }
      data-testid="own-price"
    >
      <div className={classes.sections}>
        {suggestion ? (
          <p className={classes.lead}>
            The shipped catalogue knows a price for it.
            <Button
              variant="default"
              size="compact-sm"
              onClick={() => change({ ...ownPriceOf(suggestion, row.capabilities) })}
              data-testid="price-suggestion"
            >
              Fill it in
            </Button>
          </p>
        ) : null}
        <RateFields
          rates={price.rates}
          problem={(unit) => problems.get(`rate ${unit}`)}
          onChange={(rates) => change({ rates })}
        />
        <TierFields price={price} problems={problems} onChange={(tiers) => change({ tiers })} />
        <div className={classes.row}>
          <TextInput
            label="A batch pays"
            description="Percent of the price; empty: in full"
            value={price.batch}
            onChange={(event) => change({ batch: event.currentTarget.value })}
            inputMode="numeric"
            placeholder="50"
            error={problems.get("batch")}
            rightSection="%"
            data-testid="price-batch"
          />
          <TextInput
            label="Source (optional)"
            description="Where the price is from"
            value={price.source}
            onChange={(event) => change({ source: event.currentTarget.value })}
            placeholder="https://"
            spellCheck={false}
            error={problems.get("source")}
            data-testid="price-source"
          />
        </div>
        <div className={classes.row}>
          <FromWhen
            value={price.from}
            onChange={(from) => change({ from })}
            error={problems.get("from")}
          />
        </div>
        <TextInput
          label="Reason (optional)"
          description="It stands in the history."
          value={price.reason}
          onChange={(event) => change({ reason: event.currentTarget.value })}
          maxLength={500}
          data-testid="price-reason"
        />
      </div>
    </Sheet>
  );
}

/** The input once typing has settled: the reason does not change a price, so it is not asked about. */
function useAsked(input: PriceInput): PriceInput {
  const [text] = useDebouncedValue(JSON.stringify(input), SETTLE_MS);
  return JSON.parse(text) as PriceInput;
}

/** What the catalogue says of a model that has no price. */
function useSuggestion(target: string, card: PriceCard | null): PriceCard | undefined {
  const unpriced = useQuery({ ...unpricedQueryOptions(), enabled: card === null }).data;
  return unpriced?.find((model) => model.target === target)?.suggestion ?? undefined;
}

type RateFieldsProps = {
  rates: readonly TypedRate[];
  problem: (unit: string) => string | undefined;
  onChange: (rates: TypedRate[]) => void;
};

/** One field per unit, in dollars for the lot people quote it by. */
function RateFields({ rates, problem, onChange }: RateFieldsProps) {
  const free = UNITS.filter(({ unit }) => !rates.some((rate) => rate.unit === unit));
  return (
    <div className={classes.sections} style={{ gap: 10 }}>
      <div className={classes.rateGrid}>
        {rates.map(({ unit, usd }, index) => (
          <div key={unit} className={classes.rateField}>
            <TextInput
              label={unitWord(unit)}
              description={`US dollars per ${unitLot(unit)}`}
              value={usd}
              onChange={(event) =>
                onChange(rates.with(index, { unit, usd: event.currentTarget.value }))
              }
              inputMode="decimal"
              placeholder="no price"
              autoComplete="off"
              error={problem(unit)}
              data-testid={`rate-${unit}`}
            />
            <ActionIcon
              aria-label={`Leave out ${unitWord(unit)}`}
              mb={4}
              onClick={() => onChange(rates.toSpliced(index, 1))}
            >
              <IconX size={14} aria-hidden />
            </ActionIcon>
          </div>
        ))}
      </div>
      <Select
        aria-label="Add a unit"
        placeholder="Add a unit…"
        size="xs"
        w={200}
        data={free.map(({ unit, word }) => ({ value: unit, label: word }))}
        value={null}
        onChange={(unit) => {
          if (unit) onChange([...rates, { unit, usd: "" }]);
        }}
        searchable
        data-testid="rate-add"
      />
    </div>
  );
}

type TierFieldsProps = {
  price: OwnPrice;
  problems: ReadonlyMap<string, string>;
  onChange: (tiers: OwnPrice["tiers"]) => void;
};

/** Other rates for requests that read more than so many tokens. */
function TierFields({ price, problems, onChange }: TierFieldsProps) {
  const { tiers } = price;
  const units = price.rates.filter(({ unit }) => unitLot(unit) === "1M tokens");
  if (units.length === 0) return null;
  return (
    <div className={classes.sections} style={{ gap: 10 }}>
      {tiers.map((tier, place) => (
        <fieldset key={place} className={classes.tier}>
          <div className={classes.tierHead}>
            <TextInput
              label="Above so many tokens read"
              value={tier.above}
              onChange={(event) =>
                onChange(tiers.with(place, { ...tier, above: event.currentTarget.value }))
              }
              inputMode="numeric"
              placeholder="200000"
              error={problems.get(`tier ${place} above`)}
              data-testid={`tier-${place}-above`}
            />
            <Button
              variant="subtle"
              color="gray"
              size="compact-sm"
              onClick={() => onChange(tiers.toSpliced(place, 1))}
            >
              Remove tier
            </Button>
          </div>
          <div className={classes.rateGrid}>
            {tier.rates.map(({ unit, usd }, index) => (
              <TextInput
                key={unit}
                label={unitWord(unit)}
                description="Per 1M tokens; empty: as below the bound"
                value={usd}
                onChange={(event) =>
                  onChange(
                    tiers.with(place, {
                      ...tier,
                      rates: tier.rates.with(index, { unit, usd: event.currentTarget.value }),
                    }),
                  )
                }
                inputMode="decimal"
                autoComplete="off"
                error={problems.get(`tier ${place} rate ${index}`)}
                data-testid={`tier-${place}-${unit}`}
              />
            ))}
          </div>
        </fieldset>
      ))}
      <div>
        <Button
          variant="subtle"
          size="compact-sm"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() =>
            onChange([...tiers, { above: "", rates: units.map(({ unit }) => ({ unit, usd: "" })) }])
          }
          data-testid="tier-add"
        >
          Add a tier for long requests
        </Button>
      </div>
    </div>
  );
}

function PreviewBody({
  preview,
  error,
}: {
  preview: PricePreview | undefined;
  error: Error | null;
}) {
  if (error)
    return (
      <p className={classes.problem} role="alert">
        {error.message}
      </p>
    );
  if (!preview) return <p className="muted">What would change stands here before it is applied.</p>;
  const { changes, sample, warnings } = preview;
  return (
    <>
      <h3>Before and after</h3>
      {changes.length === 0 ? null : <ChangeTable changes={changes} />}
      <p className={classes.cardFoot} data-testid="price-sample">
        {sample.call}: <Money value={sample.before} absent="unpriced" /> →{" "}
        <Money value={sample.after} absent="unpriced" />
      </p>
      {warnings.length === 0 ? null : (
        <ul className={classes.warnings}>
          {warnings.map((warning) => (
            <li key={warning}>
              <IconAlertTriangle size={14} aria-hidden />
              {warning}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
