/** Drawn here, so that nothing is fetched from elsewhere. Always beside a word, hence hidden from screen readers. */
const PATHS = {
  play: 'M6 4.5v7l6-3.5z',
  clock: 'M8 4.5V8l2.3 1.6M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z',
  alert: 'M8 5.2v3.4m0 2.3v.1M8 2l6.3 11.5H1.7z',
  check: 'M3.2 8.4 6.6 11.8 12.8 4.8',
  cross: 'M4 4l8 8m0-8-8 8',
  minus: 'M3.5 8h9',
  pause: 'M5.5 4v8m5-8v8',
  plus: 'M8 3v10M3 8h10',
  back: 'M9.5 3.5 5 8l4.5 4.5',
  refresh: 'M13 8a5 5 0 1 1-1.6-3.7M13 2.5v2.6h-2.6',
  person: 'M8 8a2.6 2.6 0 1 0 0-5.2A2.6 2.6 0 0 0 8 8zm-5 5.2c.6-2.4 2.6-3.6 5-3.6s4.4 1.2 5 3.6',
  gear: 'M8 5.6a2.4 2.4 0 1 1 0 4.8 2.4 2.4 0 0 1 0-4.8M8 1.8v2m0 8.4v2M1.8 8h2m8.4 0h2M3.6 3.6 5 5m6 6 1.4 1.4M12.4 3.6 11 5m-6 6-1.4 1.4',
  letter: 'M2 4h12v8.5H2zM2 4.5l6 4.5 6-4.5',
  timer: 'M8 5v3.2l2 1.3M6 1.5h4M8 3a5.6 5.6 0 1 1 0 11.2A5.6 5.6 0 0 1 8 3z',
  report: 'M4 1.8h5.5L13 5.3v8.9H4zM9.3 2v3.5H13M6 8.4h5M6 11h5',
  key: 'M9.2 6.8a3 3 0 1 1 .1.1L3 13H1.8v-2.2h2v-1.8h1.8z',
  inbox: 'M2 9.5 4 3h8l2 6.5V13H2zM2 9.5h3.5L6.5 11h3l1-1.5H14',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
