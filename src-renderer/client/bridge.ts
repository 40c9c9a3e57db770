import type { Place } from '../../src-main/contract/values.ts';

/** What the preload script of our own window hands over; absent in a browser. */
export interface Bridge {
  /** Asks main for a port to talk over; it arrives as a message of the window. */
  connect(): void;
  /** Places of dropped files and folders; the page never sees their paths. */
  placesOf(files: readonly File[]): Promise<readonly Place[]>;
}

declare global {
  interface Window {
    readonly deconBridge?: Bridge;
  }
}

export const bridge: Bridge | undefined = window.deconBridge;
