/** A secret on its way to the backend. It can be taken out once; then the box is empty. */
export type SecretBox = { take: () => string };

export function boxSecret(secret: string): SecretBox {
  let held = secret;
  return {
    take: () => {
      const taken = held;
      held = "";
      return taken;
    },
  };
}
