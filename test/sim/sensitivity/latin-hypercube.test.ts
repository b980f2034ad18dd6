import fc from 'fast-check';
import { expect, it } from 'vitest';
import { latinHypercube } from '../../../sim/sensitivity/latin-hypercube.js';
import { seededRandom } from '../../../sim/sensitivity/sensitivity.js';

it('has one point in every stratum of every coordinate, and is the same for the same seed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 6 }), fc.nat(), (n, d, seed) => {
      const points = latinHypercube(n, d, seededRandom(seed));
      for (let dimension = 0; dimension < d; dimension++) {
        const strata = points.map((point) => Math.floor(point[dimension] * n)).sort((a, b) => a - b);
        expect(strata).toEqual(Array.from({ length: n }, (_, i) => i));
      }
      expect(latinHypercube(n, d, seededRandom(seed))).toEqual(points);
    }),
  );
});
