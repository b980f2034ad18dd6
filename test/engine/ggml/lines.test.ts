import { expect, it } from 'vitest';
import { openBackend } from '../../../src/engine/ggml/backend.js';
import { makeConstants } from '../../../src/engine/ggml/constants.js';
import { writeGraph } from '../../../src/engine/ggml/graph-writer.js';
import { loadGgml } from '../../../src/engine/ggml/library.js';
import { NativeSlots, SLOT_STEP } from '../../../src/engine/ggml/native-slots.js';
import { hasGgml } from '../../../src/engine/ggml/package.js';
import { takeRowsEarly } from '../../../src/engine/ggml/rows-early.js';
import { loadNativeWeights } from '../../../src/engine/ggml/weights.js';
import { buildGraph } from '../../../src/model/build-graph.js';
import { precisionFor } from '../../../src/model/precision.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

const LINE = 64n;

it.skipIf(!hasGgml())(
  'every value of a pass begins with a line of the cache, whatever the rows',
  async () => {
    const config = tinyConfig({ layers: 1, vocab: 48 });
    const ggml = loadGgml();
    const { api } = ggml;
    const backend = openBackend(ggml, 'cpu');
    const weights = await loadNativeWeights(ggml, backend, config, randomWeights(config));
    const constants = makeConstants(ggml, backend, config);
    const slots = new NativeSlots(ggml, backend, config, () => {});
    slots.grow(SLOT_STEP);
    for (const [rows, logitsRows] of [
      [1, 1],
      [2, 0],
      [8, 8],
      [9, 3],
      [17, 1],
    ] as const) {
      const shape = { rows, logitsRows, kvSets: [], masked: false };
      const ops = takeRowsEarly(buildGraph(config, shape, precisionFor('f32')));
      const parts = { ggml, weights, constants, slots, byProducts: true };
      const { context, graph } = writeGraph(parts, ops, SLOT_STEP);
      const allocator = api.ggml_gallocr_new(backend.bufferType);
      expect(api.ggml_gallocr_alloc_graph(allocator, graph)).toBe(true);
      for (let i = 0; i < api.ggml_graph_n_nodes(graph); i++) {
        const node = api.ggml_graph_node(graph, i);
        const place = `${rows} rows, logits of ${logitsRows}: ${api.ggml_get_name(node)}`;
        expect(api.ggml_get_data(node) % LINE, place).toBe(0n);
      }
      api.ggml_gallocr_free(allocator);
      api.ggml_free(context);
    }
    slots.free();
    constants.free();
    weights.free();
    backend.free();
  },
);
