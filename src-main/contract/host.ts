import * as v from 'valibot';
import { procedure, stream } from './procedure.ts';
import { id, place, shortText } from './values.ts';

const purpose = v.picklist(['images', 'masks', 'project', 'output', 'input', 'model', 'weights']);
export type PickPurpose = v.InferOutput<typeof purpose>;

const about = v.object({
  version: v.string(),
  platform: v.picklist(['linux', 'darwin', 'win32']),
  /** `window`: our own window with the system's dialogs; `browser`: a page of `decon serve`. */
  host: v.picklist(['window', 'browser']),
  theme: v.picklist(['system', 'light', 'dark']),
});
export type About = Readonly<v.InferOutput<typeof about>>;

const listing = v.object({
  place,
  /** From the top to the folder above this one. */
  parents: v.array(place),
  folders: v.array(place),
  files: v.array(place),
  /** Entries beyond the first 2,000 are not listed. */
  isCut: v.boolean(),
});
export type Listing = Readonly<v.InferOutput<typeof listing>>;

export const hostContract = {
  about: procedure.output(about),
  /** The system's own dialog; null when the user closed it. Only where `host` is `window`. */
  pick: procedure
    .input(v.strictObject({ purpose, kind: v.picklist(['folder', 'files']) }))
    .output(v.nullable(v.array(place))),
  /** Folders (and files) of this machine for the picker of the page; the home folder without a place. */
  list: procedure.input(v.strictObject({ purpose, placeId: v.optional(id) })).output(listing),
  /** Shows a folder or file in the system's file manager; does nothing where there is none. */
  reveal: procedure.input(v.strictObject({ placeId: id })).output(v.object({ done: v.boolean() })),
  /** Ids of commands that were given outside of the page, e.g. in the menu bar. */
  commands: procedure.output(stream(v.string())),
  setTheme: procedure.input(v.strictObject({ theme: v.picklist(['system', 'light', 'dark']) })),
  /** Writes a fault of the window to the log; nothing is sent anywhere. */
  logFault: procedure.input(v.strictObject({ message: shortText, where: shortText })),
};
