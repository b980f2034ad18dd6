import { type Dimension, type Quantity, type QuantityEntry, toQuantity } from '../hardware/quantity.js';

export type EnergyName =
  | 'npuOnPower'
  | 'vectorPower'
  | 'macEnergy'
  | 'dramEnergy'
  | 'primeCorePower'
  | 'midCorePower'
  | 'driverPower';

/**
 * Power states, energy per byte and per operation. No idle power of the NPU alone and no energy per operation was
 * ever published for these chips, so every one is assumed, with a range; absolute joules mean little, ratios more.
 */
const ENTRIES: Readonly<Record<EnergyName, QuantityEntry>> = {
  /** NPU powered and clocked, whatever it does, for as long as the pass is on it. */
  npuOnPower: {
    value: '0.5 W',
    kind: 'assumed',
    source: 'no published figure',
    range: ['0.2 W', '1 W'],
    note: 'all of an NPU speech model on a Galaxy S25 takes 0.46 W (arXiv:2607.01108)',
  },
  /** On top, while all vector threads are busy. */
  vectorPower: {
    value: '1.5 W',
    kind: 'assumed',
    source: 'no published figure',
    range: ['0.5 W', '3 W'],
    note: 'a whole OnePlus 12 stays under 5 W while its NPU decodes (arXiv:2509.23324)',
  },
  /** One FP16 multiply-accumulate of the matrix unit, padding included. */
  macEnergy: {
    value: '0.4 pJ',
    kind: 'assumed',
    source: 'Horowitz, ISSCC 2014',
    range: ['0.15 pJ', '1.5 pJ'],
    note: '1.5 pJ at 45 nm, scaled to 3-4 nm',
  },
  /** DRAM device, interface and controller. */
  dramEnergy: {
    value: '40 pJ/B',
    kind: 'assumed',
    source: 'no published figure',
    range: ['24 pJ/B', '80 pJ/B'],
    note: '3 to 10 pJ a bit is what LPDDR4-5 systems are usually given',
  },
  primeCorePower: { value: '3 W', kind: 'assumed', source: 'no published figure', range: ['1.5 W', '6 W'] },
  midCorePower: { value: '1.2 W', kind: 'assumed', source: 'no published figure', range: ['0.5 W', '2.5 W'] },
  /** One core in the driver or polling for the NPU. */
  driverPower: { value: '1.2 W', kind: 'assumed', source: 'no published figure', range: ['0.3 W', '3 W'] },
};

function dimensionOf(name: EnergyName): Dimension {
  if (name === 'macEnergy') return 'energy';
  return name === 'dramEnergy' ? 'energyPerByte' : 'power';
}

/** The numbers with their provenance, in W, pJ and pJ/B. */
export const ENERGY_NUMBERS: Readonly<Record<EnergyName, Quantity>> = Object.fromEntries(
  (Object.keys(ENTRIES) as EnergyName[]).map((name) => [name, toQuantity(ENTRIES[name], dimensionOf(name))]),
) as Record<EnergyName, Quantity>;
