import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { openApiDocument } from '../../api/openapi.ts';
import { permissionOf } from '../../api/permissions.ts';
import { createFixture } from '../integration/api-fixture.ts';

const file = new URL('../../docs/openapi.json', import.meta.url);
const { app } = createFixture();
const response = await (await import('supertest')).default(app).get('/openapi.json');
const document = response.body as {
  paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
};

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Record<string, boolean> };
}

describe('docs/openapi.json', () => {
  it('is what the routes say (UPDATE_DOCS=1 writes it anew)', () => {
    const text = `${JSON.stringify(document, null, 2)}\n`;
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, text);

    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(document);
  });

  it('describes exactly the routes that are registered', () => {
    const { stack } = app.router as unknown as { stack: readonly Layer[] };
    // The catch-all that answers 405 stands for every method at once.
    const single = stack.filter(({ route }) => Object.keys(route?.methods ?? {}).length === 1);
    const registered = single.flatMap(({ route }) =>
      Object.keys(route?.methods ?? {})
        .filter(
          (method) =>
            route?.methods[method] === true && ['get', 'post', 'put', 'patch', 'delete'].includes(method),
        )
        .map((method) => `${method} ${route?.path.replaceAll(/:(\w+)/g, '{$1}')}`),
    );
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );

    expect(documented.toSorted()).toEqual([...new Set(registered)].toSorted());
  });

  it('describes at least one success and one failure of each route', () => {
    for (const methods of Object.values(document.paths))
      for (const { responses } of Object.values(methods)) {
        expect(Object.keys(responses).some((status) => status.startsWith('2'))).toBe(true);
        expect(Object.keys(responses).some((status) => /^[45]/.test(status))).toBe(true);
      }
  });
});

describe('a route without a permission', () => {
  it('does not start', () => {
    expect(() => permissionOf('newRoute')).toThrow("The route 'newRoute' has no permission.");
    expect(() => permissionOf('constructor')).toThrow("The route 'constructor' has no permission.");
    expect(() =>
      openApiDocument([
        {
          id: 'newRoute',
          method: 'get',
          path: '/x',
          tag: 'x',
          summary: 'x',
          responses: {},
          errors: [],
          handle: () => ({ status: 200 }),
        },
      ]),
    ).toThrow('has no permission');
  });
});
