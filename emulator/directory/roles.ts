/** Directory role templates (real ids). */
export const ROLES = {
  directoryReaders: '88d8e3e3-8f55-4a1e-953a-9b9898b8876b',
  globalReader: 'f2ef992c-3afb-46b9-b7cf-a126ee74c451',
  directoryWriters: '9360feb5-f418-4baa-8175-e2a00bac4301',
  licenceAdministrator: '4d6ac14f-3453-41d0-bef9-a3e0c569773a',
  userAdministrator: 'fe930be7-5e62-47db-91af-98c3a49a38b1',
  helpdeskAdministrator: '729827e3-9c14-49f7-bb1b-9608f156bbb8',
  applicationAdministrator: '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3',
  cloudApplicationAdministrator: '158c047a-c907-4556-b7ef-446551a6b5f7',
  domainNameAdministrator: '8329153b-31d0-4727-b945-745eb3bc5f31',
  hybridIdentityAdministrator: '8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2',
  serviceSupportAdministrator: 'f023fd81-a637-4b56-95fd-791ac0226033',
  billingAdministrator: 'b0f54661-2d74-4c50-afa3-1ec803f12efe',
  privilegedRoleAdministrator: 'e8611ab8-c189-46e8-94e1-60213ab1f814',
  privilegedAuthenticationAdministrator: '7be44c8a-adaf-4e2a-84d6-ab2649e08a13',
  intuneAdministrator: '3a2c62db-5318-420d-8d74-23affee5d9d5',
  exchangeAdministrator: '29232cdf-9323-42fd-ade2-1d097af3e4de',
  globalAdministrator: '62e90394-69f5-4237-9190-012177145e10',
} as const;

const NAMES: Readonly<Record<string, string>> = {
  [ROLES.directoryReaders]: 'Directory Readers',
  [ROLES.globalReader]: 'Global Reader',
  [ROLES.directoryWriters]: 'Directory Writers',
  [ROLES.licenceAdministrator]: 'License Administrator',
  [ROLES.userAdministrator]: 'User Administrator',
  [ROLES.helpdeskAdministrator]: 'Helpdesk Administrator',
  [ROLES.applicationAdministrator]: 'Application Administrator',
  [ROLES.cloudApplicationAdministrator]: 'Cloud Application Administrator',
  [ROLES.domainNameAdministrator]: 'Domain Name Administrator',
  [ROLES.hybridIdentityAdministrator]: 'Hybrid Identity Administrator',
  [ROLES.serviceSupportAdministrator]: 'Service Support Administrator',
  [ROLES.billingAdministrator]: 'Billing Administrator',
  [ROLES.privilegedRoleAdministrator]: 'Privileged Role Administrator',
  [ROLES.privilegedAuthenticationAdministrator]: 'Privileged Authentication Administrator',
  [ROLES.intuneAdministrator]: 'Intune Administrator',
  [ROLES.exchangeAdministrator]: 'Exchange Administrator',
  [ROLES.globalAdministrator]: 'Global Administrator',
};

export function roleName(roleId: string): string {
  return NAMES[roleId] ?? roleId;
}

/** What a customer created by API grants at once (facts 2.2). */
export const DEFAULT_GDAP_ROLES: readonly string[] = [
  ROLES.directoryReaders,
  ROLES.directoryWriters,
  ROLES.licenceAdministrator,
  ROLES.serviceSupportAdministrator,
  ROLES.userAdministrator,
  ROLES.privilegedRoleAdministrator,
  ROLES.helpdeskAdministrator,
  ROLES.privilegedAuthenticationAdministrator,
  ROLES.cloudApplicationAdministrator,
  ROLES.applicationAdministrator,
  ROLES.globalReader,
];

/** Rights that let an application be consented in a customer tenant. */
export const CONSENT_ROLES: readonly string[] = [
  ROLES.applicationAdministrator,
  ROLES.cloudApplicationAdministrator,
  ROLES.privilegedRoleAdministrator,
  ROLES.globalAdministrator,
];
