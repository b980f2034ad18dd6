import type { KvRef, Pass } from '../../pass/pass.js';
import type { CanvasEdit } from './edit.js';
import type { Canvas } from './types.js';

/** Makes the KV of a pass's rows durable. */
export function keepRows(edit: CanvasEdit, pass: Pass): void {
  for (const row of pass.rows) {
    const residency = edit.at(row.position).state === 'S' ? 'long-term' : 'mutable';
    edit.patch(row.position, {
      kv: { position: row.position, version: pass.version, token: row.feed, residency },
    });
  }
}

/** Every entry that later steps may read. */
export function liveKv(canvas: Canvas): KvRef[] {
  const live: KvRef[] = [];
  canvas.positions.forEach(({ kv }, position) => {
    if (kv !== null) live.push({ position, version: kv.version });
  });
  for (const ticket of canvas.inFlight) {
    for (const { position } of ticket.targets) live.push({ position, version: ticket.passVersion });
  }
  return live;
}
