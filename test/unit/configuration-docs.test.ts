import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as variables from '../../shared/config-variables.ts';

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const known = Object.entries(variables)
  .filter(([name]) => name.endsWith('Shape'))
  .flatMap(([, shape]) => Object.keys(shape));

describe('docs/configuration.md', () => {
  const rows = [...read('docs/configuration.md').matchAll(/^\| `([A-Z_]+)` \|.*$/gm)];

  it('has one line for each variable that is read, and no other', () => {
    expect(rows.map(([, name]) => name).sort()).toEqual([...known].sort());
  });

  it('says which hold secrets', () => {
    const marked = rows.filter(([row]) => row.includes('| secret;')).map(([, name]) => name);

    expect(marked.sort()).toEqual([...variables.SECRET_VARIABLES].sort());
  });
});

describe('docker-compose.yml', () => {
  it('sets only variables that somebody reads', () => {
    const emulator = [...read('emulator/main.ts').matchAll(/'(EMULATOR_[A-Z_]+)'/g)].map(([, name]) => name);
    const set = [...read('docker-compose.yml').matchAll(/^ +([A-Z][A-Z0-9_]+):/gm)].map(([, name]) => name);

    expect(set.length).toBeGreaterThan(20);
    expect(set.filter((name) => ![...known, ...emulator, 'REDISCLI_AUTH'].includes(name ?? ''))).toEqual([]);
  });

  it('asks for everything a worker and an API cannot start without', () => {
    const services = read('docker-compose.yml').split(/^ {2}(?=\w[\w-]*:$)/m);
    const service = (name: string) => services.find((text) => text.startsWith(`${name}:`)) ?? '';

    expect(service('api')).toContain('API_KEYS:');
    for (const name of ['worker', 'demo-worker'])
      for (const needed of [
        'PARTNER_TENANT_ID',
        'CLIENT_ID',
        'CLIENT_SECRET',
        'GDAP_GROUP_IDS',
        'SMTP_URL',
        'MAIL_FROM',
      ])
        expect([name, needed, service(name).includes(`${needed}:`)]).toEqual([name, needed, true]);
  });
});
