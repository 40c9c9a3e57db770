import { hasKeptHeap } from '../../../src-main/lib/kept-heap.ts';

process.send?.(hasKeptHeap());
process.disconnect();
