import { Button } from "@mantine/core";
import { IconMapPinOff } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { EmptyState } from "@/components/EmptyState";

export function NotFound() {
  return (
    <EmptyState
      icon={IconMapPinOff}
      title="There is no screen at this address"
      action={
        <Button renderRoot={(props) => <Link to="/overview" search={{}} {...props} />}>
          Go to the overview
        </Button>
      }
    />
  );
}
