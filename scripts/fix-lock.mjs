#!/usr/bin/env node
/** Mends package-lock.json in place after an `npm install` from an incomplete mirror. Run it before committing a lock. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fixLock } from './lib/lock-file.mjs';

const path = process.argv[2] ?? new URL('../package-lock.json', import.meta.url);
const text = readFileSync(path, 'utf8');
const { lock, added, stripped } = fixLock(JSON.parse(text));
const mended = `${JSON.stringify(lock, null, 2)}\n`;
if (mended !== text) writeFileSync(path, mended);
console.log(`package-lock.json: ${added.length} entries added, ${stripped.length} foreign addresses removed`);
