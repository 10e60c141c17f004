/** Asks the oracle batch by batch and prints what came of it. Arguments: the seed of the first batch, how many. */
import { askOracle } from './engine-oracle.ts';

const [first = 1, count = 1] = process.argv.slice(2).map(Number);
process.stdout.write(`${JSON.stringify({ msg: 'played', ...(await askOracle(first, count)) })}\n`);
