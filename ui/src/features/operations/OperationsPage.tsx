import { Page } from "@/components/Page";

export function OperationsPage() {
  return (
    <Page id="operations">
      <p className="muted">Operations</p>
    </Page>
  );
}
