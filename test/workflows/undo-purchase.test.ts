import { describe, expect, it } from '@jest/globals';
import { UndoPurchaseInput, undoPurchaseMachine } from '../../workflows/undo-purchase.ts';
import { drive } from './harness.ts';
import { ANSWERS, STARTS } from './samples.ts';

const window = (index: number) => ANSWERS['readUndoWindow']?.[index];
const begin = () => drive(undoPurchaseMachine, UndoPurchaseInput.parse(STARTS['undo-purchase']));
const reason = { reason: 'Bought by mistake.' };

describe('a purchase', () => {
  it('can be given back until the day Microsoft names, and not later', () => {
    const driver = begin().done('readUndoWindow', window(0));
    expect(driver.is('awaitingDecision')).toBe(true);

    driver.timer('undoWindow');

    expect(driver.snapshot().output).toMatchObject({ outcome: 'too-late' });
    expect(begin().done('readUndoWindow', window(1)).snapshot().output).toMatchObject({
      outcome: 'too-late',
    });
  });

  it('is given back when the subscription reads canceled, not when Microsoft took the request', () => {
    const driver = begin()
      .done('readUndoWindow', window(0))
      .signal('undo.requested', reason)
      .done('cancelSubscription', ANSWERS['cancelSubscription']?.[0])
      .done('readAgain', window(0));
    expect(driver.is({ confirming: 'waiting' })).toBe(true);

    driver.timer('orderPoll').done('readAgain', window(2));

    expect(driver.snapshot().output).toMatchObject({ outcome: 'undone', subscriptionId: 'subscription-1' });
  });

  it('whose cancellation went unanswered is read before anything is tried again', () => {
    const driver = begin()
      .done('readUndoWindow', window(0))
      .signal('undo.requested', reason)
      .fail('cancelSubscription')
      .signal('retry.requested');
    expect(driver.running()).toEqual(['readUndoWindow']);

    expect(driver.done('readUndoWindow', window(2)).snapshot().output).toMatchObject({ outcome: 'undone' });
  });

  it('that Microsoft does not take back is told in its words', () => {
    const driver = begin()
      .done('readUndoWindow', window(0))
      .signal('undo.requested', reason)
      .done('cancelSubscription', ANSWERS['cancelSubscription']?.[1]);

    expect(driver.is('refused')).toBe(true);
    expect(driver.context<{ refusal: object }>().refusal).toEqual({
      code: '900117',
      message: 'The window is over.',
    });
  });

  it('under cancellation is not left half done by a cancel of the instance', () => {
    const driver = begin().done('readUndoWindow', window(0)).signal('undo.requested', reason);

    expect(driver.takes('cancel.requested') && !driver.signal('cancel.requested').is('givingBack')).toBe(
      false,
    );
  });
});
