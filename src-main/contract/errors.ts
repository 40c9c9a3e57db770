/** What the window says about a failure, beside its own sentence (which names files and figures). */
export interface ErrorText {
  /** What happened, as the heading of a message. */
  readonly title: string;
  /** What to do next. */
  readonly advice: string;
}

/** The text of a code; a code without one is a bug and told as such. */
export function errorText(code: string): ErrorText {
  const known: ErrorText | undefined = texts.get(code);
  return known ?? bug;
}

const bug: ErrorText = {
  title: 'Something went wrong inside DeCon Studio',
  advice:
    'Nothing that was stored is lost. Try again; if it happens again, the log has the details.',
};

const method: ErrorText = {
  title: 'This network cannot be computed',
  advice: 'Choose another encoder or decoder, or the CPU. The log names the operation.',
};

/** Every code of the program. A test looks for codes in the sources that have no text here. */
export const errorTexts: Readonly<Record<string, ErrorText>> = {
  'cache.damaged': {
    title: 'Prepared images are damaged',
    advice: 'Start again: they are prepared anew from your own images.',
  },
  'cache.nothing-to-do': {
    title: 'No image fits these settings',
    advice: 'Choose a smaller crop or a larger scale, or add larger images.',
  },
  'classes.conflict': {
    title: 'Two files disagree about the classes',
    advice: 'Give the classes the same names in all files, or import them one after the other.',
  },
  'classes.exists': {
    title: 'There is a class of this name',
    advice: 'Choose another name, or use the class that is there.',
  },
  'classes.in-use': {
    title: 'This class is used by labels',
    advice: 'Relabel its areas first, or keep the class.',
  },
  'classes.no-example': {
    title: 'A class has no example',
    advice: 'Label at least one area of it; without an example it cannot be learnt.',
  },
  'classes.too-many': {
    title: 'Too many classes',
    advice: 'A project has 255 classes at most. Join those that are alike.',
  },
  'classes.unknown': {
    title: 'This class is not there any more',
    advice: 'Choose another class; it may have been removed in another window.',
  },
  'config.invalid': {
    title: 'These settings do not fit together',
    advice: 'Change the named setting; the others are kept.',
  },
  'data.bad-file': {
    title: 'A file is not as expected',
    advice: 'Correct the named file, or leave it out.',
  },
  'device.install-failed': {
    title: 'The device could not be set up',
    advice: 'Training works on the CPU meanwhile. The message says what was missing.',
  },
  'device.no-half': {
    title: 'This device gains nothing from 16-bit numbers',
    advice: 'Choose the precision "single", or a graphics card that computes with 16-bit numbers.',
  },
  'device.out-of-memory': {
    title: 'The graphics card ran out of memory',
    advice: 'Start again with a smaller batch or smaller crops. What was learnt is kept.',
  },
  'device.unavailable': {
    title: 'The device cannot be used now',
    advice: 'Check its driver, or start a new run from the weights on another device.',
  },
  'device.unknown': {
    title: 'There is no such device',
    advice: 'Choose one of the devices of this computer.',
  },
  'device.wrong-result': {
    title: 'The device computes wrong results',
    advice: 'Update its driver. Until then the CPU is used.',
  },
  'disk.full': {
    title: 'The disk is full',
    advice: 'Free some space and continue. Nothing that was stored is lost.',
  },
  'disk.write-failed': {
    title: 'A file could not be written',
    advice: 'Check that the folder is there and that you may write to it.',
  },
  'drop.bad-name': {
    title: 'This cannot be dropped here',
    advice: 'Drop PNG, JPEG, TIFF, WebP or GIF images.',
  },
  'drop.too-large': {
    title: 'This image is too large to drop',
    advice: 'Choose it with the button instead.',
  },
  'finetune.diverged': {
    title: 'The training got lost',
    advice: 'Start it again with a lower learning rate. The best model so far is kept.',
  },
  'finetune.one-class': {
    title: 'The labels show only one class',
    advice: 'Label a second class, e.g. the background.',
  },
  'graph.bad-kernel-call': method,
  'graph.invalid': method,
  'graph.missing-kernel': method,
  'graph.shape': method,
  'graph.state-changed': method,
  'graph.state-mismatch': method,
  'graph.unknown-operator': method,
  'graph.unsupported-layout': method,
  'graph.unsupported-stride': method,
  'graph.unsupported-type': method,
  'graph.value-needed': method,
  'groups.bad-pattern': {
    title: 'This pattern finds no groups',
    advice: 'Mark the part of the file name that is the same within a group.',
  },
  'images.changed': {
    title: 'An image has changed since it was imported',
    advice: 'Import its folder again, so that what is learnt fits the image.',
  },
  'images.damaged': {
    title: 'An image is damaged',
    advice: 'Copy it again from where it came from. The other images are used.',
  },
  'images.duplicate': {
    title: 'An image is there twice',
    advice: 'Nothing needs to be done: one of the two is used.',
  },
  'images.empty': {
    title: 'An image file is empty',
    advice: 'Copy it again from where it came from. The other images are used.',
  },
  'images.foreign': {
    title: 'This kind of image cannot be read yet',
    advice: 'Save it as TIFF or PNG and import it again.',
  },
  'images.link-loop': {
    title: 'A link leads back to itself',
    advice: 'Remove the link; the other images are used.',
  },
  'images.linked-twice': {
    title: 'A folder is reached on two ways',
    advice: 'Nothing needs to be done: its images are used once.',
  },
  'images.missing': {
    title: 'An image is not where it was',
    advice: 'Connect its disk or put the file back, then try again.',
  },
  'images.none-found': {
    title: 'No image was found',
    advice: 'Choose another folder. PNG, JPEG, TIFF, WebP and GIF images are read.',
  },
  'images.not-a-folder': {
    title: 'This is not a folder',
    advice: 'Choose the folder that holds the images.',
  },
  'images.not-an-image': {
    title: 'A file is not an image',
    advice: 'Nothing needs to be done, unless it should be one: then copy it again.',
  },
  'images.too-large': {
    title: 'An image is too large',
    advice: 'Cut it into parts, or scale it down, and import it again.',
  },
  'images.too-small': {
    title: 'An image is too small',
    advice: 'Nothing needs to be done; it holds too little to learn from.',
  },
  'images.unknown': {
    title: 'This image is not in the project any more',
    advice: 'Choose another image.',
  },
  'images.unreadable': {
    title: 'An image may not be read',
    advice: 'Ask its owner, or change its permissions, then import again.',
  },
  'images.unsupported': {
    title: 'This form of image cannot be read',
    advice: 'Save it as TIFF or PNG with 8 or 16 bits and import it again.',
  },
  'images.wrong-extension': {
    title: 'The name of an image promises another format',
    advice: 'Nothing needs to be done: its contents are used.',
  },
  'import.busy': {
    title: 'An import is running',
    advice: 'Wait for its end, or cancel it.',
  },
  'job.crashed': {
    title: 'The work ended unexpectedly',
    advice: 'Continue it. Everything up to the last saved state is there.',
  },
  'job.interrupted': {
    title: 'The work was interrupted',
    advice: 'Continue it. Everything up to the last saved state is there.',
  },
  'job.out-of-memory': {
    title: 'The computer ran out of memory',
    advice: 'Close other programs, or start again with a smaller batch or smaller crops.',
  },
  'labels.empty': {
    title: 'This label is empty',
    advice: 'Paint at least one area.',
  },
  'labels.no-image': {
    title: 'This image cannot be labelled',
    advice: 'Choose an image of the project that can be read.',
  },
  'labels.no-proposal': {
    title: 'There is no proposal for this image',
    advice: 'Ask for one, or paint the label yourself.',
  },
  'labels.nothing-to-propose': {
    title: 'Nothing is left to propose',
    advice: 'Every image has a label or a proposal.',
  },
  'labels.nothing-to-redo': {
    title: 'Nothing is left to redo',
    advice: 'The label is as you last changed it.',
  },
  'labels.nothing-to-suggest': {
    title: 'Nothing is left to suggest',
    advice: 'Every image has a label.',
  },
  'labels.nothing-to-undo': {
    title: 'Nothing is left to undo',
    advice: 'The label is as it was at first.',
  },
  'labels.other-size': {
    title: 'The label has another size than the image',
    advice: 'Import the image again, then label it.',
  },
  'masks.ambiguous': {
    title: 'An image has several masks',
    advice: 'Leave one of them.',
  },
  'masks.bad-runs': {
    title: 'An area of the COCO file is damaged',
    advice: 'Export the labels again from the program that made them.',
  },
  'masks.boxes-only': {
    title: 'The COCO file holds boxes but no areas',
    advice: 'Export areas (polygons or masks) from the program that made it.',
  },
  'masks.changed': {
    title: 'A mask has changed since it was imported',
    advice: 'Import the masks again.',
  },
  'masks.damaged': {
    title: 'A mask is damaged',
    advice: 'Export it again from the program that made it.',
  },
  'masks.missing': {
    title: 'A mask is not where it was',
    advice: 'Connect its disk or put the file back, then try again.',
  },
  'masks.mixed-kinds': {
    title: 'The masks are of different kinds',
    advice: 'Import those with colors and those with numbers one after the other.',
  },
  'masks.no-image': {
    title: 'A mask belongs to no image',
    advice: 'Give it the name of its image, before the dot.',
  },
  'masks.no-survey': {
    title: 'The masks were not looked at yet',
    advice: 'Choose their folder again.',
  },
  'masks.none-found': {
    title: 'No mask fits an image',
    advice: 'Give the masks the names of their images, or choose another folder.',
  },
  'masks.not-an-image': {
    title: 'A mask is not an image',
    advice: 'Save masks as PNG or TIFF.',
  },
  'masks.other-size': {
    title: 'A mask has another size than its image',
    advice: 'Export it again in the size of the image.',
  },
  'masks.painted': {
    title: 'This image has a painted label',
    advice: 'Nothing needs to be done: what was painted stays.',
  },
  'masks.soft-edges': {
    title: 'A mask has soft edges',
    advice: 'Save it without smoothing and not as JPEG, or let values in between be ignored.',
  },
  'masks.too-many-values': {
    title: 'A mask holds too many values',
    advice: 'Save masks as PNG without smoothing; a photograph is no mask.',
  },
  'masks.unknown-value': {
    title: 'A mask holds a value that is no class',
    advice: 'Give the value a class, or let it be ignored.',
  },
  'masks.unknown-values': {
    title: 'A mask holds values that are no class',
    advice: 'Give each value a class, or let it be ignored.',
  },
  'masks.unsupported': {
    title: 'This form of mask cannot be read',
    advice: 'Save masks as PNG with one number or color a class.',
  },
  'model.damaged': {
    title: 'The model file is damaged',
    advice: 'Export or copy it again.',
  },
  'model.foreign': {
    title: 'This model was not made by DeCon Studio',
    advice: 'Choose a model that was exported here; others do not say how images go in.',
  },
  'model.mismatch': {
    title: 'The model does not match its description',
    advice: 'Export it again.',
  },
  'model.missing': {
    title: 'The model is not where it was',
    advice: 'Choose its file again, or export it again.',
  },
  'model.newer-version': {
    title: 'The model is from a newer DeCon Studio',
    advice: 'Install the newest version and open it there.',
  },
  'models.unknown': {
    title: 'This model is not in the project any more',
    advice: 'Choose another model.',
  },
  'pictures.crashed': {
    title: 'A picture could not be drawn',
    advice: 'Try again. If it happens with one image only, import that image again.',
  },
  'pictures.missing': {
    title: 'There is no such picture',
    advice: 'Reload the window.',
  },
  'places.unknown': {
    title: 'This folder has to be chosen again',
    advice: 'Choose it again; a program that was started anew does not know it.',
  },
  'places.unreadable': {
    title: 'This folder cannot be opened',
    advice: 'Check that it is there and that you may read it.',
  },
  'predict.exists': {
    title: 'There are results already',
    advice: 'Choose an empty folder, or allow them to be replaced.',
  },
  'predict.gone': {
    title: 'These images are not there any more',
    advice: 'Choose them again.',
  },
  'predict.names': {
    title: 'Two results would have the same name',
    advice: 'Add {folder} or {number} to the pattern of names.',
  },
  'predict.no-map': {
    title: 'There is no result for this image yet',
    advice: 'Wait until it is segmented, or start again.',
  },
  'predict.no-pictures': {
    title: 'No image was found to segment',
    advice: 'Choose images or another folder.',
  },
  'predict.overlap': {
    title: 'The overlap does not fit the tile',
    advice: 'Choose an overlap smaller than half a tile.',
  },
  'pretrain.busy': {
    title: 'A pre-training is running',
    advice: 'Wait for its end, or pause it.',
  },
  'pretrain.diverged': {
    title: 'The pre-training got lost',
    advice: 'Start it again with a lower learning rate; the last healthy state is kept.',
  },
  'pretrain.images-missing': {
    title: 'Images of this run are not there',
    advice: 'Connect their disk or put them back, then continue.',
  },
  'pretrain.no-images': {
    title: 'There is nothing to learn from',
    advice: 'Add images first.',
  },
  'pretrain.plan-exists': {
    title: 'There is a plan of this name',
    advice: 'Choose another name.',
  },
  'pretrain.too-large': {
    title: 'This plan needs more memory than there is',
    advice: 'Choose a smaller batch or smaller crops.',
  },
  'project.backup-failed': {
    title: 'The project could not be backed up',
    advice: 'Free some space. The project was not changed.',
  },
  'project.bad-name': {
    title: 'A project cannot have this name',
    advice: 'Use letters, digits, spaces, dots, dashes, underscores or round brackets.',
  },
  'project.busy': {
    title: 'The project is used by another program',
    advice: 'Try again in a moment, or close the other program.',
  },
  'project.damaged': {
    title: 'The project is damaged',
    advice: 'Copy the newest file of its folder "backups" over project.sqlite.',
  },
  'project.exists': {
    title: 'There is something of this name already',
    advice: 'Choose another name, or open the project as it is.',
  },
  'project.missing': {
    title: 'There is no project in this folder',
    advice: 'Choose a folder that ends in .decon.',
  },
  'project.newer-version': {
    title: 'The project is from a newer DeCon Studio',
    advice: 'Install the newest version and open it there.',
  },
  'project.none-open': {
    title: 'No project is open',
    advice: 'Open a project, or make a new one.',
  },
  'project.older-version': {
    title: 'The project is from an older DeCon Studio',
    advice: 'Open it in the window once: it is brought up to date after a backup.',
  },
  'project.unclear': {
    title: 'There are several projects here',
    advice: 'Name the one you mean.',
  },
  'project.unwritable': {
    title: 'The project folder may not be written to',
    advice: 'Choose another folder, or change its permissions.',
  },
  'run.not-started': {
    title: 'This run has not begun yet',
    advice: 'Start it first.',
  },
  'runs.bad-name': {
    title: 'A run cannot have this name',
    advice: 'Choose a short name with at least one letter or digit.',
  },
  'runs.exists': {
    title: 'There is a run of this name',
    advice: 'Choose another name.',
  },
  'runs.finished': {
    title: 'This run is finished',
    advice: 'Extend it, or start a new one from its weights.',
  },
  'runs.missing': {
    title: 'This run is not in the project any more',
    advice: 'Choose another run.',
  },
  'runs.no-image-scores': {
    title: 'This run has no scores for single images',
    advice: 'Train it again; older runs did not keep them.',
  },
  'runs.no-model': {
    title: 'This run has no model',
    advice: 'Continue it until it has, or choose another run.',
  },
  'runs.no-result': {
    title: 'This run has no result yet',
    advice: 'Wait for its end, or continue it.',
  },
  'runs.no-weights': {
    title: 'The weights of this run are gone',
    advice: 'Choose another run; its record stays.',
  },
  'runs.not-extendable': {
    title: 'This run cannot be extended',
    advice: 'Start a new one from its weights.',
  },
  'runs.not-running': {
    title: 'This run is not running',
    advice: 'Nothing needs to be done.',
  },
  'runs.running': {
    title: 'This run is still running',
    advice: 'Pause it first, or wait for its end.',
  },
  'runs.unknown': {
    title: 'There is no such run',
    advice: 'Choose one of the runs of this project.',
  },
  'runs.unknown-pace': {
    title: 'The pace of this run is not known yet',
    advice: 'Extend it by steps instead of time.',
  },
  'serve.not-built': {
    title: 'The window is not built yet',
    advice: 'Run "npm run build" in the folder of DeCon Studio.',
  },
  'serve.port-taken': {
    title: 'The port cannot be used',
    advice: 'Choose another one, or none.',
  },
  'slots.no-heads': {
    title: 'This run keeps no slots',
    advice: 'Choose a run of the pre-training.',
  },
  'splits.bad-shares': {
    title: 'These parts do not add up',
    advice: 'Choose parts that together are 100 %, each above zero.',
  },
  'splits.leak': {
    title: 'Nearly equal images are in different parts',
    advice: 'Put them into one group, so that scores stay honest.',
  },
  'splits.no-training-images': {
    title: 'No labelled image is left to train on',
    advice: 'Label more images, or choose a larger share.',
  },
  'splits.too-few-groups': {
    title: 'There are too few groups to divide',
    advice: 'Label images of more groups, or choose other groups.',
  },
  'studies.bad-name': {
    title: 'A study cannot have this name',
    advice: 'Choose a short name with at least one letter or digit.',
  },
  'studies.impossible': {
    title: 'This study cannot be run',
    advice: 'Change what the plan names, e.g. label more images.',
  },
  'studies.missing': {
    title: 'This study is not in the project any more',
    advice: 'Choose another study.',
  },
  'studies.no-result': {
    title: 'This study has no result yet',
    advice: 'Wait for its first training, or continue it.',
  },
  'studies.other-settings': {
    title: 'This study was begun with other settings',
    advice: 'Give the new one another name.',
  },
  'studies.running': {
    title: 'This study is still running',
    advice: 'Pause it first, or wait for its end.',
  },
  'usage.invalid': {
    title: 'The command is not right',
    advice: 'See its help.',
  },
  'usage.unknown-command': {
    title: 'There is no such command',
    advice: 'See "decon --help".',
  },
  'weights.nothing-fits': {
    title: 'These weights do not fit the network',
    advice: 'Choose the encoder that they were made with.',
  },
  'weights.other-encoder': {
    title: 'These weights are of another encoder',
    advice: 'Choose the encoder that they were made with.',
  },
  'weights.unreadable': {
    title: 'The weights file cannot be read',
    advice: 'Choose a .safetensors file, or copy it again.',
  },
};

const texts: ReadonlyMap<string, ErrorText> = new Map(Object.entries(errorTexts));
