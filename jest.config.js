import { availableParallelism } from 'node:os'

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
  // Tests wait for processes half of their time: with one more than there are cores, the cores are in use.
  maxWorkers: availableParallelism() + 1,
  workerIdleMemoryLimit: '1GB',
  testTimeout: 30_000,
}
