import { describe, expect, it } from '@jest/globals';
import { MAX_ROWS, readList } from '../../api/list-file.ts';
import { COLUMNS, formOf, keyOf, problemsOf } from '../../workflows/import-rows.ts';
import { GROUP, IMPORT_ROW } from '../workflows/samples.ts';

const HEADER = 'company,domain,partner_name,group_ids,seats,usage_location';
const row = (company: string, domain: string, more = '25,US') =>
  `${company},${domain},Northwind,${GROUP},${more}`;
const read = (...lines: string[]) => readList([HEADER, ...lines].join('\n'), {});

describe('a customer list', () => {
  it('is read with the line each row stands on, blank lines and all', () => {
    const { rows, problems } = read(
      row('Contoso', 'contoso.example'),
      '',
      row('"Fabrikam, Inc"', 'fabrikam.example'),
    );

    expect(problems).toEqual([]);
    expect(rows.map(({ line, raw }) => [line, raw.company])).toEqual([
      [2, 'Contoso'],
      [4, 'Fabrikam, Inc'],
    ]);
  });

  it('names the line of a row behind a cell that spans lines', () => {
    const { problems } = read(row('"Contoso\nLtd"', 'contoso.example'), row('B', 'b.example', 'x,US'));

    expect(problems).toEqual([expect.objectContaining({ line: 4, field: 'seats' })]);
  });

  it.each([
    ['with a byte order mark', (text: string) => `\uFEFF${text}`],
    ['with Windows line ends', (text: string) => text.replaceAll('\n', '\r\n')],
    ['of a European Excel', (text: string) => text.replaceAll(',', ';')],
    ['of tabs', (text: string) => text.replaceAll(',', '\t')],
    [
      'with capitals in the header',
      (text: string) => text.replace('company', 'Company').replace('usage_l', 'Usage L'),
    ],
  ])('%s is read alike', (_, spoil) => {
    const text = [HEADER, row('Contoso', 'contoso.example')].join('\n');

    expect(readList(spoil(text), {})).toEqual(readList(text, {}));
    expect(readList(spoil(text), {}).problems).toEqual([]);
  });

  it('tells every mistake at once, by line and column', () => {
    const { problems } = read(
      row('', 'contoso.example'),
      row('B', 'not a domain'),
      row('C', 'c.example', '0,usa'),
      row('D', 'd.example', '5,US,extra'),
      row('E', 'c.example'),
    );

    expect(problems.map(({ line, field }) => [line, field])).toEqual([
      [2, 'company'],
      [3, 'domain'],
      [4, 'seats'],
      [4, 'usage_location'],
      [5, null],
      [6, 'domain'],
    ]);
    expect(problems.at(-1)?.detail).toBe('is the customer of line 4 again');
    expect(problems[0]?.detail).toBe('is missing; expected is a name of 2 to 200 characters');
  });

  it.each([
    ['an unknown column', `${HEADER},colour\n`, 1, 'colour'],
    ['a column twice', `${HEADER},seats\n`, 1, 'seats'],
    ['no rows', HEADER, 1, null],
    ['nothing', '', 1, null],
    ['an open quote', `${HEADER}\n"Contoso,x`, 2, null],
    ['bytes of another charset', `${HEADER}\nSch\uFFFDne,x`, 1, null],
    [
      'too many rows',
      [HEADER, ...Array.from({ length: MAX_ROWS + 1 }, () => row('A', 'a.example'))].join('\n'),
      MAX_ROWS + 2,
      null,
    ],
  ])('with %s is refused with its line', (_, text, line, field) => {
    const { rows, problems } = readList(text, {});

    expect(rows).toEqual([]);
    expect(problems).toEqual([expect.objectContaining({ line, field })]);
  });
});

describe('a row', () => {
  it('becomes the start form of its path', () => {
    const { form } = formOf('onboard-existing-office-customer', {
      ...IMPORT_ROW,
      invite_to: 'it@a.example; b@a.example',
    });

    expect(form).toMatchObject({
      customer: { name: 'Contoso Ltd', domain: 'contoso.example' },
      invitation: { mode: 'review', to: ['it@a.example', 'b@a.example'] },
      order: { lines: [{ productId: 'CFQ7TTC0LHT4', quantity: 25, termDuration: 'P1Y' }] },
    });
  });

  it('takes from this installation what no column holds, and keeps its own', () => {
    const { form } = formOf('onboard-existing-csp-customer', IMPORT_ROW, {
      licences: { mode: 'all', usageLocation: 'DE' },
    });

    expect(form).toMatchObject({ licences: { mode: 'all', usageLocation: 'US' } });
  });

  it('without a path needs a domain, and a path must be one of ours', () => {
    const { domain: _, ...nowhere } = IMPORT_ROW;

    expect(problemsOf(nowhere).map(({ field }) => field)).toEqual(['domain']);
    expect(problemsOf({ ...IMPORT_ROW, path: 'elsewhere' }).map(({ field }) => field)).toEqual(['path']);
    expect(problemsOf({ ...nowhere, path: 'onboard-existing-csp-customer' })).toEqual([]);
  });

  it.each([
    ['group_ids', `${GROUP}; not-an-id`, "is 'not-an-id'; expected is an object id such as 0f0c2222-"],
    ['seats', 'many', "is 'many'; expected is a whole number from 1 to 10000000"],
    ['seats', '0', "is '0'; expected is a whole number"],
    ['usage_location', 'usa', "is 'usa'; expected is two capital letters, such as US"],
    ['invite_to', 'it@a.example;nobody', "is 'nobody'; expected is a mail address"],
    ['price_ceiling', '1.250,50', "is '1.250,50'; expected is an amount above 0"],
    ['price_ceiling', '0', "is '0'; expected is an amount above 0"],
    ['term', 'P2Y', "is 'P2Y'; expected is one of P1M, P1Y, P3Y"],
    ['billing', 'weekly', "is 'weekly'; expected is one of monthly, annual, triennial"],
    ['path', 'elsewhere', "is 'elsewhere'; expected is one of onboard-"],
    ['domain', 'contoso', "is 'contoso'; expected is a domain name"],
    ['company', 'x'.repeat(300), `is '${'x'.repeat(60)}…'; expected is a name of 2 to 200`],
  ])('says in plain words what is wrong with %s when it is %s', (field, value, words) => {
    const problems = problemsOf({ ...IMPORT_ROW, [field]: value });

    expect(problems).toEqual([{ field, detail: expect.stringContaining(words) }]);
  });

  it('for a new customer says what each missing or wrong column takes', () => {
    const { domain: _, ...rest } = IMPORT_ROW;
    const wrong = { domain_prefix: 'contoso', email: 'ada', state: 'Washington', country: 'us' };

    const problems = problemsOf({ ...rest, ...wrong, path: 'onboard-new-customer' });

    expect(problems.map(({ field, detail }) => `${field} ${detail}`)).toEqual([
      'first_name is missing; expected is a name of 1 to 50 characters',
      'last_name is missing; expected is a name of 1 to 50 characters',
      "email is 'ada'; expected is a mail address, such as it@contoso.example",
      'street is missing; expected is 1 to 200 characters',
      'city is missing; expected is at most 100 characters',
      "state is 'Washington'; expected is two letters, such as WA",
      "country is 'us'; expected is two capital letters, such as US",
    ]);
  });

  it('is the same customer under any spelling of its domain', () => {
    expect(keyOf({ ...IMPORT_ROW, domain: 'CONTOSO.Example' })).toBe(keyOf(IMPORT_ROW));
  });

  it('has a help text for every column', () => {
    expect(Object.values(COLUMNS).every((text) => text.length > 3)).toBe(true);
  });
});
