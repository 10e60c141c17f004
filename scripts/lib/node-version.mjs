/** This file and what imports it before the check must parse on old versions of Node. */
const MINIMUM = [20, 19];

/** A sentence that says what is wrong with this version, or undefined when it will do. */
export function nodeProblem(version) {
  const parts = version.replace(/^v/, '').split('.').map(Number);
  const fits = parts[0] > MINIMUM[0] || (parts[0] === MINIMUM[0] && parts[1] >= MINIMUM[1]);
  if (fits) return undefined;
  return (
    `This project needs Node ${MINIMUM.join('.')} or newer; this is ${version}.\n` +
    'Get the current one from https://nodejs.org or with: nvm install --lts'
  );
}
