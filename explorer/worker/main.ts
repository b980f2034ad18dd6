import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { mountFiles } from '../node/files.js';
import type { Reply, Request } from './messages.js';
import { Server } from './server.js';

declare const self: {
  onmessage: ((event: { readonly data: Request }) => void) | null;
  postMessage(reply: Reply): void;
};

// Several threads sum in an order of their own: the command line has one.
tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);

const server = new Server(mountFiles, (reply) => self.postMessage(reply));
self.onmessage = ({ data }) => void server.take(data);
