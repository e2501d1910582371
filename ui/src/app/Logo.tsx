type Props = { size?: number };

/** A semaphore arm on its post: the mark of Signalbox. */
export function Logo({ size = 20 }: Props) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" aria-hidden>
      <path d="M6 3v14" stroke="var(--text)" strokeWidth="1.8" strokeLinecap="round" />
      <path d="M3.5 17h5" stroke="var(--text)" strokeWidth="1.8" strokeLinecap="round" />
      <path d="M6 6.2 16.5 3v4.2L6 10.4z" fill="var(--accent)" />
      <circle cx="6" cy="13.4" r="1.3" fill="var(--text)" />
    </svg>
  );
}
