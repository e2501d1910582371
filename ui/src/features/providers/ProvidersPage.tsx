import { useQuery } from "@tanstack/react-query";
import { providersQueryOptions } from "@/api/queries";
import { ErrorState } from "@/components/ErrorState";
import { Page } from "@/components/Page";
import { Skeleton } from "@/components/Skeletons";
import { sortProviders } from "./model";

export function ProvidersPage() {
  const providers = useQuery(providersQueryOptions());
  return (
    <Page id="providers">
      {providers.data ? (
        <ul>
          {sortProviders(providers.data).map((provider) => (
            <li key={provider.name} data-testid={`provider-card-${provider.name}`}>
              {provider.name}: {provider.ready.text}
            </li>
          ))}
        </ul>
      ) : providers.error ? (
        <ErrorState
          title="The providers could not be read"
          error={providers.error}
          onRetry={() => void providers.refetch()}
        />
      ) : (
        <Skeleton label="the providers" shape="rows" rows={8} />
      )}
    </Page>
  );
}
