import { Modal } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { Provider, ProviderPreset } from "@/bindings";
import { verifyProviderMutationOptions } from "../mutations";
import { ChooseStep } from "./ChooseStep";
import { DetailsStep } from "./DetailsStep";
import { CheckStep } from "./CheckStep";
import { KeyStep } from "./KeyStep";
import classes from "./AddProviderDialog.module.css";

type Props = {
  opened: boolean;
  providers: readonly Provider[];
  /** Called with the provider that was added or connected, if it came that far. */
  onClose: (added: string | undefined) => void;
};

/** From nothing to a provider that answers: choose, give its key, check. */
export function AddProviderDialog({ opened, providers, onClose }: Props) {
  const [added, setAdded] = useState<string>();
  const close = () => {
    onClose(added);
    setAdded(undefined);
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title="Add a provider"
      size="lg"
      padding="lg"
      centered={false}
      yOffset="10vh"
      data-testid="provider-add-dialog"
    >
      <Steps providers={providers} onAdded={setAdded} onDone={close} />
    </Modal>
  );
}

type Stage =
  | { at: "choose" }
  | { at: "details"; preset: ProviderPreset | undefined }
  | { at: "key"; provider: Provider }
  | { at: "check"; provider: Provider };

type StepsProps = {
  providers: readonly Provider[];
  onAdded: (name: string) => void;
  onDone: () => void;
};

function Steps({ providers, onAdded, onDone }: StepsProps) {
  const [stage, setStage] = useState<Stage>({ at: "choose" });
  const verify = useMutation(verifyProviderMutationOptions());
  const askKey = (provider: Provider) => {
    onAdded(provider.name);
    verify.reset();
    setStage({ at: "key", provider });
  };
  const check = (provider: Provider) => {
    setStage({ at: "check", provider });
    verify.mutate(provider.name);
  };
  return (
    <>
      <Progress at={stage.at} />
      {stage.at === "choose" ? (
        <ChooseStep
          providers={providers}
          onChoose={(preset) => setStage({ at: "details", preset })}
          onConnect={askKey}
        />
      ) : stage.at === "details" ? (
        <DetailsStep
          preset={stage.preset}
          taken={providers.map((provider) => provider.name)}
          onBack={() => setStage({ at: "choose" })}
          onAdded={askKey}
        />
      ) : stage.at === "key" ? (
        <KeyStep provider={stage.provider} onSaved={check} onLater={onDone} />
      ) : (
        <CheckStep
          provider={latest(providers, stage.provider)}
          verify={verify}
          onKey={askKey}
          onMoved={(moved) => (moved.credential.state === "missing" ? askKey(moved) : check(moved))}
          onDone={onDone}
        />
      )}
    </>
  );
}

const STEPS = ["Choose", "Key", "Check"] as const;
const PLACES: Record<Stage["at"], number> = { choose: 0, details: 0, key: 1, check: 2 };

function Progress({ at }: { at: Stage["at"] }) {
  const place = PLACES[at];
  return (
    <ol className={classes.progress} aria-label="Steps">
      {STEPS.map((step, index) => (
        <li
          key={step}
          aria-current={index === place ? "step" : undefined}
          data-done={index < place}
        >
          <span>{index < place ? <IconCheck size={12} aria-hidden /> : index + 1}</span>
          {step}
        </li>
      ))}
    </ol>
  );
}

/** The list is refreshed by tags; a provider just added may not be in it for a moment. */
function latest(providers: readonly Provider[], known: Provider): Provider {
  return providers.find((provider) => provider.name === known.name) ?? known;
}
