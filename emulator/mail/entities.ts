import type { Entity } from '../core/database.ts';

export interface Mail extends Entity {
  readonly messageId: string | null;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string | null;
  readonly receivedAt: string;
  /** `smtp` came in through the sink, `microsoft` was written by the emulated cloud. */
  readonly origin: 'smtp' | 'microsoft';
  readonly attachments: readonly {
    readonly filename: string;
    readonly contentType: string;
    readonly bytes: number;
  }[];
}
