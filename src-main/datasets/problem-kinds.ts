/** What problems of one kind have in common, in words. */
export interface ProblemText {
  readonly title: string;
  /** What the user can do about it; empty where nothing needs doing. */
  readonly advice: string;
}

/** The words for a code of a problem of an import. */
export function problemText(code: string): ProblemText {
  const known = texts.get(code);
  if (known !== undefined) return { title: known[0], advice: known[1] };
  return { title: 'Other files', advice: 'Each line says what is the matter.' };
}

const again = 'then look again.';

const texts: ReadonlyMap<string, readonly [title: string, advice: string]> = new Map([
  [
    'images.damaged',
    ['Damaged or incomplete files', `Copy them again from where they came from, ${again}`],
  ],
  ['images.empty', ['Empty files', `Copy them again from where they came from, ${again}`]],
  ['images.unreadable', ['Files that cannot be read', `Change their permissions, ${again}`]],
  ['images.missing', ['Files that are gone', `Bring them back or leave it so, ${again}`]],
  ['images.not-an-image', ['Files that hold no picture', 'Leave it so, or correct their names.']],
  [
    'images.foreign',
    ['Formats that cannot be read', `Export them as TIFF or PNG from their own program, ${again}`],
  ],
  [
    'images.unsupported',
    ['Kinds of pixels that cannot be read', `Save them with 8 or 16 bits, ${again}`],
  ],
  ['images.too-small', ['Pictures that are too small', 'Leave it so: they hold nothing to learn.']],
  ['images.too-large', ['Pictures that are too large', `Cut them or save them plainly, ${again}`]],
  ['images.changed', ['Files that changed while they were read', 'Look again.']],
  ['images.duplicate', ['Copies of another image', 'Nothing: the first one is used.']],
  ['images.link-loop', ['Links that lead back to themselves', 'Remove the links.']],
  ['images.linked-twice', ['Folders that are linked twice', 'Nothing: they are read once.']],
  ['images.pages', ['Files with several pages', 'Save the pages as files to use them all.']],
  ['images.rotated', ['Pictures that were turned upright', '']],
  ['images.cmyk', ['Print colors that became RGB', '']],
  ['images.alpha', ['Transparency that was put on white', '']],
  ['images.deep', ['Pictures with more than 8 bits', '']],
  ['images.channels', ['Pictures with additional channels', '']],
  ['images.large', ['Very large pictures, read in parts', '']],
  ['images.wrong-extension', ['Names that promise another format', '']],
  ['masks.ambiguous', ['Images with several masks', `Leave one mask for each image, ${again}`]],
  ['masks.no-image', ['Masks without an image', 'Give a mask the name of its image.']],
  ['masks.other-size', ['Masks of another size', `Export them at the size of the image, ${again}`]],
  [
    'masks.unknown-values',
    ['Masks with values that are no class', 'Give the values a class under Labels from files.'],
  ],
  [
    'masks.soft-edges',
    [
      'Masks with soft edges',
      'Save them without smoothing, or let values between the classes be ignored under Labels from files.',
    ],
  ],
  [
    'masks.too-many-values',
    ['Masks that look like photographs', 'Choose the folder that holds the masks.'],
  ],
  ['masks.painted', ['Masks of images painted here', 'Nothing: the painted label stays.']],
  ['masks.boxes-only', ['Labels without an outline', 'Export outlines, or paint these images.']],
  ['masks.bad-runs', ['Labels that do not fill the image', 'Export the labels again.']],
  ['masks.damaged', ['Damaged masks', `Export them again, ${again}`]],
  ['masks.not-an-image', ['Masks that hold no picture', `Export them as PNG, ${again}`]],
  ['masks.unsupported', ['Kinds of masks that cannot be read', `Export them as PNG, ${again}`]],
  ['masks.unreadable', ['Masks that cannot be read', `Change their permissions, ${again}`]],
  ['masks.missing', ['Masks that are gone', `Bring them back, ${again}`]],
  ['classes.no-example', ['Classes without an example', 'Label some, or remove the class.']],
  [
    'groups.no-match',
    ['Images outside the groups', 'Choose another part of the name if they belong together.'],
  ],
  ['splits.leak', ['Relatives in two parts', 'Divide the images anew under Groups and split.']],
  [
    'splits.too-few-groups',
    ['Too few groups to divide', 'Label images of more groups, or choose smaller groups.'],
  ],
  ['splits.no-image', ['Names in split.json without an image', 'Correct split.json.']],
  ['splits.not-named', ['Images that split.json does not name', 'Add them to split.json.']],
]);
