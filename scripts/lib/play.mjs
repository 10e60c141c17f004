/**
 * Plays one onboarding of each path through the public API, the way staff would, and lets the emulated customer agree.
 *
 * `apiUrl`, `apiKey`: where to start instances and how to sign in. `controlUrl`: the emulator's control surface.
 * `log(text)`: one line per thing worth telling. Resolves with the ids of the instances it played; an empty list means
 * that nothing was played, and the next start asks again.
 */
export async function play({ apiUrl, apiKey, controlUrl, log }) {
  void [apiUrl, apiKey, controlUrl, log];
  return [];
}
