import { Page } from "@/components/Page";

export function OverviewPage() {
  return (
    <Page id="overview">
      <p className="muted">OverviewPage</p>
    </Page>
  );
}
