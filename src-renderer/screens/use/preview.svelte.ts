import { consumeEventIterator } from '@orpc/client';
import type { Preview } from '../../../src-main/contract/use.ts';
import { client } from '../../client/client.ts';
import type { Area } from '../../components/viewer/tiles.ts';

const retryMs = 1000;

/** A prediction that is watched while it grows. */
export interface WatchedPreview {
  /** The newest message; undefined before the first. */
  readonly now: Preview | undefined;
  /** What became ready, in order, for the layer that shows it. */
  readonly ready: readonly Area[];
}

/**
 * Watches the prediction of one image by one model; call it while a component is created. `wanted`
 * may read runes and is asked again when they change.
 */
export function watchPreview(
  wanted: () => { readonly modelId: string; readonly inputId: string } | undefined,
): WatchedPreview {
  let now: Preview | undefined = $state.raw();
  let ready: readonly Area[] = $state.raw([]);

  function follow(modelId: string, inputId: string): () => void {
    let isOver = false;
    let stop: () => Promise<void> = () => Promise.resolve();
    const connect = (): void => {
      if (isOver) return;
      stop = consumeEventIterator(client.predictions.watch({ modelId, inputId }), {
        onEvent: (message) => {
          if (isOver) return;
          now = message;
          if (message.changed.length > 0) ready = [...ready, ...message.changed.map(areaOf)];
        },
        onError: () => setTimeout(connect, retryMs),
      });
    };
    connect();
    return () => {
      isOver = true;
      void stop();
    };
  }

  $effect.pre(() => {
    const place = wanted();
    now = undefined;
    ready = [];
    if (place !== undefined) return follow(place.modelId, place.inputId);
    return undefined;
  });

  return {
    get now() {
      return now;
    },
    get ready() {
      return ready;
    },
  };
}

function areaOf({ leftPx, topPx, widthPx, heightPx }: Preview['changed'][number]): Area {
  return { left: leftPx, top: topPx, right: leftPx + widthPx, bottom: topPx + heightPx };
}
