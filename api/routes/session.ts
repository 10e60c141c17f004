import { z } from 'zod';
import type { Auth, Caller } from '../auth.ts';
import { type Route, route } from '../route.ts';
import { SessionSchema } from '../schemas.ts';

const SignInBody = z
  .union([z.strictObject({ key: z.string().min(1).max(512) }), z.strictObject({ demo: z.literal(true) })])
  .meta({ id: 'SignIn' });

export function sessionRoutes({ auth }: { readonly auth: Auth }): readonly Route[] {
  const shown = (caller: Caller | null, demo: boolean) => ({
    signedIn: caller !== null,
    name: caller?.name ?? null,
    role: caller?.role ?? null,
    demo,
  });
  return [
    route({
      id: 'getSession',
      method: 'get',
      path: '/v1/session',
      tag: 'session',
      summary: 'Who is signed in',
      responses: { 200: { description: 'Also when nobody is', schema: SessionSchema } },
      errors: [],
      handle: ({ caller, request }) => ({ status: 200, body: shown(caller, auth.offersDemo(request)) }),
    }),
    route({
      id: 'signIn',
      method: 'post',
      path: '/v1/session',
      tag: 'session',
      summary: 'Sign in to the dashboard with an API key',
      description: 'Sets a sealed cookie. From the same origin only.',
      body: SignInBody,
      responses: { 201: { description: 'Signed in', schema: SessionSchema } },
      errors: [],
      handle({ body, request }) {
        const { res } = request;
        if (res === undefined) throw new TypeError('a request has its response');
        const caller = 'key' in body ? auth.signIn(request, res, body.key) : auth.signInDemo(request, res);
        return { status: 201, body: shown(caller, auth.offersDemo(request)) };
      },
    }),
    route({
      id: 'signOut',
      method: 'delete',
      path: '/v1/session',
      tag: 'session',
      summary: 'Sign out of the dashboard',
      responses: { 204: { description: 'Signed out' } },
      errors: [],
      handle({ request }) {
        if (request.res !== undefined) auth.signOut(request, request.res);
        return { status: 204 };
      },
    }),
  ];
}
