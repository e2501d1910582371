import { Button } from "@mantine/core";
import { IconFlask, IconPlugConnected } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import classes from "../FirstRunPage.module.css";

type Props = { onSimulator: () => void };

/** A provider with its key, or the simulator without one. */
export function ConnectStep({ onSimulator }: Props) {
  return (
    <div className={classes.choices}>
      <div className={classes.choice}>
        <h3>Your own provider</h3>
        <p>DeepSeek, OpenAI, Anthropic, Gemini or any compatible server. You need its API key.</p>
        <Button
          leftSection={<IconPlugConnected size={16} aria-hidden />}
          renderRoot={(props) => <Link {...props} to="/providers" search={{ add: true }} />}
          data-testid="first-run-add-provider"
        >
          Connect a provider
        </Button>
      </div>
      <div className={classes.choice}>
        <h3>The built-in simulator</h3>
        <p>
          Answers by itself, needs no key, costs $0. Everything else works as with a real provider.
        </p>
        <Button
          variant="default"
          leftSection={<IconFlask size={16} aria-hidden />}
          onClick={onSimulator}
          data-testid="first-run-use-simulator"
        >
          Use the simulator
        </Button>
      </div>
    </div>
  );
}
