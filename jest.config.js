/** Tests run from the sources, as native ES modules (run by `npm test`, which adds --experimental-vm-modules). */
export default {
  testMatch: ['<rootDir>/**/src/**/*.test.ts', '<rootDir>/tests/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/.kre/'],
  modulePathIgnorePatterns: ['<rootDir>/.kre/', '<rootDir>/examples/.*/node_modules/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  // Most of a test's time is waiting for processes: all cores can be used. One more file at once, and tests of what a
  // node does under load fail where the computer is the bottleneck.
  maxWorkers: '100%',
  workerIdleMemoryLimit: '1GB',
  // Only a test that hangs takes as long; what is slow is the computer.
  testTimeout: 180_000,
}
