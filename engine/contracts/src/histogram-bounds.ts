/** Upper bounds of the buckets of all histograms, in seconds: from a hop to the longest usual deadline. */
export const HISTOGRAM_BOUNDS_S = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
  2.5, 5, 10, 30,
] as const
