/** True when something was built, false when `dist` was up to date. Throws with the tools' words when it fails. */
export function build(options: {
  readonly root: string;
  readonly force?: boolean;
  readonly log?: (text: string) => void;
}): boolean;
