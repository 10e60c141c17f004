const swc = [
  '@swc/jest',
  {
    swcrc: false,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' }, keepClassNames: true },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  },
];
const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': swc },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.data/'],
};
const project = (displayName, folders, extra = {}) => ({
  ...base,
  displayName,
  testMatch: folders.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`),
  ...extra,
});
const withRedis = {
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
};

export default {
  testTimeout: 30_000,
  // Half of a test's time is waiting; jest's own default leaves a core idle, which on two of them is half the machine.
  maxWorkers: '100%',
  projects: [
    {
      ...project('unit', ['unit', 'workflows', 'simulation']),
      testMatch: [
        '<rootDir>/test/*.test.ts',
        '<rootDir>/test/unit/**/*.test.ts',
        '<rootDir>/test/workflows/**/*.test.ts',
        '<rootDir>/test/simulation/**/*.test.ts',
      ],
    },
    project('contract', ['contract'], withRedis),
    project('integration', ['integration'], withRedis),
    project('faults', ['faults'], withRedis),
    project('long', ['long'], withRedis),
    project('e2e', ['e2e'], withRedis),
  ],
};
