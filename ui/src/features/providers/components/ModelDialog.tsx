import { Button, Modal, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { fieldErrors } from "@/api/call";
import type { Model } from "@/bindings";
import { notifySuccess } from "@/lib/notices";
import { addModelMutationOptions } from "../mutations";
import { priceProblem, usdText } from "../model";
import { FormProblem } from "./FormProblem";
import classes from "./parts.module.css";

type Props = {
  provider: string;
  /** The model that gets a price; absent for a new one. */
  model: Model | undefined;
  opened: boolean;
  onClose: () => void;
};

export function ModelDialog({ provider, model, opened, onClose }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={model ? `Price of ${model.name}` : `Add a model of ${provider}`}
      padding="lg"
      data-testid="model-dialog"
    >
      <ModelForm provider={provider} model={model} onClose={onClose} />
    </Modal>
  );
}

function ModelForm({ provider, model, onClose }: Omit<Props, "opened">) {
  const add = useMutation(addModelMutationOptions());
  const form = useForm({
    initialValues: {
      model: model?.name ?? "",
      input_usd_per_mtok: usdText(model?.input_per_mtok),
      cached_input_usd_per_mtok: usdText(model?.cached_input_per_mtok),
      output_usd_per_mtok: usdText(model?.output_per_mtok),
      context_window: model?.context_window?.toString() ?? "",
    },
    transformValues: (values) => ({
      provider,
      model: values.model.trim(),
      input_usd_per_mtok: textOrNull(values.input_usd_per_mtok),
      cached_input_usd_per_mtok: textOrNull(values.cached_input_usd_per_mtok),
      output_usd_per_mtok: textOrNull(values.output_usd_per_mtok),
      context_window: values.context_window.trim() === "" ? null : Number(values.context_window),
    }),
    validate: {
      model: (text) => (text.trim() === "" ? "A name is needed." : null),
      input_usd_per_mtok: (text, all) => pairProblem(text, all),
      cached_input_usd_per_mtok: (text) => priceProblem(text.trim()) ?? null,
      output_usd_per_mtok: (text, all) => pairProblem(text, all),
      context_window: (text) =>
        /^([1-9]\d{0,8})?$/.test(text.trim()) ? null : "A whole number of tokens, or nothing.",
    },
  });
  const unpriced = Object.values(prices(form.values)).every((text) => text.trim() === "");
  const save = form.onSubmit((_values) => {
    const input = form.getTransformedValues();
    add.mutate(input, {
      onSuccess: (added) => {
        onClose();
        if (added === null) return;
        notifySuccess(
          model ? `${added.name} has a new price` : `${added.name} added`,
          model ? "It counts from now on; what was charged before stays." : undefined,
        );
      },
      onError: (error) => form.setErrors(fieldErrors(error)),
    });
  });
  return (
    <form className={classes.form} onSubmit={save} autoComplete="off">
      <TextInput
        label="Name"
        description="As the provider calls it"
        placeholder="gpt-5-mini"
        spellCheck={false}
        disabled={model !== undefined}
        data-autofocus={model === undefined}
        data-testid="model-name"
        {...form.getInputProps("model")}
      />
      <fieldset className={classes.prices}>
        <legend>US dollars per million tokens; 0 means free</legend>
        <TextInput
          label="Input"
          placeholder="0.27"
          inputMode="decimal"
          data-autofocus={model !== undefined}
          data-testid="model-input-price"
          {...form.getInputProps("input_usd_per_mtok")}
        />
        <TextInput
          label="Cached input"
          placeholder="0.07"
          inputMode="decimal"
          data-testid="model-cached-price"
          {...form.getInputProps("cached_input_usd_per_mtok")}
        />
        <TextInput
          label="Output"
          placeholder="1.10"
          inputMode="decimal"
          data-testid="model-output-price"
          {...form.getInputProps("output_usd_per_mtok")}
        />
      </fieldset>
      <p className={classes.note} data-testid="model-unpriced-note">
        {unpriced
          ? "Without prices the model is unpriced: its requests run, but what they cost stays unknown and out of every total."
          : "Without a price of its own, cached input is charged like any input."}
      </p>
      <TextInput
        label="Context window"
        description="In tokens; longer requests go on to the next target. Empty: not known"
        placeholder="128000"
        inputMode="numeric"
        data-testid="model-context"
        {...form.getInputProps("context_window")}
      />
      {Object.keys(form.errors).length > 0 ? null : <FormProblem error={add.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={add.isPending} data-testid="model-submit">
          {model ? "Set price" : unpriced ? "Add unpriced model" : "Add model"}
        </Button>
      </div>
    </form>
  );
}

type Prices = {
  input_usd_per_mtok: string;
  cached_input_usd_per_mtok: string;
  output_usd_per_mtok: string;
};

function prices({ input_usd_per_mtok, cached_input_usd_per_mtok, output_usd_per_mtok }: Prices) {
  return { input_usd_per_mtok, cached_input_usd_per_mtok, output_usd_per_mtok };
}

/** A priced model needs both: input and output. */
function pairProblem(text: string, all: Prices): string | null {
  const anyGiven = Object.values(prices(all)).some((price) => price.trim() !== "");
  if (text.trim() === "" && anyGiven) return "Needed too; 0 means free.";
  return priceProblem(text.trim()) ?? null;
}

function textOrNull(text: string): string | null {
  return text.trim() === "" ? null : text.trim();
}
