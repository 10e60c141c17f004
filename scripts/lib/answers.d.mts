export interface AnswerableTask {
  readonly id: string;
  readonly actions: readonly { readonly name: string; readonly signal?: string }[];
  readonly shows: unknown;
}
export interface Answer {
  readonly action: string;
  readonly payload: Record<string, unknown>;
}
export function answerTask(task: AnswerableTask): Answer | null;
export function signalOf(task: AnswerableTask, answer: Answer): string | undefined;
export const ANSWERED_TASKS: readonly string[];
