import { GRAPH_APPLICATION_ID } from '../../connectors/index.ts';
import { type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import { grantAppConsent as contract } from '../../workflows/activities/relationships.ts';
import { type ActivityDeps, writing } from './calls.ts';

/** Microsoft is still making the service principal, or does not see the fresh relationship yet (facts 1.2, 10). */
const NOT_READY = /650051|650052|65001/;

export function grantAppConsent({ connectors, config }: ActivityDeps): ActivityImplementation {
  const { clientId, applicationName, customerScopes } = config.microsoft;
  const consent = {
    applicationId: clientId,
    displayName: applicationName,
    grants: [{ enterpriseApplicationId: GRAPH_APPLICATION_ID, scopes: customerScopes }],
  };

  return implementActivity(contract, {
    async run({ tenantId }, context) {
      const { relationships } = connectors.partnerCenter;
      try {
        const { alreadyThere } = await relationships.consentToApplication(
          tenantId,
          consent,
          writing(context),
        );
        // Tokens from before the consent lack its scopes.
        connectors.identity.forget(tenantId);
        return { outcome: alreadyThere ? 'already-granted' : 'granted' };
      } catch (failure) {
        if (failure instanceof ActivityFailure && NOT_READY.test(`${failure.code} ${failure.message}`))
          return { outcome: 'not-ready' };
        throw failure;
      }
    },

    // Nothing reads a consent back, and nothing needs to: granting it again answers that it is there.
    verify: async () => ({ outcome: 'not-done' }),
  });
}
