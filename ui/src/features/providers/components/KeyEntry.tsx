import { useMutation } from "@tanstack/react-query";
import type { Provider } from "@/bindings";
import { SecretEntry } from "@/components/SecretEntry";
import { pasteCredentialMutationOptions, setCredentialMutationOptions } from "../mutations";

type Props = { provider: string; onSaved: (provider: Provider) => void };

/** Takes the credential of a provider. */
export function KeyEntry({ provider, onSaved }: Props) {
  const paste = useMutation(pasteCredentialMutationOptions());
  const set = useMutation(setCredentialMutationOptions());
  return (
    <SecretEntry
      onPaste={() => {
        set.reset();
        paste.mutate(provider, { onSuccess: onSaved });
      }}
      onTyped={(secret) => {
        paste.reset();
        set.mutate({ name: provider, secret }, { onSuccess: onSaved });
      }}
      pending={paste.isPending ? "paste" : set.isPending ? "typed" : undefined}
      failure={paste.error ?? set.error}
      testId="provider"
    />
  );
}
