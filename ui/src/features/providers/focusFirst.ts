/** As the `ref` of what appears in answer to a key or a click: moves the focus to the part of it that is marked `data-autofocus`. */
export function focusFirst(element: HTMLElement | null): void {
  element?.querySelector<HTMLElement>("[data-autofocus]")?.focus();
}
