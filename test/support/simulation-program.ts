/** Plays seeds and prints what came of them. Arguments: the first seed, how many. */
import { campaign } from '../simulation/campaign.ts';

const [first = 1, count = 1] = process.argv.slice(2).map(Number);
process.stdout.write(`${JSON.stringify({ msg: 'played', ...(await campaign(first, count)) })}\n`);
