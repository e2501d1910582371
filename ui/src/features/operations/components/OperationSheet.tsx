import { Button } from "@mantine/core";
import { IconRouteOff } from "@tabler/icons-react";
import type { Operation } from "@/bindings";
import { EmptyState } from "@/components/EmptyState";
import { Sheet } from "@/components/Sheet";
import { Skeleton } from "@/components/Skeletons";
import { RouteSheet } from "./RouteSheet";

type Props = {
  id: string;
  /** Absent while it is read, and when there is none of that name. */
  operation: Operation | undefined;
  waiting: boolean;
  onClose: () => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
};

/** The open operation: its route editor, or why there is none. */
export function OperationSheet({ id, operation, waiting, onClose, onPrevious, onNext }: Props) {
  if (operation) {
    return (
      <RouteSheet
        key={operation.id}
        operation={operation}
        onClose={onClose}
        onPrevious={onPrevious}
        onNext={onNext}
      />
    );
  }
  return (
    <Sheet label={`Operation ${id}`} title={id} onClose={onClose} data-testid="operation-detail">
      {waiting ? (
        <Skeleton label="the operation" shape="text" rows={8} />
      ) : (
        <EmptyState
          icon={IconRouteOff}
          title={`There is no operation named ${id}`}
          action={
            <Button variant="default" onClick={onClose}>
              Show all operations
            </Button>
          }
          data-testid="operation-unknown"
        >
          The link may be old, or the name misspelt.
        </EmptyState>
      )}
    </Sheet>
  );
}
