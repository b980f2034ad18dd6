import { afterAll } from 'vitest';
import { removeTemporaryDirectories } from './temporary-directory.js';

/** Set up for every file: modules outlive a file, so what one leaves behind would be there for the next. */
afterAll(removeTemporaryDirectories);
