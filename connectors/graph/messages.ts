/** Mail of one of the partner's own mailboxes (`Mail.Read`). */
import { z } from 'zod';
import { query, type ReadOptions, route } from '../http.ts';
import { nullable } from '../schema.ts';
import type { GraphCalls } from './service.ts';

const Message = z.object({
  id: z.string(),
  internetMessageId: nullable(z.string()),
  subject: nullable(z.string()),
  from: nullable(z.object({ emailAddress: z.object({ address: nullable(z.string()) }) })),
  receivedDateTime: z.string().refine((at) => !Number.isNaN(Date.parse(at)), 'is no instant'),
  body: z.object({ content: z.string() }).nullish(),
});
export type Message = z.output<typeof Message>;

const SELECT = 'internetMessageId,subject,from,receivedDateTime,body';

export function messages(calls: GraphCalls) {
  return {
    /** Newest last; at most `limit`. Bodies come as plain text. */
    receivedSince(
      mailbox: string,
      since: Date,
      options: ReadOptions & { readonly limit?: number } = {},
    ): Promise<Message[]> {
      // The comparison needs an instant without milliseconds.
      const after = `${since.toISOString().slice(0, 19)}Z`;
      const wanted = {
        $filter: `receivedDateTime ge ${after}`,
        $orderby: 'receivedDateTime',
        $select: SELECT,
        $top: 50,
      };
      const path = `${route`/v1.0/users/${mailbox}/messages`}${query(wanted)}`;
      const headers = { Prefer: 'outlook.body-content-type="text"' };
      return calls.collect(calls.partnerTenantId, path, Message, { ...options, headers });
    },
  };
}
