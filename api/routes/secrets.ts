import { z } from 'zod';
import type { Client } from '../../engine/index.ts';
import { type SecretBox, secretAad } from '../../shared/secrets.ts';
import { actorOf, type Route, route } from '../route.ts';
import { instanceId, reason } from '../schemas.ts';

const RevealBody = z.strictObject({ reason }).meta({ id: 'RevealSecret' });

export function secretRoutes(deps: {
  readonly client: Client;
  readonly secretBox: SecretBox;
}): readonly Route[] {
  return [
    route({
      id: 'revealSecret',
      method: 'post',
      path: '/v1/instances/{id}/secrets/{name}/reveal',
      tag: 'secrets',
      summary: 'Show a secret once and destroy it',
      description: 'The record that it was shown, and to whom, is durable before it is shown.',
      params: z.object({ id: instanceId, name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'is not a name') }),
      body: RevealBody,
      responses: {
        200: {
          description: 'Shown now and never again',
          schema: z.strictObject({ name: z.string(), value: z.string() }),
        },
      },
      errors: ['instance-unknown', 'secret-unknown'],
      async handle(call) {
        const { id, name } = call.params;
        const sealed = await deps.client.takeSecret(id, name, {
          by: actorOf(call),
          reason: call.body.reason,
        });
        return { status: 200, body: { name, value: deps.secretBox.open(secretAad(id, name), sealed) } };
      },
    }),
  ];
}
